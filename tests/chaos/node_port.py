"""NodePort over the simulated nodes: the twin's files, with nodes that die, hang, or lose an answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from attpcdaq.gateways.errors import GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.ports import (
    CLOCK_KNOWN,
    Abilities,
    CommandResult,
    FileScan,
    FileStat,
    GrawFile,
    MovedFile,
    NodeAddress,
    NodeClock,
    RouterQuery,
    RouterReading,
    ShownKey,
    Tail,
)
from attpcdaq.testing.memory_nodes import MemoryNodes
from tests.chaos.ecc_port import Wire
from tests.chaos.hardware import Hardware
from tests.chaos.processes import PROCESS
from tests.chaos.virtual_time import Clock, sleep

T = TypeVar("T")


@dataclass
class NodeFaults:
    """Nodes that hang or cannot be reached, how many answers of each get lost, and what fails in moving files."""

    hanging: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    losing: dict[str, int] = field(default_factory=dict)
    breaking: dict[str, int] = field(default_factory=dict)
    """After so many renames the connection breaks."""
    no_room: set[str] = field(default_factory=set)
    """No directory and no file can be made there."""

    def clear(self) -> None:
        for one in (self.hanging, self.away, self.losing, self.breaking, self.no_room):
            one.clear()


class ChaosNodes:
    """Nodes of the simulated detector."""

    def __init__(self, hardware: Hardware, wire: Wire, faults: NodeFaults, clock: Clock) -> None:
        self._hardware, self._wire, self._faults, self._clock = hardware, wire, faults, clock
        self._memory: MemoryNodes = hardware.nodes

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        return await self._do(node, timeout, lambda: self._memory.read_routers(node, routers, timeout))

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        return await self._do(node, timeout, lambda: self._memory.list_graw(node, directory, timeout))

    def abilities(self, node: NodeAddress) -> Abilities:
        return self._memory.abilities(node)

    async def move_files(
        self, node: NodeAddress, source: str, moves: Mapping[str, str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        return await self._do(node, timeout, lambda: self._move(node, source, moves, destination, timeout))

    async def read_file(self, node: NodeAddress, path: str, timeout: float) -> tuple[bytes, FileStat]:
        return await self._do(node, timeout, lambda: self._memory.read_file(node, path, timeout))

    async def read_tail(self, node: NodeAddress, path: str, most: int, timeout: float) -> Tail:
        return await self._do(node, timeout, lambda: self._memory.read_tail(node, path, most, timeout))

    async def stat_files(
        self, node: NodeAddress, paths: Sequence[str], timeout: float
    ) -> Mapping[str, FileStat | None]:
        return await self._do(node, timeout, lambda: self._memory.stat_files(node, paths, timeout))

    async def write_file(self, node: NodeAddress, path: str, data: bytes, timeout: float) -> None:
        self._need_room(node)
        await self._do(node, timeout, lambda: self._memory.write_file(node, path, data, timeout))

    async def scan_files(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float, *, checksum: bool = True
    ) -> Mapping[str, FileScan | GatewayError]:
        scan = self._memory.scan_files
        return await self._do(node, timeout, lambda: scan(node, directory, names, timeout, checksum=checksum))

    async def read_heads(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float
    ) -> Mapping[str, bytes]:
        return await self._do(node, timeout, lambda: self._memory.read_heads(node, directory, names, timeout))

    async def read_clock(self, node: NodeAddress, timeout: float, good_enough: float = CLOCK_KNOWN) -> NodeClock:
        told = await self._do(node, timeout, lambda: self._memory.read_clock(node, timeout))
        return replace(told, offset=told.offset - self._clock.ahead())

    async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
        return await self._do(node, timeout, lambda: self._memory.read_host_key(node, timeout))

    async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
        return await self._do(node, timeout, lambda: self._memory.catalog(node, experiment, number, timeout))

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        return await self._do(node, timeout, lambda: self._memory.copy_files(node, source, names, destination, timeout))

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        return await self._do(node, timeout, lambda: self._memory.run_command(node, command, timeout))

    async def close(self) -> None:
        """Nothing to give up."""

    async def _move(
        self, node: NodeAddress, source: str, moves: Mapping[str, str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        """One rename after the other, so that who dies half-way leaves it half done."""
        if destination not in self._memory.nodes[node.name].directories:
            self._need_room(node)
        there = self._memory.nodes[node.name].directories.get(destination, {})
        here = self._memory.nodes[node.name].directories.get(source, {})
        if any(new in there or name not in here for name, new in moves.items()):
            return await self._memory.move_files(node, source, moves, destination, timeout)
        moved: list[MovedFile] = []
        for name, new in moves.items():
            moved += await self._memory.move_files(node, source, {name: new}, destination, timeout)
            await self._wire.travel()
            _step()
            self._break_off(node)
        return tuple(moved)

    def _need_room(self, node: NodeAddress) -> None:
        if node.name in self._faults.no_room:
            raise Refused(f"{node.name}: No space left on device")

    def _break_off(self, node: NodeAddress) -> None:
        """One more rename; it may be the last of this connection."""
        if node.name in self._faults.breaking:
            self._faults.breaking[node.name] -= 1
            if self._faults.breaking[node.name] < 0:
                del self._faults.breaking[node.name]
                raise NoAnswer(f"{node.name}: the connection broke")

    async def _do(self, node: NodeAddress, timeout: float, work: Callable[[], Awaitable[T]]) -> T:
        _step()
        await self._wire.travel()
        where = f"{node.name} ({node.host}:{node.port})"
        if node.name in self._faults.away or not self._hardware.alive(node.name):
            raise Unreachable(f"{where}: connection refused")
        if node.name in self._faults.hanging:
            await sleep(timeout)
            raise NoAnswer(f"{where}: no answer within {timeout:g} s")
        answer = await work()
        await self._wire.travel()
        _step()
        if self._faults.losing.get(node.name, 0) > 0:
            self._faults.losing[node.name] -= 1
            raise NoAnswer(f"{where}: the connection broke")
        return answer


def _step() -> None:
    """Whoever asks may die here."""
    process = PROCESS.get()
    if process is not None:
        process.step()
