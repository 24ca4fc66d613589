"""A server on a loopback port that misbehaves as told, and a proxy that can be cut or stopped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
Behaviour = Callable[["Peer"], Awaitable[None]]


@dataclass(eq=False)
class Peer:
    """One connection to the server: what came in so far, and what may be done to it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """One whole HTTP request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
        return head + await self.reader.readexactly(length)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.writer.transport.abort()


@dataclass(eq=False)
class FaultServer:
    """Counts what it received."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def serving(behaviour: Behaviour) -> AsyncIterator[FaultServer]:
    """Run `behaviour` for every connection; the connection is closed when it returns."""
    state, tasks = FaultServer(), set[asyncio.Task[None]]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        state.connections += 1
        try:
            # Cancelled only by us, at the end: asyncio's streams would log it as a fault.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await behaviour(Peer(reader, writer))
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, LOOPBACK, 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def for_ever(peer: Peer) -> None:
    """Say nothing, keep the connection."""
    await asyncio.Event().wait()


def pieces(data: bytes, size: int) -> Sequence[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


class Proxy:
    """Passes bytes to `target` and back; `stop` holds them up, `cut` resets every connection."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._peers: set[Peer] = set()
        self._refusing = False
        self.connections = 0

    async def behave(self, peer: Peer) -> None:
        self.connections += 1
        if self._refusing:
            peer.reset()
            return
        reader, writer = await asyncio.open_connection(LOOPBACK, self._target)
        inner = Peer(reader, writer)
        self._peers |= {peer, inner}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(peer.reader, writer))
                group.create_task(self._pass(reader, peer.writer))
        finally:
            self._peers -= {peer, inner}
            writer.close()

    def stop(self) -> None:
        self._flowing.clear()

    def go_on(self) -> None:
        self._flowing.set()

    def refuse(self) -> None:
        """Cut every connection, and new ones as soon as they are made."""
        self._refusing = True
        self.cut()

    def accept(self) -> None:
        self._refusing = False

    def cut(self) -> None:
        for peer in list(self._peers):
            peer.reset()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                await self._flowing.wait()
                sink.write(data)
            sink.close()
