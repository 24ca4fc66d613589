"""A data router process in memory: one board's connection at a time, frames into the node's staging directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from attpcdaq.testing.memory_nodes import MemoryFile, MemoryNode
from get_simulator.description import RouterSpec
from get_simulator.faults import FaultBook, FaultKind
from get_simulator.frame_store import FrameStore

NO_ROLLOVER = 1 << 30


@dataclass(frozen=True, slots=True)
class Stored:
    """A frame that reached a disk: when, which one, and under which name."""

    at: float
    serial: int
    name: str


class Times(Protocol):
    """Simulated seconds, and what they are since the epoch."""

    def now(self) -> float: ...

    def epoch(self) -> float: ...


@dataclass
class StagingDisk:
    """The working directory of a router on its node, whose clock gives seconds since the epoch."""

    node: MemoryNode
    directory: str
    epoch: Callable[[], float]

    def append(self, name: str, data: bytes) -> int:
        inside = self.node.directories[self.directory]
        file = inside.setdefault(name, MemoryFile(b"", self.epoch()))
        file.data += data
        file.mtime = self.epoch()
        return len(file.data)


class Link:
    """A board's data connection; a broken one goes on taking frames (facts 4)."""

    def __init__(self, router: "Router", link_type: str) -> None:
        self.link_type = link_type
        self.busy = False
        self._router: Router | None = router

    def send(self, frames: Sequence[bytes]) -> bool:
        if self._router is None:
            return False
        for frame in frames:
            self._router.received(frame)
        return True

    def break_off(self) -> None:
        self._router = None

    def close(self) -> None:
        if self._router is not None:
            self._router.disconnected(self)
        self._router = None


class Router:
    """One router; a restarted one knows no board and no file."""

    def __init__(self, spec: RouterSpec, node: MemoryNode, faults: FaultBook, times: Times) -> None:
        self.spec, self.faults = spec, faults
        self.alive = False
        self.stored: list[Stored] = []
        self.node = node
        self._times = times
        self._link: Link | None = None
        self._store = self.new_store()

    @property
    def connected(self) -> bool:
        return self._link is not None

    def start(self) -> None:
        self.alive = True
        self._store = self.new_store()
        self.node.next_pid += 1
        self.node.routers[self.spec.port] = self.node.next_pid

    def kill(self) -> None:
        self.alive = False
        self.node.routers.pop(self.spec.port, None)
        if self._link is not None:
            self._link.break_off()
        self._link = None

    def connect(self) -> Link | str:
        """A connection, or the board's words for why there is none (facts 1.4)."""
        if not self.alive or self._link is not None:
            where = f"{self.spec.address}:{self.spec.port}"
            return f"TCP connection to {where} failed: Connection refused (errno=111)."
        self._link = self.new_link()
        return self._link

    def disconnected(self, link: Link) -> None:
        if self._link is link:
            self._link = None

    def received(self, frame: bytes) -> None:
        name = self.spec.name
        if self.faults.find((name,), FaultKind.SILENT):
            return
        if self.faults.find((name, self.spec.node), FaultKind.DISK_FULL):
            return
        before = dict(self._store.written)
        self._store.store(frame, self.local_time())
        grown = [file for file, count in self._store.written.items() if count != before.get(file, 0)]
        self.stored += [Stored(self._times.now(), serial_of(frame), file) for file in grown]

    def epoch(self) -> float:
        """Seconds since the epoch by the node's clock, which may be wrong."""
        return self._times.epoch() + self.node.clock.offset

    def local_time(self) -> float:
        """What the node's clock on the wall shows, as if it were UTC."""
        return self.epoch() + 60 * self.node.clock.utc_offset

    def new_store(self) -> FrameStore:
        """What a router process begins with."""
        return FrameStore(StagingDisk(self.node, self.spec.staging, self.epoch), NO_ROLLOVER)

    def new_link(self) -> Link:
        """A connection that was taken."""
        return Link(self, self.spec.link_type)


SERIAL_AT = 32
"""Where a frame carries its own number: bytes that dataRouter does not look at (facts 5)."""


def serial_of(frame: bytes, offset: int = 0) -> int:
    return int.from_bytes(frame[offset + SERIAL_AT : offset + SERIAL_AT + 8], "big")
