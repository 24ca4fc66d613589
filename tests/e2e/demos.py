"""Demos as a user starts them: a command, its output, and what it leaves."""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.e2e.system import System
from tests.services.processes import LOOPBACK, Process, free_port, stopped_at_the_end

UP_WITHIN = 90.0


class Demo:
    """One that was started, up or not yet."""

    def __init__(self, data: Path, port: int, process: Process) -> None:
        self.data, self.port, self.process = data, port, process

    @property
    def output(self) -> str:
        return self.process.log.read_text()

    def is_up(self) -> bool:
        return "Press Ctrl-C" in self.output

    def system(self) -> System:
        announced = json.loads((self.data / "simulator.json").read_text())
        token = (self.data / "token").read_text().strip()
        return System(f"http://{LOOPBACK}:{self.port}", token, announced)

    def password_of(self, user: str) -> str:
        """Of one of the demo's accounts: shifter, expert, admin."""
        return (self.data / ("password" if user == "shifter" else f"password-{user}")).read_text().strip()

    def family(self) -> list[psutil.Process]:
        """Its process and all that it started."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


def start(data: Path, port: int, log_directory: Path) -> Process:
    """The command of `make demo`, with a log of its own."""
    command = [sys.executable, "-m", "attpcdaq.demo", "--port", str(port), "--data", data]
    passed_on = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    directory = Path(tempfile.mkdtemp(dir=log_directory))
    return Process(command, directory, environment=passed_on, stop_signal=signal.SIGINT)


@contextmanager
def running_demo(data: Path, log_directory: Path, port: int | None = None) -> Iterator[Demo]:
    """A demo that is up; ended by Ctrl-C's signal."""
    port = port or free_port()
    process = start(data, port, log_directory)
    with stopped_at_the_end(process):
        demo = Demo(data, port, process)
        process.wait_until(demo.is_up, UP_WITHIN)
        yield demo
