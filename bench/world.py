"""What is measured: a demo as `make demo` starts it, or the same processes against another number of boards."""

import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attpcdaq.demo import programs
from attpcdaq.demo.detector import LOOPBACK, write_known_hosts
from attpcdaq.demo.place import Place
from attpcdaq.demo.supervisor import AtEnd, Program, Supervisor
from bench.processes import command_line, family
from tests.e2e.system import System
from tests.services.processes import free_port

UP_WITHIN = 120.0
# The hardware takes no time: what is measured is ours.
SPEED = 10000.0


class World:
    """A place with processes in it."""

    def __init__(self, root: Path, supervisor: Supervisor, port: int) -> None:
        self.place, self.supervisor, self.port = Place(root), supervisor, port
        self.place.make()
        self.settings = programs.environment(self.place, port)

    def start(self, name: str, command: list[str]) -> int:
        """Start a process; its number."""
        program = Program(name, command, self.settings, self.place.log(name), AtEnd.FINE)
        self.supervisor.start(program)
        return self.supervisor.pid(name)

    def run(self, name: str, command: list[str]) -> None:
        program = Program(name, command, self.settings, self.place.log(name), AtEnd.FINE)
        self.supervisor.run(program, lambda: None)

    def system(self) -> System:
        """The product as a client sees it."""
        announced = json.loads(self.place.announce.read_text())
        return System(f"http://{LOOPBACK}:{self.port}", self.place.token.read_text().strip(), announced)


@contextmanager
def _world(root: Path) -> Iterator[World]:
    root.mkdir(exist_ok=True)
    supervisor = Supervisor(root)
    # Here Ctrl-C ends what is being measured, wherever it is.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    world = World(root, supervisor, free_port())
    try:
        yield world
    finally:
        supervisor.stop_all(last="simulator")


@contextmanager
def demo() -> Iterator[tuple[World, list[int]]]:
    """A demo that is up, and the processes of the product in it (all but the simulator)."""
    with tempfile.TemporaryDirectory(prefix="attpcdaq-bench-") as directory, _world(Path(directory)) as world:
        data = Place(Path(directory) / "data")
        command = [sys.executable, "-m", "attpcdaq.demo", "--port", str(world.port), "--data", str(data.root)]
        pid = world.start("demo", command)
        world.supervisor.wait_until(data.address.exists, UP_WITHIN, "the demo")
        world.place = data
        yield world, [one for one in family(pid) if "get_simulator" not in command_line(one)]


@contextmanager
def simulated(cobos: int, mutant: str = "none") -> Iterator[World]:
    """A simulator with so many boards, one ECC server each, whose hardware takes no time."""
    with tempfile.TemporaryDirectory(prefix="attpcdaq-bench-") as directory, _world(Path(directory)) as world:
        world.run("keys", [sys.executable, "-m", "bench.load_setup", "keys", directory])
        ports = [word for kind in ("ecc", "data", "ssh", "control") for word in (f"--{kind}-port", "0")]
        layout = ["--cobos", str(cobos), "--mutant", mutant, "--speed", str(SPEED), *ports]
        command = [sys.executable, "-m", "get_simulator", *layout, "--data", directory]
        keys = ["--authorized-keys", str(world.place.authorized_keys), "--announce", str(world.place.announce)]
        world.start("simulator", [*command, *keys])
        world.supervisor.wait_until(world.place.announce.exists, UP_WITHIN, "the simulator")
        write_known_hosts(world.place)
        world.settings |= programs.node_access(world.place)
        yield world


def set_up(world: World, *, routers: bool) -> None:
    """Database, user, token, and the simulator's ECC servers (and routers) as the setup."""
    what = "all" if routers else "ecc"
    world.run("load_setup", [sys.executable, "-m", "bench.load_setup", what, str(world.place.root)])


def serve(world: World) -> System:
    """Web, worker and monitor for what was set up; back when every ECC server has been seen."""
    world.start("web", programs.web(f"{LOOPBACK}:{world.port}"))
    world.start("celery", programs.celery())
    world.start("monitor", programs.monitor())
    system = world.system()
    world.supervisor.wait_until(lambda: _all_idle(system), UP_WITHIN, "the monitor to see every ECC server")
    return system


def _all_idle(system: System) -> bool:
    try:
        return set(system.states().values()) == {"idle"}
    except (OSError, ValueError):
        return False
