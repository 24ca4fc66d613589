"""What the environment must say before anything starts, read once and checked (prefix ATTPCDAQ_)."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "ATTPCDAQ_"
HINTS = {
    "SECRET_KEY": "any random text of 32 characters or more, kept secret",
    "DATABASE_URL": "postgresql://user:password@host:5432/name or sqlite:////absolute/path",
    "BROKER_URL": "amqp://user:password@host:5672/vhost or filesystem:////absolute/directory",
    "ALLOWED_HOSTS": "comma-separated host names under which the pages are reached",
    "SSH_KEY": "path of the private key which the nodes accept",
    "SSH_KNOWN_HOSTS": "path of a known_hosts file which names the nodes' host keys",
}


class SettingsError(ImproperlyConfigured):
    """A setting is missing or wrong; the text names it and says what is allowed."""


class Environment(BaseSettings):
    """The settings of every process of the product."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    secret_key: SecretStr = Field(min_length=32)
    database_url: str
    broker_url: str
    allowed_hosts: Annotated[list[str], NoDecode] = ["127.0.0.1", "localhost"]
    csrf_trusted_origins: Annotated[list[str], NoDecode] = []
    ssh_key: Path | None = None
    ssh_known_hosts: Path | None = None
    ssh_user: str = "attpc"
    static_root: Path | None = None
    time_zone: str = "UTC"
    secure_cookies: bool = False
    cookie_prefix: str = Field("attpcdaq", pattern="^[A-Za-z0-9_]{1,40}$")
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("allowed_hosts", "csrf_trusted_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        database_settings(value)
        return value

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: str) -> str:
        url = urlsplit(value)
        if url.scheme not in ("amqp", "amqps", "filesystem"):
            raise ValueError("the scheme must be amqp, amqps or filesystem")
        if url.scheme == "filesystem" and not url.path.startswith("/"):
            raise ValueError("filesystem:// needs an absolute directory")
        return value

    @field_validator("ssh_key", "ssh_known_hosts")
    @classmethod
    def _is_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value


def database_settings(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for `url`; ValueError says what is allowed."""
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql") and parts.path.strip("/"):
        return _postgresql(parts.hostname or "", parts.port, parts.username, parts.password, parts.path[1:])
    if parts.scheme == "sqlite" and parts.path.startswith("/") and len(parts.path) > 1:
        return _sqlite(unquote(parts.path[1:] if parts.path.startswith("//") else parts.path))
    raise ValueError("it must be postgresql://user:password@host:port/name or sqlite:////absolute/path")


def _postgresql(host: str, port: int | None, user: str | None, password: str | None, name: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host,
        "PORT": str(port or 5432),
        "USER": unquote(user or ""),
        "PASSWORD": unquote(password or ""),
        "NAME": unquote(name),
        "CONN_HEALTH_CHECKS": True,
        # A server that vanished without a word is noticed within 10 s, not after the kernel's quarter of an hour.
        "OPTIONS": {
            "connect_timeout": 2,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 2,
            "tcp_user_timeout": 10000,
            # A process frozen while it decides would keep everybody, even Stop, from deciding.
            "options": "-c idle_in_transaction_session_timeout=15s",
        },
    }


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


def read_environment() -> Environment:
    """Read and check the environment; SettingsError lists every wrong setting in one line."""
    try:
        return Environment()
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(item) for item in error.errors())) from None


def _explain(item: Any) -> str:
    name = str(item["loc"][0]).upper()
    why = "is missing" if item["type"] == "missing" else f"is wrong ({item['msg'].removeprefix('Value error, ')})"
    hint = HINTS.get(name)
    return f"{PREFIX}{name} {why}" + (f": set it to {hint}" if hint else "")
