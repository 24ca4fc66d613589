"""The monitor as a process of its own before a simulated detector, and eyes on its database."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from tests.services.processes import Process, stopped_at_the_end

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = """\
[detector]
cobos = {cobos}
mutant = "none"
ecc_port = 0
data_port = 0
ssh_port = 0
control_port = 0
[timing]
speed = 20.0
[ssh]
user = "attpc"
authorized_keys = "{keys}"
"""
MAKE_ROWS = """
import json, sys, django
django.setup()
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology.models import DataRouter, ECCServer, Node
announced = json.load(open(sys.argv[1]))
build_detector(cobos=len(announced["ecc_servers"]), mutant=False)
for one in announced["ecc_servers"]:
    ECCServer.objects.filter(name=one["name"]).update(port=one["port"])
for one in announced["data_routers"]:
    DataRouter.objects.filter(name=one["name"]).update(port=one["port"])
for one in announced["nodes"]:
    Node.objects.filter(name=one["name"]).update(ssh_port=one["ssh_port"])
"""


@dataclass
class Site:
    """A directory with a database, keys and a simulated detector; `environment` is the monitor's."""

    directory: Path
    environment: dict[str, str]
    announced: dict[str, Any] = field(default_factory=dict)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the SQLite database."""
        with closing(sqlite3.connect(self.directory / "db.sqlite3", timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def python(self, *arguments: str) -> None:
        """Run Python to the end with the monitor's settings; AssertionError with its output when it fails."""
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def monitor(self, name: str = "monitor", **more: str) -> Iterator[Process]:
        """A monitor with a directory of its own; `more` is added to its environment."""
        with self._running(name, [sys.executable, ROOT / "manage.py", "monitor"], more) as process:
            yield process

    @contextmanager
    def script(self, text: str, *arguments: str, **more: str) -> Iterator[Process]:
        """Python beside the monitor, with its settings."""
        with self._running("script", [sys.executable, "-c", text, *arguments], more) as process:
            yield process

    @contextmanager
    def _running(self, name: str, command: Sequence[str | Path], more: Mapping[str, str]) -> Iterator[Process]:
        (self.directory / name).mkdir(exist_ok=True)
        process = Process(command, self.directory / name, environment={**self.environment, **more})
        with stopped_at_the_end(process):
            yield process


@contextmanager
def site(directory: Path, *, cobos: int = 2, database_url: str | None = None) -> Iterator[Site]:
    """A running simulator, a migrated database and the rows that fit the simulator."""
    url = database_url or f"sqlite:///{directory}/db.sqlite3"
    environment = {
        "ATTPCDAQ_SECRET_KEY": "only for tests, " * 4,
        "ATTPCDAQ_DATABASE_URL": url,
        "ATTPCDAQ_BROKER_URL": f"filesystem://{directory}/broker",
        "ATTPCDAQ_SSH_KEY": str(directory / "key"),
        "ATTPCDAQ_SSH_KNOWN_HOSTS": str(directory / "known_hosts"),
        "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
        "TMPDIR": str(directory),
    }
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(directory / "key"))
    key.write_public_key(str(directory / "authorized_keys"))
    (directory / "known_hosts").touch()
    made = Site(directory, environment)
    with ExitStack() as stack:
        made.announced = stack.enter_context(_simulator(directory, cobos))
        known = [f"[127.0.0.1]:{one['ssh_port']} {made.announced['host_key']}\n" for one in made.announced["nodes"]]
        (directory / "known_hosts").write_text("".join(known))
        made.python("manage.py", "migrate", "-v0")
        made.python("-c", MAKE_ROWS, str(directory / "announce.json"))
        yield made


@contextmanager
def _simulator(directory: Path, cobos: int) -> Iterator[Mapping[str, Any]]:
    description, announce, place = (directory / name for name in ("detector.toml", "announce.json", "simulator"))
    description.write_text(DESCRIPTION.format(cobos=cobos, keys=directory / "authorized_keys"))
    place.mkdir()
    command = [sys.executable, "-m", "get_simulator", description, "--data", place, "--announce", announce]
    process = Process(command, place)
    with stopped_at_the_end(process):
        process.wait_until(announce.exists, 20)
        yield json.loads(announce.read_text())


def until(condition: Callable[[], object], seconds: float = 20.0) -> float:
    """Wait until `condition()` is true, and how long that took; AssertionError after `seconds`."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come true in time"
        time.sleep(0.02)
    return time.monotonic() - began


def end(process: Process, number: signal.Signals) -> float:
    """Send a signal and wait for the end; how long it took."""
    os.kill(process.pid, number)
    return until(lambda: process.exit_status() is not None, 10)
