"""From a database URL to the parameters of every connection to it, Django's and our own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote

from attpcdaq.config.url_parts import url_parts

TLS_KEYS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
SYSTEM = "system"  # libpq's word for the authorities that the operating system trusts
SHAPES = "it must be postgresql://user:password@host:port/name or sqlite:////absolute/path"
STEADY = {
    "connect_timeout": 2,
    # A server that vanished without a word is noticed within 10 s, not after the kernel's quarter of an hour.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 10000,
    # A process frozen while it decides would keep everybody, even Stop, from deciding.
    "options": "-c idle_in_transaction_session_timeout=15s",
}


def database_settings(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for `url`; ValueError says what is allowed."""
    parts = url_parts(url)
    if parts.scheme in ("postgres", "postgresql") and parts.path.strip("/"):
        return _postgresql(parts)
    if parts.scheme == "sqlite" and parts.path.startswith("/") and len(parts.path) > 1 and not parts.query:
        return _sqlite(unquote(parts.path[1:] if parts.path.startswith("//") else parts.path))
    raise ValueError(SHAPES)


def libpq_parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What psycopg.connect takes for a connection like Django's; `settings` is its connection.settings_dict."""
    named = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return {**{parameter: settings[name] for parameter, name in named.items()}, **settings["OPTIONS"]}


def _postgresql(parts: SplitResult) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "NAME": unquote(parts.path[1:]),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**STEADY, **_tls(parts.query)},
    }


def _tls(query: str) -> dict[str, str]:
    """Verified or not at all: modes between the two look safe, and let anybody in who stands in the way."""
    found = dict(parse_qsl(query, keep_blank_values=True))
    unknown = [key for key in found if key not in TLS_KEYS]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no option that it takes; these are: {', '.join(TLS_KEYS)}")
    mode, files = found.get("sslmode"), {key: found[key] for key in TLS_KEYS[1:] if key in found}
    if mode not in (None, "disable", "verify-full"):
        raise ValueError(f"sslmode={mode} does not make sure who answers; allowed are verify-full and disable")
    if mode != "verify-full" and files:
        raise ValueError(f"{next(iter(files))} is only for sslmode=verify-full")
    if mode == "verify-full" and "sslrootcert" not in files:
        raise ValueError("sslmode=verify-full needs sslrootcert=/path of the authority's certificate (or =system)")
    if ("sslcert" in files) != ("sslkey" in files):
        raise ValueError("sslcert and sslkey go together")
    for key, path in files.items():
        if not (Path(path).is_file() or (key, path) == ("sslrootcert", SYSTEM)):
            raise ValueError(f"{key}: there is no file {path}")
    return found


def _sqlite(path: str) -> dict[str, Any]:
    # Immediate transactions: a reader that turns writer half-way would fail at once instead of waiting.
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000;"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # Tests need a file too: an in-memory database knows no waiting for a lock.
        "TEST": {"NAME": f"{path}.test"},
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 10, "init_command": pragmas},
    }
