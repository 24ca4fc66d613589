"""Loud start: wrong settings end the process with one line that says what to set."""

import os
import secrets
from collections.abc import Sequence

from attpcdaq.config.environment import PREFIX, SettingsError

READS_NO_SETTINGS = frozenset({"graw", "make_secrets"})
"""Verbs that run before anything is set up, whatever the environment says."""
LOOKS_AT_FILES_ONLY = READS_NO_SETTINGS | {"offsite", "collectstatic"}
"""Verbs that run wherever the project is installed, with no database and no broker."""


def run_management(argv: Sequence[str]) -> int:
    """Run a Django management verb; one line on stderr, and 2 when settings are wrong, 1 when the database is."""
    from django.core.management import execute_from_command_line
    from django.db import Error

    if READS_NO_SETTINGS.intersection(argv[1:2]):
        _forget_settings()
    if "collectstatic" in argv[1:2] and not os.environ.get(f"{PREFIX}STATIC_ROOT"):
        return _refuse(f"{PREFIX}STATIC_ROOT is missing: set it to the directory that the static files shall go to")
    if LOOKS_AT_FILES_ONLY.intersection(argv[1:2]):
        _settings_that_reach_nothing()
    try:
        execute_from_command_line(list(argv))
    except SettingsError as error:
        return _refuse(str(error))
    except Error as error:
        return _no_database(error)
    return 0


def _refuse(why: str, status: int = 2) -> int:
    os.write(2, f"attpcdaq: {why}\n".encode())
    return status


def _no_database(error: Exception) -> int:
    from attpcdaq.live.database_troubles import recognise

    trouble = recognise(error)
    if trouble is None:
        raise error
    return _refuse(f"{trouble.text} ({' '.join(str(error).split())})", 1)


def _forget_settings() -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


def _settings_that_reach_nothing() -> None:
    nowhere = {
        "SECRET_KEY": secrets.token_hex(),
        "DATABASE_URL": "sqlite:////dev/null/none",
        "BROKER_URL": "amqp://127.0.0.1:1/none",
    }
    for name, value in nowhere.items():
        os.environ[PREFIX + name] = os.environ.get(PREFIX + name) or value
