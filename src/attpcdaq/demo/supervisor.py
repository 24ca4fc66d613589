"""Starting processes, noticing when one dies, and ending all of them, whatever happens to us."""

import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO, TextIO

from attpcdaq.demo.place import DemoError

# Longer than a worker needs for its goodbyes, shorter than anybody waits after Ctrl-C.
PATIENCE = 4.0
DEATHS_ALLOWED, WITHIN = 3, 60.0
LAST_LINES = 15
BIG_LOG = 5_000_000
WATCHDOG = Path(__file__).with_name("watchdog.py")


class AtEnd(Enum):
    """What the end of a process means."""

    FINE = "fine"
    RESTART = "restart"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and what it means when it ends by itself."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    at_end: AtEnd = AtEnd.RESTART

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(f"    {line}" for line in _tail(self.log))


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    deaths: deque[float] = field(default_factory=deque)


class Supervisor:
    """Children in process groups of their own, so that Ctrl-C reaches us alone and we end them in order."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._children: dict[str, _Child] = {}
        self._wake_up = _wake_up_at_signals()
        self.asked_to_stop = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_asked)
        self._watchdog = self._start_watchdog()

    def start(self, program: Program) -> None:
        """Start it and watch over it from now on."""
        if program.log.exists() and program.log.stat().st_size > BIG_LOG:
            program.log.replace(program.log.with_suffix(".old.log"))
        self._children[program.name] = _Child(program, self._popen(program))

    def pid(self, name: str) -> int:
        """Number of the process that was started last under this name."""
        return self._children[name].process.pid

    def run(self, program: Program, still: Callable[[], None]) -> None:
        """Start it and wait for its end, calling `still` now and then. DemoError when it fails."""
        self.start(program)
        self.wait_until(lambda: self._has_ended(program.name), 120, f"{program.name} to end", still)
        if not self._has_ended(program.name):
            return  # somebody asked us to stop
        child = self._children.pop(program.name)
        self._tell_watchdog("-", child.process.pid)
        if child.process.returncode:
            raise DemoError(f"{program.name} failed; the end of {program.log}:\n{program.last_words()}")

    def wait_until(
        self, ready: Callable[[], bool], seconds: float, what: str, still: Callable[[], None] = lambda: None
    ) -> None:
        """Watch over the children until `ready`; DemoError after `seconds`, or when one cannot be kept alive."""
        deadline = time.monotonic() + seconds
        while not self.asked_to_stop and not ready():
            if time.monotonic() > deadline:
                raise DemoError(f"waited {seconds:g} s for {what}; look into {self._directory / 'logs'}")
            self._look_after(0.05)
            still()

    def watch(self) -> None:
        """Watch over the children until somebody asks us to stop. DemoError when one cannot be kept alive."""
        while not self.asked_to_stop:
            self._look_after(10.0)

    def stop(self, *names: str) -> None:
        """End these, all at once: politely, then not."""
        children = [child for name in names if (child := self._children.pop(name, None))]
        for child in children:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(deadline - time.monotonic(), 0.01))
            # What is left of its group, too: a worker whose master is gone.
            _signal(child, signal.SIGKILL)
            child.process.wait()
            self._tell_watchdog("-", child.process.pid)

    def stop_all(self, last: str) -> None:
        """End everything, `last` after the others."""
        self.stop(*(name for name in self._children if name != last))
        self.stop(last)
        self._watchdog.close()

    def _has_ended(self, name: str) -> bool:
        return self._children[name].process.poll() is not None

    def _look_after(self, seconds: float) -> None:
        """Sleep until a signal comes, a child's death among them, and see to those who died."""
        ready, _, _ = select.select([self._wake_up], [], [], seconds)
        if ready:
            with suppress(BlockingIOError):
                os.read(self._wake_up, 4096)
        if self.asked_to_stop:
            return
        for child in [child for child in self._children.values() if child.process.poll() is not None]:
            program = child.program
            if program.at_end is AtEnd.FATAL:
                raise DemoError(f"{program.name} ended; the end of {program.log}:\n{program.last_words()}")
            if program.at_end is AtEnd.RESTART:
                self._restart(child)

    def _restart(self, child: _Child) -> None:
        program, now = child.program, time.monotonic()
        _signal(child, signal.SIGKILL)
        self._tell_watchdog("-", child.process.pid)
        # What was killed from outside could have lived on: however often, it is started again.
        if child.process.returncode != -signal.SIGKILL:
            child.deaths.append(now)
        while child.deaths and child.deaths[0] < now - WITHIN:
            child.deaths.popleft()
        how = f"{program.name} ended unexpectedly (status {child.process.returncode})"
        if len(child.deaths) > DEATHS_ALLOWED:
            raise DemoError(f"{how} again and again; the end of {program.log}:\n{program.last_words()}")
        say(f"{how} and is started again; its log is {program.log}", sys.stderr)
        child.process = self._popen(program)

    def _popen(self, program: Program) -> subprocess.Popen[bytes]:
        with program.log.open("ab") as log:
            process = subprocess.Popen(
                program.command,
                cwd=self._directory,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._tell_watchdog("+", process.pid)
        return process

    def _start_watchdog(self) -> IO[bytes]:
        """It ends our children when we can no more: its input closes when we are gone."""
        command = [sys.executable, "-I", "-S", str(WATCHDOG)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", start_new_session=True)
        assert process.stdin is not None
        return process.stdin

    def _tell_watchdog(self, verb: str, group: int) -> None:
        with suppress(BrokenPipeError):
            self._watchdog.write(f"{verb}{group}\n".encode())
            self._watchdog.flush()

    def _stop_asked(self, number: int, frame: object) -> None:
        self.asked_to_stop = True


def say(text: str, stream: TextIO | None = None) -> None:
    """A line for the terminal, if it is still there."""
    with suppress(OSError, ValueError):
        print(text, file=stream or sys.stdout, flush=True)


def _wake_up_at_signals() -> int:
    """A descriptor that becomes readable at every signal."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    # A handler must be there for the signal to be noticed at all.
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return readable


def _signal(child: _Child, number: signal.Signals) -> None:
    """To the whole group; its leader may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL:
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)


def _tail(path: Path) -> list[str]:
    if not path.exists():
        return ["(it said nothing)"]
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 8192))
        return log.read().decode(errors="replace").splitlines()[-LAST_LINES:]
