"""The processes as they run in production: PostgreSQL, RabbitMQ, nginx, two Gunicorns, two workers, a monitor."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template

from attpcdaq.demo import detector, prepare, programs
from attpcdaq.demo.place import Place
from tests.e2e.system import System
from tests.services.nginx import framed, running_nginx
from tests.services.processes import LOOPBACK, Process, free_port, listens, stopped_at_the_end

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf.template"
FAST = 20


class Stack:
    """Starts the processes one by one, each with a log of its own, and ends them in the opposite order."""

    def __init__(self, place: Place, environment: dict[str, str], ends: ExitStack) -> None:
        self.place, self.environment, self._ends = place, environment, ends

    def start(self, name: str, command: list[str]) -> Process:
        directory = self.place.root / name
        directory.mkdir()
        process = Process(command, directory, environment={**os.environ, **self.environment})
        self._ends.enter_context(stopped_at_the_end(process))
        return process

    def run(self, command: list[str]) -> None:
        """A command that ends by itself."""
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def simulate(self) -> None:
        """The detector, with keys and setup that the product will use."""
        prepare.make_keys(self.place)
        detector.describe(self.place)
        simulator = self.start("simulator", [*programs.simulator(self.place), "--speed", str(FAST)])
        simulator.wait_until(self.place.announce.exists, 30)
        detector.write_known_hosts(self.place)
        self.environment |= programs.node_access(self.place)

    def serve(self, service: str) -> str:
        """A Gunicorn that answers; its address."""
        address = f"{LOOPBACK}:{free_port()}"
        process = self.start(service, programs.web(address, service=service))
        process.wait_until(lambda: listens(int(address.rsplit(":", 1)[1])), 30)
        return address


@contextmanager
def running_production(directory: Path, database_url: str, broker_url: str) -> Iterator[System]:
    """The whole system behind nginx, with its setup loaded and its configurations chosen."""
    place = Place(directory)
    place.make()
    static = directory / "static"
    environment = {
        "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
        "ATTPCDAQ_SECRET_KEY": "only for this test, and long enough",
        "ATTPCDAQ_DATABASE_URL": database_url,
        "ATTPCDAQ_BROKER_URL": broker_url,
        "ATTPCDAQ_STATIC_ROOT": str(static),
    }
    with ExitStack() as ends:
        stack = Stack(place, environment, ends)
        stack.simulate()
        stack.run([sys.executable, "-m", "attpcdaq.demo.prepare", str(place.root)])
        stack.run(programs.management("collectstatic", "--no-input"))
        stack.start("celery", programs.celery("control"))
        stack.start("celery-files", programs.celery("files", threads=2))
        stack.start("monitor", programs.monitor())
        addresses = {"ATTPCDAQ_WEB": stack.serve("web"), "ATTPCDAQ_EVENTS": stack.serve("events")}
        filled = {**addresses, "ATTPCDAQ_LISTEN": f"{LOOPBACK}:@PORT@", "ATTPCDAQ_STATIC": str(static)}
        # nginx, which gives up root's rights, passes through to the static files
        for folder in (directory, *directory.parents[:3]):
            folder.chmod(folder.stat().st_mode | 0o011)
        server = ends.enter_context(running_nginx(framed(Template(TEMPLATE.read_text()).safe_substitute(filled))))
        yield System(server.url, place.token.read_text().strip(), json.loads(place.announce.read_text()))
