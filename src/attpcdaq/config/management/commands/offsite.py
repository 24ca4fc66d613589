"""`manage.py offsite DIR`: finished backups are copied to another computer."""

import asyncio
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.offsite_copies import OffsiteCopies


class Command(BaseCommand):
    help = (
        "Copy each finished backup in DIR to ATTPCDAQ_OFFSITE (sftp://user@host:port/directory), for ever; nothing is "
        "deleted or overwritten there. Ends on SIGTERM or Ctrl-C. Uses no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")
        parser.add_argument(
            "--once", action="store_true", help="copy what is there, and end; exit status 1 if it fails"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy."""
        if settings.OFFSITE is None:
            raise CommandError("ATTPCDAQ_OFFSITE is missing: set it to sftp://user@host:port/directory")
        identity = SshIdentity(settings.OFFSITE.user, settings.SSH_KEY, settings.SSH_KNOWN_HOSTS)
        copies = OffsiteCopies(options["directory"], settings.OFFSITE, identity)
        if not asyncio.run(_work(copies, options["once"])):
            raise CommandError("not every backup was copied")


async def _work(copies: OffsiteCopies, once: bool) -> bool:
    work = asyncio.ensure_future(copies.round() if once else _for_ever(copies))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        return not once


async def _for_ever(copies: OffsiteCopies) -> bool:
    await copies.run(_alive)
    return True


def _alive() -> None:
    if settings.ALIVE_FILE:
        settings.ALIVE_FILE.touch()
