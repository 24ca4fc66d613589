"""A detector on free loopback ports inside the test's own event loop, and a client that speaks bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncssh
import pytest
from aiohttp import web

from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink, LinkType
from get_protocol.ecc_messages import (
    StateReply,
    TextReply,
    decode_state_reply,
    decode_text_reply,
    encode_get_state,
    encode_transition,
    http_request,
)
from get_protocol.state_machine import State, Transition
from get_simulator.announce import announcement
from get_simulator.clock import SystemClock
from get_simulator.control import Control
from get_simulator.description_file import describe
from get_simulator.detector import Detector

FREE_PORTS = {"ecc_port": 0, "data_port": 0, "ssh_port": 0, "control_port": 0}
DEADLINE_S = 8.0

UP = (Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE, Transition.START)


async def exchange(port: int, data: bytes) -> bytes:
    """Everything the server sends back until it closes; ConnectionRefusedError if nobody listens."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), DEADLINE_S)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def until(condition: Callable[[], Awaitable[bool] | bool], what: str = "the condition") -> None:
    """Wait for an observed condition; AssertionError when it does not come true in time."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        result = condition()
        if result if isinstance(result, bool) else await result:
            return
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not come true in {DEADLINE_S} s"
        await asyncio.sleep(0.01)


@dataclass
class Simulation:
    """A running detector and its control port."""

    detector: Detector
    control_port: int
    session: aiohttp.ClientSession
    announced: dict[str, Any] = field(default_factory=dict)

    def port(self, name: str) -> int:
        return self.detector.ecc_servers[name].port

    def staging(self, board: str) -> Path:
        return self.detector.root(f"node-{board}") / "staging"

    def files(self, board: str) -> list[str]:
        return sorted(path.name for path in self.staging(board).glob("*.graw"))

    async def control(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.control_port}{path}"
        async with self.session.request(method, url, json=body) as response:
            return response.status, await response.json()

    async def fault(self, target: str, fault: str, **fields: object) -> None:
        status, answer = await self.control("POST", "/faults", {"target": target, "fault": fault, **fields})
        assert status == 201, answer

    async def clear(self) -> None:
        assert (await self.control("DELETE", "/faults"))[0] == 200

    async def restart(self, target: str) -> None:
        status, answer = await self.control("POST", "/restart", {"target": target})
        assert status == 200, answer

    async def truth(self, kind: str, name: str) -> dict[str, Any]:
        """What /state says about one part: kind is ecc_servers, boards, data_routers or nodes."""
        _, state = await self.control("GET", "/state")
        return next(one for one in state[kind] if one["name"] == name)

    async def state(self, server: str) -> StateReply:
        raw = await exchange(self.port(server), http_request("127.0.0.1", 8083, encode_get_state()))
        return decode_state_reply(*split(raw))

    def link(self, board: str, *, router: str | None = None, kind: LinkType = LinkType.TCP) -> DataLink:
        sender = "Mutant[master]" if board == "mutant" else f"CoBo[{board[4:]}]"
        port = self.detector.routers[router or f"router-{board}"].port
        return DataLink(sender, f"data{board}", "127.0.0.1", port, kind)

    async def raw(self, server: str, body: bytes) -> bytes:
        return await exchange(self.port(server), http_request("127.0.0.1", 8083, body))

    async def ask(
        self, board: str, transition: Transition, configure: str = "experiment", link: DataLink | None = None
    ) -> TextReply:
        """One transition of the ECC server of `board` (cobo0, mutant), with its own data link."""
        config = ConfigId(board, configure, configure)
        body = encode_transition(transition, config, [link or self.link(board)])
        return decode_text_reply(*split(await self.raw(f"ecc-{board}", body)))

    async def go(self, board: str, *transitions: Transition, configure: str = "experiment") -> None:
        """The transitions one after the other, each of which must succeed."""
        for transition in transitions:
            reply = await self.ask(board, transition, configure)
            assert reply.error_code == 0, reply

    async def expect(self, board: str, state: State) -> None:
        assert (await self.state(f"ecc-{board}")).state is state


def split(raw: bytes) -> tuple[int, bytes]:
    """Status and body of a whole HTTP answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


@asynccontextmanager
async def running(tables: Mapping[str, Any], data: Path) -> AsyncIterator[Simulation]:
    """A detector of the description, on free ports and fast unless the tables say otherwise."""
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in tables.items()}
    merged["detector"] = FREE_PORTS | dict(merged.get("detector", {}))
    merged["timing"] = {"speed": 100.0} | dict(merged.get("timing", {}))
    merged["physics"] = {"event_rate": 50.0} | dict(merged.get("physics", {}))
    detector = Detector(describe(merged), data, SystemClock())
    runner = web.AppRunner(Control(detector).application(), access_log=None, shutdown_timeout=1.0)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(detector.stop)
        await detector.start()
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Simulation(detector, port, session, announcement(detector, port))


@pytest.fixture
async def one_cobo(tmp_path: Path) -> AsyncIterator[Simulation]:
    """One CoBo without a MuTAnT: it runs free."""
    async with running({"detector": {"cobos": 1, "mutant": "none"}}, tmp_path) as simulation:
        yield simulation


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Simulation]:
    """Two CoBos and a MuTAnT with readout; the test's own key may log in to the nodes."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "id_ed25519")
    key.write_public_key(tmp_path / "authorized_keys")
    tables = {"detector": {"cobos": 2}, "ssh": {"authorized_keys": str(tmp_path / "authorized_keys")}}
    async with running(tables, tmp_path) as simulation:
        yield simulation
