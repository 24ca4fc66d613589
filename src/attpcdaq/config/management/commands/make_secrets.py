"""`manage.py make_secrets DIR --host NAME`: the keys and certificates of a stack."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from attpcdaq.config.certificates import names_of, valid_until
from attpcdaq.config.secret_files import SecretFiles, SecretsError


class Command(BaseCommand):
    help = (
        "Write into DIR what is missing of ssh_key, ssh_key.pub, known_hosts, and in tls/ of ca.pem, ca-key.pem, "
        "services.pem, services-key.pem (database and broker), cert.pem and key.pem (browsers). Overwrites nothing; "
        "--renew replaces the certificates that were made here. Uses no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")
        parser.add_argument(
            "--host", nargs="+", action="extend", default=[], metavar="NAME", help="a name or address of this computer"
        )
        parser.add_argument("--renew", action="store_true", help="new certificates for the same keys")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make or renew, and say what was done."""
        files, now = SecretFiles(options["directory"]), datetime.now(UTC)
        work, word = (files.renew, "renewed") if options["renew"] else (files.complete, "made")
        try:
            for path in work(options["host"], now):
                self.stdout.write(f"{word} {path}")
            for path in (files.services.cert, files.browsers.cert):
                self.stdout.write(_described(path))
        except (SecretsError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error


def _described(path: Path) -> str:
    certificate = path.read_bytes()
    return f"{path} is for {', '.join(names_of(certificate))}; valid until {valid_until(certificate):%Y-%m-%d}"
