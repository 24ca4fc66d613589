"""NodePort over the simulated nodes: the twin's files, with nodes that die, hang, or lose an answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from attpcdaq.gateways.errors import GatewayError, NoAnswer, Unreachable
from attpcdaq.gateways.ports import CommandResult, GrawFile, MovedFile, NodeAddress, RouterQuery, RouterReading
from attpcdaq.testing.memory_nodes import MemoryNodes
from tests.chaos.ecc_port import Wire
from tests.chaos.hardware import Hardware
from tests.chaos.virtual_time import sleep

T = TypeVar("T")


@dataclass
class NodeFaults:
    """Nodes that hang, and how many answers of each get lost."""

    hanging: set[str] = field(default_factory=set)
    losing: dict[str, int] = field(default_factory=dict)

    def clear(self) -> None:
        self.hanging.clear()
        self.losing.clear()


class ChaosNodes:
    """Nodes of the simulated detector."""

    def __init__(self, hardware: Hardware, wire: Wire, faults: NodeFaults) -> None:
        self._hardware, self._wire, self._faults = hardware, wire, faults
        self._memory: MemoryNodes = hardware.nodes

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        return await self._do(node, timeout, lambda: self._memory.read_routers(node, routers, timeout))

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        return await self._do(node, timeout, lambda: self._memory.list_graw(node, directory, timeout))

    async def move_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        return await self._do(node, timeout, lambda: self._move(node, source, names, destination, timeout))

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        return await self._do(node, timeout, lambda: self._memory.copy_files(node, source, names, destination, timeout))

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        return await self._do(node, timeout, lambda: self._memory.run_command(node, command, timeout))

    async def close(self) -> None:
        """Nothing to give up."""

    async def _move(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        """One rename after the other, so that who dies half-way leaves it half done."""
        there = self._memory.nodes[node.name].directories.get(destination, {})
        here = self._memory.nodes[node.name].directories.get(source, {})
        if any(name in there or name not in here for name in names):
            return await self._memory.move_files(node, source, names, destination, timeout)
        moved: list[MovedFile] = []
        for name in names:
            moved += await self._memory.move_files(node, source, [name], destination, timeout)
            await self._wire.travel()
        return tuple(moved)

    async def _do(self, node: NodeAddress, timeout: float, work: Callable[[], Awaitable[T]]) -> T:
        await self._wire.travel()
        where = f"{node.name} ({node.host}:{node.port})"
        if not self._hardware.alive(node.name):
            raise Unreachable(f"{where}: connection refused")
        if node.name in self._faults.hanging:
            await sleep(timeout)
            raise NoAnswer(f"{where}: no answer within {timeout:g} s")
        answer = await work()
        await self._wire.travel()
        if self._faults.losing.get(node.name, 0) > 0:
            self._faults.losing[node.name] -= 1
            raise NoAnswer(f"{where}: the connection broke")
        return answer
