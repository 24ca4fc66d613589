"""`manage.py monitor`: read every ECC server and node, and write what was seen."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Read every ECC server and node continuously and write what was seen (ends on SIGTERM or Ctrl-C)."

    def handle(self, *args: Any, **options: Any) -> None:
        from attpcdaq.monitor.service import main

        main()
