"""`manage.py setup load FILE [--check]` and `setup dump [FILE]`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from attpcdaq.audit.people import at_the_console
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, load, planned
from attpcdaq.topology import setup_store
from attpcdaq.topology.setup import Setup, SetupError
from attpcdaq.topology.setup_file import dump, parse


class Command(BaseCommand):
    help = "Load or dump the setup: nodes, ECC servers, data routers and data sources as one TOML file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        load_parser = verbs.add_parser("load", help="make the file's setup the setup, all of it or nothing")
        load_parser.add_argument("file", help="path of the TOML file, or - for standard input")
        load_parser.add_argument("--check", action="store_true", help="only say what would change")
        dump_parser = verbs.add_parser("dump", help="write the setup as a file that load reads back")
        dump_parser.add_argument("file", nargs="?", default="-", help="path to write; standard output when left out")

    def handle(self, *args: Any, verb: str, file: str, **options: Any) -> None:
        if verb == "dump":
            self._dump(file)
        else:
            self._load(_read(file), check=options["check"])

    def _dump(self, file: str) -> None:
        text = dump(setup_store.read())
        if file == "-":
            self.stdout.write(text, ending="")
            return
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}") from None

    def _load(self, setup: Setup, *, check: bool) -> None:
        try:
            done = planned(setup) if check else load(setup, at_the_console("manage.py setup"))
        except SetupBusyError as error:
            raise CommandError(f"nothing was changed: {error}") from None
        for change in done:
            self.stdout.write(f"{'would ' if check else ''}{change}")
        self.stdout.write(f"{len(done)} changes" if done else "nothing to change")


def _read(file: str) -> Setup:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return parse(content)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    except SetupError as error:
        raise CommandError(f"{file} is not loaded:\n  " + "\n  ".join(error.errors)) from None
