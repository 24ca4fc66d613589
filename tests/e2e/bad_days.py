"""A system without hardware, for its bad days: its processes on a database and a broker that a test may harm."""

import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from attpcdaq.demo import programs
from attpcdaq.demo.place import Place
from tests.e2e.http_json import AWAY, call
from tests.e2e.http_pages import get, log_in
from tests.e2e.production import Stack
from tests.e2e.system import System
from tests.services.processes import Process

PASSWORD = "one for this test"
MAKE_SHIFTER = f"""
from django.contrib.auth.models import User
from attpcdaq.audit.people import DAQ
from attpcdaq.web import tokens
from attpcdaq.web.accounts import set_role
user = User.objects.create_user("shifter", password={PASSWORD!r})
set_role(user, "shifter", DAQ)
print(tokens.create("test", user, DAQ))
"""


class Ship:
    """Processes by name, and what they answer."""

    def __init__(self, stack: Stack, service: str = "web") -> None:
        self.stack = stack
        self.address = self.stack.serve(service)
        self.system = System(f"http://{self.address}", "", {"control": 0, "ecc_servers": [], "nodes": []})
        self._cookies = ""

    def start(self, name: str) -> Process:
        """A worker (celery: commands, celery-files: files) or the monitor."""
        commands = {
            "celery": programs.celery("control", threads=1),
            "celery-files": programs.celery("files", threads=1),
            "monitor": programs.monitor(),
        }
        return self.stack.start(name, commands[name])

    def checks(self) -> dict[str, str]:
        """What /health/ready says; nothing while web does not answer."""
        try:
            found: dict[str, str] = call("GET", f"http://{self.address}/health/ready")[1]["checks"]
        except AWAY:
            return {}
        return found

    def metrics(self) -> str:
        """What Prometheus would read."""
        address = urllib.request.Request(f"http://{self.address}/metrics")
        address.add_header("Authorization", f"Bearer {self.system.token}")
        with urllib.request.urlopen(address, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def tasks(self) -> set[tuple[str, str]]:
        """Which tasks were counted, and how they ended."""
        families = text_string_to_metric_families(self.metrics())
        found = next(family for family in families if family.name == "attpcdaq_tasks")
        return {(sample.labels["task"], sample.labels["outcome"]) for sample in found.samples}

    def manage(self, *words: str) -> str:
        """A verb of manage.py, with what it prints."""
        done = subprocess.run(
            programs.management(*words),
            env={**os.environ, **self.stack.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def migrate(self) -> None:
        """The tables, and a shifter with a token."""
        self.manage("migrate", "--verbosity", "0", "--skip-checks")
        self.system.token = self.manage("shell", "-v", "0", "-c", MAKE_SHIFTER).strip().splitlines()[-1]

    def page(self, path: str = "/") -> tuple[int, str]:
        """A page as the shifter sees it."""
        self._cookies = self._cookies or log_in(self.system, PASSWORD)
        answer = get(self.system, path, self._cookies)
        return answer.status, answer.read().decode()

    def take(self, action: str) -> tuple[int, Any]:
        """Something that is written down: be in charge, or not any more."""
        return self.system.api("POST", "/control", {"action": action})


@contextmanager
def ship(
    directory: Path, database_url: str, broker_url: str = "", service: str = "web", **settings: str
) -> Iterator[Ship]:
    """`web` runs (or `both`, with the event stream); everything else is started by the test."""
    place = Place(directory)
    place.make()
    environment = {
        "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
        "ATTPCDAQ_SECRET_KEY": "only for this test, and long enough",
        "ATTPCDAQ_DATABASE_URL": database_url,
        "ATTPCDAQ_BROKER_URL": broker_url or f"filesystem://{place.broker}",
        **settings,
    }
    with ExitStack() as ends:
        yield Ship(Stack(place, environment, ends), service)
