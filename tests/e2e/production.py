"""The processes as they run in production: PostgreSQL, RabbitMQ, nginx, two Gunicorns, two workers, a monitor."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from attpcdaq.demo import detector, prepare, programs
from attpcdaq.demo.place import Place
from tests.docs.building import build_served
from tests.e2e.system import System
from tests.services.nginx import framed, running_nginx
from tests.services.processes import LOOPBACK, Process, free_port, listens, stopped_at_the_end

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
TEMPLATE = DEPLOY / "nginx.conf.template"
FAST = 20


@dataclass(frozen=True)
class Production:
    """The running system, its processes by name, addresses of those that listen, and the password of its shifter."""

    system: System
    processes: dict[str, Process]
    addresses: dict[str, str]
    password: str


class Stack:
    """Starts the processes one by one, each with a log of its own, and ends them in the opposite order."""

    def __init__(self, place: Place, environment: dict[str, str], ends: ExitStack) -> None:
        self.place, self.environment, self._ends = place, environment, ends
        self.processes: dict[str, Process] = {}
        self.addresses: dict[str, str] = {}

    def start(self, name: str, command: list[str]) -> Process:
        directory = self.place.root / name
        directory.mkdir()
        process = Process(command, directory, environment={**os.environ, **self.environment})
        self._ends.enter_context(stopped_at_the_end(process))
        self.processes[name] = process
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

    def serve(self, service: str) -> str:
        """A Gunicorn that answers; its address."""
        address = f"{LOOPBACK}:{free_port()}"
        process = self.start(service, programs.web(address, service=service))
        self.addresses[service] = address
        process.wait_until(lambda: listens(int(address.rsplit(":", 1)[1])), 30)
        return address


def keep(announced: dict[str, Any]) -> dict[str, Any]:
    """The product finds the hardware where the simulator says that it is."""
    return announced


@contextmanager
def running_production(
    directory: Path,
    database_url: str,
    broker_url: str,
    on_the_way: Callable[[dict[str, Any]], dict[str, Any]] = keep,
) -> Iterator[Production]:
    """The whole system behind nginx, set up and configured; `on_the_way` may lead the hardware's addresses astray."""
    place = Place(directory)
    place.make()
    static, help_pages = directory / "static", directory / "help"
    environment = {
        "DJANGO_SETTINGS_MODULE": "attpcdaq.config.settings",
        "ATTPCDAQ_SECRET_KEY": "only for this test, and long enough",
        "ATTPCDAQ_DATABASE_URL": database_url,
        "ATTPCDAQ_BROKER_URL": broker_url,
        "ATTPCDAQ_STATIC_ROOT": str(static),
        "ATTPCDAQ_LOG_FORMAT": "json",
    }
    with ExitStack() as ends:
        stack = Stack(place, environment, ends)
        stack.simulate()
        announced = detector.announced(place)
        place.announce.write_text(json.dumps(on_the_way(announced)))
        detector.write_known_hosts(place)
        stack.environment |= programs.node_access(place)
        stack.run([sys.executable, "-m", "attpcdaq.demo.prepare", str(place.root)])
        stack.run(programs.management("collectstatic", "--no-input"))
        shutil.copytree(build_served(), help_pages)
        stack.start("celery", programs.celery("control"))
        stack.start("celery-files", programs.celery("files", threads=2))
        stack.start("monitor", programs.monitor())
        addresses = {"ATTPCDAQ_WEB": stack.serve("web"), "ATTPCDAQ_EVENTS": stack.serve("events")}
        filled = {**addresses, "ATTPCDAQ_LISTEN": f"{LOOPBACK}:@PORT@", "ATTPCDAQ_STATIC": str(static)}
        filled |= {"ATTPCDAQ_NGINX": str(DEPLOY / "nginx"), "ATTPCDAQ_HELP": str(help_pages)}
        # nginx, which gives up root's rights, passes through to the static files
        for folder in (directory, *directory.parents[:3]):
            folder.chmod(folder.stat().st_mode | 0o011)
        server = ends.enter_context(running_nginx(framed(Template(TEMPLATE.read_text()).safe_substitute(filled))))
        system = System(server.url, place.token.read_text().strip(), announced)
        yield Production(system, stack.processes, stack.addresses, place.password.read_text().strip())
