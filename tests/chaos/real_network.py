"""A slow network: TCP connections led through us, where every byte waits."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from attpcdaq.demo.detector import is_free
from tests.services.processes import LOOPBACK, PORTS, ServiceError, free_port

CHUNK = 65536
AT_ONCE = 0.0
DATABASE_SHARE = 0.01


class SlowNetwork:
    """Ways to ports of this machine; `delay` is for how long bytes are under way, in seconds, in each direction.

    On the way to the database it is much less: whoever asks forty questions for a page keeps it near.
    """

    def __init__(self) -> None:
        self.delay = AT_ONCE
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow network", daemon=True)
        self._thread.start()

    def way(self, kind: str, port: int, entry: int | None = None) -> int:
        """The port at which the `port` of that kind of part is reached slowly."""
        at = entry or free_port()
        share = DATABASE_SHARE if kind == "database" else 1.0
        asyncio.run_coroutine_threadsafe(self._listen(port, at, share), self._loop).result(10)
        return at

    def ways_to_hardware(self, announced: dict[str, Any]) -> dict[str, Any]:
        """What a simulator announced, with slow ways to every ECC server and node (a row of ports for each kind)."""
        servers, nodes = announced["ecc_servers"], announced["nodes"]
        first = free_row(len(servers) + len(nodes))
        ways = [{**server, "port": self.way("ecc", server["port"], first + n)} for n, server in enumerate(servers)]
        after = first + len(servers)
        doors = [{**node, "ssh_port": self.way("node", node["ssh_port"], after + n)} for n, node in enumerate(nodes)]
        return {**announced, "ecc_servers": ways, "nodes": doors}

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _listen(self, port: int, at: int, share: float) -> None:
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                there, back = await asyncio.open_connection(LOOPBACK, port)
                await asyncio.gather(self._pass_on(reader, back, share), self._pass_on(there, writer, share))
            writer.close()

        await asyncio.start_server(carry, LOOPBACK, at)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, share: float) -> None:
        """Bytes leave `delay` after they came, and in their order; nothing makes the sender wait."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arriving = asyncio.create_task(self._arrive(under_way, writer))
        with suppress(OSError):
            while content := await reader.read(CHUNK):
                under_way.put_nowait((self._loop.time() + share * self.delay, content))
        under_way.put_nowait((self._loop.time() + share * self.delay, b""))
        await arriving

    async def _arrive(self, under_way: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                due, content = await under_way.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not content:
                    break
                writer.write(content)
                await writer.drain()
        writer.close()


def free_row(count: int) -> int:
    """The first of so many free ports in a row."""
    for first in range(PORTS.start, PORTS.stop - count, count):
        if all(map(is_free, range(first, first + count))):
            return first
    raise ServiceError(f"no {count} free ports in a row among {PORTS}")


@contextmanager
def slow_network() -> Iterator[SlowNetwork]:
    network = SlowNetwork()
    try:
        yield network
    finally:
        network.close()
