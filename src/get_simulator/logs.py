"""What the simulated programs print, in files on their nodes that grow (facts 4 and 6)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from get_protocol.state_machine import State
from get_simulator.clock import Clock
from get_simulator.faults import FaultBook, FaultKind
from get_simulator.frame_store import DirectoryDisk
from get_simulator.journal import Entry

FOLDER = "/logs"
ROLL_BYTES = 16 << 20
"""A file that has grown beyond this is renamed to `.1`, as newsyslog does it; a node's disk is somebody's laptop."""
FLUSH_S = 0.1
QUIET_DEATHS = frozenset({"fault", "restart", "end of the simulation"})
"""Who is killed says nothing any more."""


def log_path(name: str) -> str:
    """Where a program's output goes, as seen on its node."""
    return f"{FOLDER}/{name}.log"


class ProcessLog:
    """The output of one program; what is said waits until `flush`, which never fails."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], float],
        ahead: Callable[[], float],
        is_full: Callable[[], bool],
        most: int = ROLL_BYTES,
    ) -> None:
        self._path, self._now, self._ahead, self._is_full, self._most = path, now, ahead, is_full, most
        self._disk = DirectoryDisk(path.parent, ahead)
        self._waiting: list[str] = []

    def say(self, text: str) -> None:
        """A line; a text that ends with a carriage return is written over by the next."""
        self._waiting.append(text if text.endswith("\r") else f"{text}\n")

    def stamped(self, level: str, text: str) -> None:
        """A line as log4cpp writes it: `(HH:MM:SS - DD/MM/YYYY) LEVEL - text`, in the node's time (facts 6)."""
        when = datetime.fromtimestamp(self._now() + self._ahead())  # noqa: DTZ006  local time, as the ECC server
        self.say(f"({when:%H:%M:%S - %d/%m/%Y}) {level} - {text}")

    def flush(self) -> None:
        """Append what was said; a full disk swallows it."""
        if not self._waiting:
            return
        data, self._waiting = "".join(self._waiting).encode(), []
        if self._is_full():
            return
        with suppress(OSError):
            if self._disk.append(self._path.name, data) > self._most:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))


class Logs:
    """The logs of all programs by name."""

    def __init__(self, root: Callable[[str], Path], clock: Clock, faults: FaultBook) -> None:
        self._root, self._clock, self._faults = root, clock, faults
        self._logs: dict[str, ProcessLog] = {}
        self._flush_at = 0.0

    def add(self, name: str, node: str) -> ProcessLog:
        """The log of a program that runs on `node`."""

        def is_full() -> bool:
            return self._faults.find((node,), FaultKind.DISK_FULL) is not None

        path = self._root(node) / log_path(name).lstrip("/")
        self._logs[name] = ProcessLog(path, self._clock.now, partial(self._faults.clock_ahead, node), is_full)
        return self._logs[name]

    def flush(self, *, at_once: bool = False) -> None:
        """Write what waits, every so often."""
        now = self._clock.now()
        if at_once or now >= self._flush_at:
            self._flush_at = now + FLUSH_S
            for log in self._logs.values():
                log.flush()

    def tell(self, entry: Entry, servers: Sequence[str]) -> None:
        """Write what these ECC servers say about something that happened."""
        for name in servers:
            for level, text in ecc_words(entry):
                self._logs[name].stamped(level, text)


def ecc_words(entry: Entry) -> list[tuple[str, str]]:
    """Level and text of what an ECC server prints about an entry of the journal; nothing about most."""
    told = entry.details
    if entry.kind == "call":
        return [("DEBUG", f"{told['operation']} requested")]
    if entry.kind == "transition":
        return [*(("WARN", text) for text in told.get("warnings", ())), _transition(entry)]
    if entry.kind == "board" and told["did"] != "died":
        return [("DEBUG", f"{entry.subject}: {told['did']} at event {told['event']}")]
    if entry.kind == "fault" and _is_wedged(told.get("set", {})):
        return [("ERROR", "The state machine is OFF: only a new process helps")]
    if entry.kind == "process":
        return _process(entry)
    return []


def _is_wedged(fault: Mapping[str, Any]) -> bool:
    return fault.get("fault") == FaultKind.WEDGE and fault.get("operation") is None


def _transition(entry: Entry) -> tuple[str, str]:
    told = entry.details
    if told["error_code"]:
        return "ERROR", f"{told['operation']} failed (code {told['error_code']}): {told['message']}"
    before, after = State(told["source"]).name, State(told["target"]).name
    return "INFO", f"{told['operation']}: {before} -> {after} in {told['seconds']:.3f} s"


def _process(entry: Entry) -> list[tuple[str, str]]:
    if entry.details["did"] == "started":
        return [("INFO", "getEccSoapServer started; state IDLE")]
    why = str(entry.details["why"])
    return [] if why in QUIET_DEATHS or why.startswith("systemctl") else [("FATAL", f"{why}: the process ends")]
