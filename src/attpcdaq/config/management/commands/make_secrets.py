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
        "Write into DIR what is missing of ssh_key, ssh_key.pub, known_hosts, tls/ca.pem, tls/ca-key.pem, tls/cert.pem "
        "and tls/key.pem. Overwrites nothing; --renew replaces tls/cert.pem. Uses no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")
        parser.add_argument(
            "--host", nargs="+", action="extend", default=[], metavar="NAME", help="a name or address of this computer"
        )
        parser.add_argument("--renew", action="store_true", help="a new server certificate from the same authority")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make or renew, and say what was done."""
        files, now = SecretFiles(options["directory"]), datetime.now(UTC)
        try:
            if options["renew"]:
                files.renew(options["host"], now)
                self.stdout.write(f"renewed {files.cert}")
            else:
                for path in files.complete(options["host"], now):
                    self.stdout.write(f"made {path}")
            certificate = files.cert.read_bytes()
        except (SecretsError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        names, until = ", ".join(names_of(certificate)), valid_until(certificate)
        self.stdout.write(f"{files.cert} is for {names}; valid until {until:%Y-%m-%d}")
