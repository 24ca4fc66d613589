"""`manage.py build_help DIR`: the manual as files, for nginx at /help/."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from attpcdaq.web import help_files
from attpcdaq.web.static_files import MANIFEST


class Command(BaseCommand):
    help = "Write the pages of the manual as static HTML, to be served at /help/ (after collectstatic)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="is made where it does not exist")

    def handle(self, *args: Any, directory: Path, **options: Any) -> None:
        if settings.STATIC_ROOT and not (settings.STATIC_ROOT / MANIFEST).is_file():
            raise CommandError(f"There is no {MANIFEST} in {settings.STATIC_ROOT}: run manage.py collectstatic first.")
        try:
            pages = help_files.build(directory)
        except OSError as error:
            raise CommandError(f"The pages could not be written: {error}") from None
        self.stdout.write(f"{pages} pages in {directory}")
