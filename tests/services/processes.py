"""Programs that the tests start for themselves: loopback only, their own directory, stopped by their process id."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"
# Below the kernel's range for outgoing connections, which could take a port between our choice and the program's bind.
PORTS = range(20000, 32000)
STOP_SECONDS = 15


class ServiceError(Exception):
    """A program could not be found, started or stopped; the text ends with the last lines of its log."""


def free_port() -> int:
    """A loopback TCP port that nobody listens on now."""
    for port in random.SystemRandom().sample(PORTS, 200):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise ServiceError(f"no free port among {PORTS}")


def find_program(pattern: str, package: str) -> Path:
    """The newest file that matches the absolute glob `pattern`: where its package puts it, not what PATH says."""
    found = sorted(Path("/").glob(pattern.removeprefix("/")))
    if not found:
        raise ServiceError(f"{pattern} is missing: install the package {package} with deploy/test-services")
    return found[-1]


@contextmanager
def own_directory(name: str, owner: str | None = None) -> Iterator[Path]:
    """A short directory directly under the system's temporary one, because Unix sockets allow 107 bytes of path."""
    path = Path(tempfile.mkdtemp(prefix=f"attpcdaq-{name}-"))
    try:
        if owner:
            shutil.chown(path, owner, owner)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def as_user(owner: str | None) -> list[str]:
    """The words that let a command run as `owner`; none for ourselves."""
    return ["setpriv", f"--reuid={owner}", f"--regid={owner}", "--init-groups"] if owner else []


class Process:
    """One running program, in a process group of its own; the kernel ends it when we die without stopping it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        directory: Path,
        *,
        owner: str | None = None,
        environment: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = Path(command[0]).name
        self.log = directory / f"{self.name}.log"
        self._stop_signal = stop_signal
        guard = [*(as_user(owner) or ["setpriv"]), "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--"]
        self._command = [*guard, *command]
        self._environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **(environment or {})}
        self.start()

    def start(self) -> None:
        """Run it (again), from a thread that lasts: the kernel ends it with the thread that started it."""
        with self.log.open("ab") as log:
            self._begins_at = log.tell()
            self._process = subprocess.Popen(
                self._command,
                cwd=self.log.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return when `ready()`; ServiceError when the program ended or `seconds` went by."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None:
                raise ServiceError(f"{self.name} ended with {self._process.returncode}:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise ServiceError(f"{self.name} was not ready within {seconds} s:\n{self.last_words()}")
            time.sleep(0.02)

    def says(self, words: str) -> bool:
        """Whether it has written this since it was started last."""
        return words.encode() in self.log.read_bytes()[self._begins_at :]

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def family(self) -> list[psutil.Process]:
        """Its process and all that it started, whatever group they went to; nobody when it has ended."""
        try:
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """End all of it at once and without a word, as when a container is killed."""
        family = self.family()
        _signal(family, signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(family, STOP_SECONDS)

    def freeze(self) -> None:
        """Let it stand still: its sockets stay, and nobody answers."""
        _signal(self.family(), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        _signal(self.family(), signal.SIGCONT)

    def stop(self) -> None:
        """Ask, wait, then end whatever is left of the group."""
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServiceError(f"{self.name} ignored {self._stop_signal.name}:\n{self.last_words()}") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _signal(family: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


@contextmanager
def stopped_at_the_end(process: Process) -> Iterator[Process]:
    try:
        yield process
    finally:
        process.stop()


def listens(port: int, greeting: bytes = b"", answer: bytes = b"") -> bool:
    """Does something on the loopback `port` accept, and answer `greeting` with bytes that begin with `answer`?"""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(greeting)
            return not answer or connection.recv(len(answer)) == answer
    except OSError:
        return False
