"""Loud start: wrong settings end the process with one line that says what to set."""

import os
import secrets
from collections.abc import Sequence

from attpcdaq.config.environment import PREFIX, SettingsError

LOOKS_AT_FILES_ONLY = frozenset({"graw", "make_secrets", "offsite", "collectstatic", "build_help"})
"""Verbs that run wherever the project is installed, with no database and no broker."""


def run_management(argv: Sequence[str]) -> int:
    """Run a Django management verb; 2 and one line on stderr when the settings are wrong."""
    from django.core.management import execute_from_command_line

    if "collectstatic" in argv[1:2] and not os.environ.get(f"{PREFIX}STATIC_ROOT"):
        return _refuse(f"{PREFIX}STATIC_ROOT is missing: set it to the directory that the static files shall go to")
    if LOOKS_AT_FILES_ONLY.intersection(argv[1:2]):
        _settings_that_reach_nothing()
    try:
        execute_from_command_line(list(argv))
    except SettingsError as error:
        return _refuse(str(error))
    return 0


def _refuse(why: str) -> int:
    os.write(2, f"attpcdaq: {why}\n".encode())
    return 2


def _settings_that_reach_nothing() -> None:
    nowhere = {
        "SECRET_KEY": secrets.token_hex(),
        "DATABASE_URL": "sqlite:////dev/null/none",
        "BROKER_URL": "amqp://127.0.0.1:1/none",
    }
    for name, value in nowhere.items():
        os.environ.setdefault(PREFIX + name, value)
