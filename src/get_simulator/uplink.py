"""A board's data connection over TCP, and how it is opened (facts 3, 4)."""

import asyncio
import os
from collections.abc import Sequence

from get_protocol.data_links import LinkType
from get_protocol.ecc_messages import ServerLink
from get_protocol.graw import Topology, build_topology
from get_simulator.board import Board, Uplink
from get_simulator.data_router import GOODBYE, HEART_BEAT
from get_simulator.ecc_session import Dial, Dialled

HEART_BEAT_S = 3.0
ICE_PATIENCE_S = 20.0
"""How long an ICE sender waits for a router that does not speak ICE (facts 3)."""
BUFFER_BYTES = 4 << 20
"""A board's memory for frames that its router has not taken yet."""
NOWHERE = "255.255.255.255"


class Discard:
    """Nobody is there, and the board does not notice: debug types, or a host name given as address (facts 3)."""

    busy = False

    def __init__(self, link_type: str) -> None:
        self.link_type = link_type

    def send(self, frames: Sequence[bytes]) -> bool:
        return False

    def close(self) -> None:
        return


class TcpUplink(asyncio.Protocol):
    """An open connection; a broken one goes on taking frames, as the board does not look (facts 4)."""

    def __init__(self, link_type: str) -> None:
        self.link_type = link_type
        self.broken = False
        self._transport: asyncio.Transport | None = None
        self._beat: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        return self._transport is not None and self._transport.get_write_buffer_size() > BUFFER_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self.link_type == LinkType.FDT:
            self._heart_beat()

    def connection_lost(self, exc: Exception | None) -> None:
        self.broken = True
        self._end_beat()

    def send(self, frames: Sequence[bytes]) -> bool:
        if self.broken or self._transport is None:
            return False
        self._transport.writelines(frames)
        return True

    def close(self) -> None:
        """Say goodbye (FDT) and close."""
        self._end_beat()
        if self._transport is not None and not self.broken:
            if self.link_type == LinkType.FDT:
                self._transport.write(GOODBYE)
            self._transport.close()

    def _heart_beat(self) -> None:
        if self._transport is not None and not self.broken:
            self._transport.write(HEART_BEAT)
            self._beat = asyncio.get_running_loop().call_later(HEART_BEAT_S, self._heart_beat)

    def _end_beat(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None


async def dial_all(dials: Sequence[Dial], speed: float) -> Dialled:
    """Open all connections at once; if the ECC server dies meanwhile, none stays open."""
    dialled: dict[str, Uplink | str] = {}

    async def one_of(dial: Dial) -> None:
        dialled[dial.board.sender] = await _dial(dial, speed)

    try:
        await asyncio.gather(*map(one_of, dials))
    except asyncio.CancelledError:
        for outcome in dialled.values():
            if not isinstance(outcome, str):
                outcome.close()
        raise
    return dialled


async def _dial(one: Dial, speed: float) -> Uplink | str:
    """The open connection, or why there is none. The board first lets go of an older one."""
    link = one.link
    one.board.unlink()
    if not one.board.alive or link.type in ("Debug", "DebugFrames") or link.address == NOWHERE:
        return Discard(link.type)
    try:
        _, uplink = await asyncio.get_running_loop().create_connection(
            lambda: TcpUplink(link.type), link.address, link.port
        )
    except OSError as error:
        return _why(link, error)
    if link.type == LinkType.ICE:
        try:
            await asyncio.sleep(ICE_PATIENCE_S / speed)
        finally:
            uplink.close()
        return "Ice::ConnectTimeoutException: timeout while establishing a connection"
    if link.type == LinkType.FDT:
        uplink.send([_topology(one.board)])
    return uplink


def _topology(board: Board) -> bytes:
    settings = board.settings
    mask = sum(1 << asad for asad in settings.asads) if settings else 0
    return build_topology(Topology(settings.cobo_id if settings else 0, mask, 0))


def _why(link: ServerLink, error: OSError) -> str:
    number = error.errno or 0
    return f"TCP connection to {link.address}:{link.port} failed: {os.strerror(number)} (errno={number})."
