"""One demo from the first check to the last process ended."""

import http.client
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from attpcdaq.demo import detector, programs
from attpcdaq.demo.detector import LOOPBACK
from attpcdaq.demo.place import DemoError, Place
from attpcdaq.demo.prepare import OTHERS, USER
from attpcdaq.demo.supervisor import AtEnd, Program, Supervisor, say

READY_WITHIN = 60.0
LOOK_EVERY = 0.2
SIMULATOR = "simulator"


def run(place: Place, port: int) -> None:
    """Bring everything up, say so, and watch over it until somebody asks us to stop. DemoError."""
    place.announce.unlink(missing_ok=True)
    settings = programs.environment(place, port)
    supervisor = Supervisor(place.root)
    try:
        _prepare(place, supervisor, settings)
        if not supervisor.asked_to_stop:
            _start_product(place, port, supervisor, settings | programs.node_access(place))
        if not supervisor.asked_to_stop:
            place.address.write_text(f"http://{LOOPBACK}:{port}/\n", encoding="ascii")
            say(welcome(place, port))
        supervisor.watch()
    finally:
        say("\nEnding ...")
        place.address.unlink(missing_ok=True)
        supervisor.stop_all(last=SIMULATOR)
    say(f"The demo has ended. Its data are in {place.root}.")


def _prepare(place: Place, supervisor: Supervisor, settings: dict[str, str]) -> None:
    """Keys, database and simulator; then the setup made from where the simulator listens."""
    say("Preparing the database and the simulated detector ...")
    detector.describe(place)
    command = [sys.executable, "-m", "attpcdaq.demo.prepare", str(place.root)]
    simulator = Program(SIMULATOR, programs.simulator(place), settings, place.log(SIMULATOR), AtEnd.FATAL)
    start_once = _once(partial(supervisor.start, simulator))

    def simulate() -> None:
        if place.authorized_keys.exists():
            start_once()

    supervisor.run(Program("prepare", command, settings, place.log("prepare"), AtEnd.FINE), simulate)
    if not supervisor.asked_to_stop:
        detector.write_known_hosts(place)


def _start_product(place: Place, port: int, supervisor: Supervisor, settings: dict[str, str]) -> None:
    """Web, worker and monitor; back when pages are served and every ECC server has been read."""
    say("Starting web server, worker and monitor ...")
    commands = {
        "web": programs.web(f"{LOOPBACK}:{port}"),
        "celery": programs.celery(),
        "monitor": programs.monitor(),
    }
    for name, command in commands.items():
        supervisor.start(Program(name, command, settings, place.log(name)))
    token = place.token.read_text(encoding="ascii").strip()
    ready = _now_and_then(lambda: answers(port, token))
    supervisor.wait_until(ready, READY_WITHIN, "the pages to answer and the monitor to read every ECC server")


def answers(port: int, token: str) -> bool:
    """Whether pages are served and the monitor has seen every part of the detector."""
    with suppress(OSError, http.client.HTTPException, ValueError, KeyError):
        status = json.loads(_get(port, "/api/v1/status", token))
        seen = all(server["state"] != "unknown" for server in status["ecc_servers"])
        routers = all(router["online"] is not None for router in status["data_routers"])
        return bool(seen and routers and status["monitor_alive"] and _get(port, "/login/", token))
    return False


def _get(port: int, path: str, token: str) -> bytes:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(f"{path} answered {answer.status}")
        return answer.read()
    finally:
        connection.close()


def _now_and_then(look: Callable[[], bool]) -> Callable[[], bool]:
    """`look`, at most every LOOK_EVERY seconds."""
    earliest = 0.0

    def looked() -> bool:
        nonlocal earliest
        if time.monotonic() < earliest:
            return False
        earliest = time.monotonic() + LOOK_EVERY
        return look()

    return looked


def _once(work: Callable[[], None]) -> Callable[[], None]:
    todo = [work]
    return lambda: todo.pop()() if todo else None


def welcome(place: Place, port: int) -> str:
    """What the terminal shows when all is up."""
    password = place.password.read_text(encoding="ascii").strip()
    others = ", ".join(f"{name} (password in {place.password_of(name).name})" for name in OTHERS)
    faults = f"http://{LOOPBACK}:{detector.announced(place)['control']}/faults"
    return f"""
  The AT-TPC DAQ is running, with a simulated detector: 10 CoBos and a MuTAnT.

    Open in a browser  http://{LOOPBACK}:{port}/
    Log in as          {USER}
    Password           {password}
    Other accounts     {others}
    API token          in {place.token}
    Command line       ATTPCDAQ_URL=http://{LOOPBACK}:{port} ATTPCDAQ_TOKEN=$(cat {place.token}) {command()} status
    Break something    curl {faults} -d '{{"target": "ecc-cobo3", "fault": "die"}}'
    Data               in {place.root} (data files in nodes/*/staging)

  Press Go to Ready, then Start run.
  If something is wrong, look into {place.logs}.
  Press Ctrl-C here to end it; the same command goes on from there.
"""


def command() -> str:
    """The `attpcdaq` of the Python that runs this."""
    beside = Path(sys.executable).parent / "attpcdaq"
    try:
        return str(beside.relative_to(Path.cwd()))
    except ValueError:
        return str(beside)


def check_port(port: int) -> None:
    """DemoError when the pages cannot be served there."""
    if not detector.is_free(port):
        raise DemoError(f"port {port} on {LOOPBACK} is taken (or not allowed to you): give another with PORT=")
