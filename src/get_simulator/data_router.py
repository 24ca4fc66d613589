"""A data router process: one data connection at a time, frames into its working directory (facts 4)."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from get_simulator.clock import Clock
from get_simulator.description import RouterSpec
from get_simulator.faults import FaultBook, FaultKind
from get_simulator.frame_store import DirectoryDisk, FrameStore
from get_simulator.ports import ReservedPort
from get_simulator.router_words import RouterWords

WAITING_EVERY = 2.0
HEART_BEAT, GOODBYE = b"\0\0\0\0", b"\xff\xff\xff\xff"


class FrameCutter:
    """Cuts a byte stream into frames by the sizes in their headers; garbage makes it wait for a bogus one."""

    def __init__(self, *, words: bool) -> None:
        self._words = words
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete with `data`; between them FDT puts 4-byte words, which are skipped."""
        self._buffer += data
        frames = []
        while (size := self._next()) is not None and len(self._buffer) >= size:
            frames.append(bytes(self._buffer[:size]))
            del self._buffer[:size]
        return frames

    @property
    def unfinished(self) -> int:
        """Bytes of a frame that has not come to its end."""
        return len(self._buffer)

    def _next(self) -> int | None:
        while self._words and self._buffer[:4] in (HEART_BEAT, GOODBYE):
            del self._buffer[:4]
        if len(self._buffer) < 8:
            return None
        meta = self._buffer[0]
        blocks = int.from_bytes(self._buffer[1:4], "little" if meta & 0x80 else "big")
        return max(blocks << (meta & 0x0F), 8)


class _Connection(asyncio.Protocol):
    """The one board that is connected."""

    def __init__(self, router: "DataRouter") -> None:
        self._router = router
        self.cutter = FrameCutter(words=router.spec.link_type == "FDT")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._router.connected(self, transport)

    def data_received(self, data: bytes) -> None:
        for frame in self.cutter.feed(data):
            self._router.received(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._router.disconnected(self)


class DataRouter:
    """One data router; `restart` begins a new process, which knows no files and no board."""

    def __init__(
        self, spec: RouterSpec, staging: Path, clock: Clock, faults: FaultBook, rollover: int, words: RouterWords
    ) -> None:
        self.spec = spec
        self.staging = staging
        self.alive = False
        self.frames_written = self.bytes_written = self.frames_dropped = self.frames_silenced = 0
        self._clock, self._faults, self._rollover, self._words = clock, faults, rollover, words
        self._store = self._new_store()
        self._port = ReservedPort(spec.name, spec.address, spec.port)
        self._deaf = False
        self._listener: socket.socket | None = None
        self._current: _Connection | None = None
        self._transport: asyncio.Transport | None = None
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        return self._port.port

    @property
    def listening(self) -> bool:
        return self._listener is not None

    @property
    def has_connection(self) -> bool:
        return self._current is not None

    @property
    def sockets(self) -> tuple[str, ...]:
        """Its data socket as `lsof` writes it; none when its port was taken by somebody else."""
        here = f"{self.spec.address}:{self.port}"
        if self.has_connection:
            return (f"{here}->{self.spec.address}:51234 (ESTABLISHED)",)
        return (f"{here} (LISTEN)",) if self.listening else ()

    @property
    def files(self) -> tuple[Counter[str], Counter[str]]:
        """Frames and bytes by file name, since the process started."""
        return self._store.written, self._store.stored_bytes

    def start(self) -> None:
        """Begin a process: no files open, nobody connected."""
        self._store = self._new_store()
        self.alive = True
        self._deaf = self._faults.take((self.spec.name,), FaultKind.DEAF) is not None
        self._words.started(self.port, deaf=self._deaf)
        self._listen()

    def kill(self) -> None:
        """End the process at once: the connection breaks, new ones are refused."""
        self.alive = False
        self._stop_listening()
        if self._transport is not None:
            self._transport.abort()
        self._current = self._transport = None

    def close(self) -> None:
        self.kill()
        self._port.close()

    def connected(self, connection: _Connection, transport: asyncio.Transport) -> None:
        if connection is self._current:
            self._transport = transport
        else:  # killed meanwhile
            transport.abort()

    def disconnected(self, connection: _Connection) -> None:
        """Listen again; the bytes of an unfinished frame are gone."""
        if connection is self._current:
            self._current = self._transport = None
            self._words.disconnected(connection.cutter.unfinished)
            if self.alive:
                self._listen()

    def received(self, frame: bytes) -> None:
        if self._faults.find((self.spec.name,), FaultKind.SILENT):
            self.frames_silenced += 1
        elif self._faults.find((self.spec.name, self.spec.node), FaultKind.DISK_FULL):
            self.frames_dropped += 1
        else:
            self._keep(frame)

    def _keep(self, frame: bytes) -> None:
        before, files = self._store.dropped, len(self._store.written)
        self._store.store(frame, self._clock.now() + self._ahead())
        if self._store.dropped > before:
            self.frames_dropped += 1
            self._words.dropped(frame)
            return
        self.frames_written += 1
        self.bytes_written += len(frame)
        if len(self._store.written) > files:
            self._words.new_file(next(reversed(self._store.written)))
        self._words.stored(frame)

    def _new_store(self) -> FrameStore:
        return FrameStore(DirectoryDisk(self.staging, self._ahead), self._rollover)

    def _ahead(self) -> float:
        return self._faults.clock_ahead(self.spec.node)

    def _listen(self) -> None:
        if self._listener is None and not self._deaf:
            self._listener = self._port.listen()
            asyncio.get_running_loop().add_reader(self._listener, self._accept)
            self._say_waiting()

    def _say_waiting(self) -> None:
        """Again and again over the same line, while nobody is connected (facts 4)."""
        self._words.waiting()
        self._waiting = asyncio.get_running_loop().call_later(WAITING_EVERY, self._say_waiting)

    def _stop_listening(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        """Take one connection and listen no more while it lasts."""
        assert self._listener is not None
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        self._stop_listening()
        self._words.connected(self.port)
        accepted.setblocking(False)
        connection = _Connection(self)
        self._current = connection
        loop = asyncio.get_running_loop()
        opening = loop.create_task(_open(loop, lambda: connection, accepted))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)


async def _open(loop: asyncio.AbstractEventLoop, factory: Callable[[], _Connection], sock: socket.socket) -> None:
    await loop.connect_accepted_socket(factory, sock)
