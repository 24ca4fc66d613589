"""Loud start: wrong settings end the process with one line that says what to set."""

import os

from attpcdaq.config.environment import SettingsError


def run_management(argv: list[str]) -> int:
    """Run a Django management verb; 2 and one line on stderr when the settings are wrong."""
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(argv)
    except SettingsError as error:
        os.write(2, f"attpcdaq: {error}\n".encode())
        return 2
    return 0
