"""A data router whose connection may hold frames back, as TCP does, and a disk that remembers every byte it took."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from errno import ENOSPC

from attpcdaq.testing.memory_node import MemoryFile, MemoryNode
from get_simulator.description import RouterSpec
from get_simulator.faults import FaultBook, FaultKind
from get_simulator.frame_store import FrameStore
from tests.chaos.router import NO_ROLLOVER, Link, Router, Times


@dataclass
class Written:
    """One file as it was written, from when its name was created until it was moved away; nothing is ever taken out."""

    node: str
    staging: str
    name: str
    at: float
    chunks: list[bytes] = field(default_factory=list)
    file: MemoryFile | None = None

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)


@dataclass
class RecordingDisk:
    """A staging directory; `written` grows with every file that is created in it."""

    node: MemoryNode
    node_name: str
    directory: str
    epoch: Callable[[], float]
    now: Callable[[], float]
    written: list[Written]
    full: Callable[[], bool]
    torn: bool = False
    """The next append breaks off in the middle."""

    def append(self, name: str, data: bytes) -> int:
        if self.full():
            raise OSError(ENOSPC, "No space left on device")
        inside = self.node.directories[self.directory]
        if name not in inside:
            inside[name] = MemoryFile(b"", self.epoch())
            self.written.append(Written(self.node_name, self.directory, name, self.now(), [], inside[name]))
        taken = data[: len(data) // 2] if self.torn else data
        file = inside[name]
        self._record_of(file).chunks.append(taken)
        file.data += taken
        file.mtime = self.epoch()
        return len(file.data)

    def _record_of(self, file: MemoryFile) -> Written:
        return next(one for one in reversed(self.written) if one.file is file)


class HeldLink(Link):
    """A connection in which frames may wait; they come out in the order in which they were sent."""

    def __init__(self, router: "LateRouter", link_type: str) -> None:
        super().__init__(router, link_type)
        self.router = router
        self.waiting: deque[bytes] = deque()

    def send(self, frames: Sequence[bytes]) -> bool:
        if self._router is None:
            return False
        if not self.router.holding and not self.waiting:
            return super().send(frames)
        self.waiting += frames
        return True

    def let_out(self, most: int) -> int:
        """Give the router so many of the frames that wait; how many that were."""
        count = min(most, len(self.waiting)) if self._router is not None else 0
        for _ in range(count):
            self.router.received(self.waiting.popleft())
        self.router.late += count
        return count

    def close(self) -> None:
        """The board lets go; what was sent before arrives all the same."""
        self.let_out(len(self.waiting))
        super().close()


class LateRouter(Router):
    """A router with what can happen to it in this campaign."""

    def __init__(self, spec: RouterSpec, node: MemoryNode, faults: FaultBook, times: Times) -> None:
        self.written: list[Written] = []
        self.holding = False
        self.late = 0
        """Frames that came later than they were sent."""
        self.dead = False
        """It died writing, and nobody has noticed yet."""
        self.rollover = NO_ROLLOVER
        self.tears = False
        """The next frame reaches the disk by half, and the process dies of it."""
        super().__init__(spec, node, faults, times)

    @property
    def waiting(self) -> int:
        """Frames in the connection."""
        return len(self._link.waiting) if isinstance(self._link, HeldLink) else 0

    def new_store(self) -> FrameStore:
        here, times = self.spec, self._times
        disk = RecordingDisk(self.node, here.node, here.staging, self.epoch, times.now, self.written, self._full)
        self.dead = False
        return FrameStore(disk, self.rollover)

    def _full(self) -> bool:
        return self.faults.find((self.spec.name, self.spec.node), FaultKind.DISK_FULL) is not None

    def new_link(self) -> Link:
        return HeldLink(self, self.spec.link_type)

    def received(self, frame: bytes) -> None:
        if self.dead:
            return
        self._store.rollover = self.rollover
        disk = self._store.disk
        assert isinstance(disk, RecordingDisk)
        disk.torn = self.dead = self.tears
        self._store.store(frame, self.local_time())

    def let_out(self, most: int = 1 << 30) -> int:
        """Frames that waited in the connection arrive."""
        return self._link.let_out(most) if isinstance(self._link, HeldLink) else 0
