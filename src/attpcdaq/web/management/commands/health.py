"""manage.py health: every check of the DAQ itself, in words; exit status 1 when the main job cannot be done."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from attpcdaq.runcontrol.seeing.system_health import HEALTH
from attpcdaq.runcontrol.troubles.troubles_system import BY_KEY

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


class Command(BaseCommand):
    help = "Tells how the DAQ itself is: database, broker, workers, monitor, clocks, certificate, backup."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        checks = HEALTH.checks()
        for check in checks:
            self.stdout.write(f"{MARKS[check.level]}  {check.name:<15} {check.text}")
            if check.level != "ok":
                self.stdout.write(f"{'':<22}{BY_KEY[check.key].todo}")
        if any(check.hinders for check in checks):
            sys.exit(1)
