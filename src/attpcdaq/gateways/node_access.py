"""One NodePort for all nodes: each is asked in the way in which it is reached."""

from collections.abc import Mapping, Sequence

from attpcdaq.gateways.call_log import changing, reading
from attpcdaq.gateways.errors import GatewayError
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
    NodePort,
    RouterQuery,
    RouterReading,
    ShownKey,
    Tail,
)


class NodesByAccess:
    """Nodes over `ssh` and over their HTTP `agent`."""

    def __init__(self, ssh: NodePort, agent: NodePort) -> None:
        self._ssh, self._agent = ssh, agent

    def _of(self, node: NodeAddress) -> NodePort:
        return self._agent if node.access == "agent" else self._ssh

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        with reading("look at data routers", node=node.name):
            return await self._of(node).read_routers(node, routers, timeout)

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        with reading("list data files", node=node.name):
            return await self._of(node).list_graw(node, directory, timeout)

    def abilities(self, node: NodeAddress) -> Abilities:
        return self._of(node).abilities(node)

    async def move_files(
        self, node: NodeAddress, source: str, moves: Mapping[str, str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        with changing(f"move {len(moves)} files from {source} to {destination}", node=node.name):
            return await self._of(node).move_files(node, source, moves, destination, timeout)

    async def read_file(self, node: NodeAddress, path: str, timeout: float) -> tuple[bytes, FileStat]:
        with reading("read a file", node=node.name):
            return await self._of(node).read_file(node, path, timeout)

    async def read_tail(self, node: NodeAddress, path: str, most: int, timeout: float) -> Tail:
        with reading("read the end of a file", node=node.name):
            return await self._of(node).read_tail(node, path, most, timeout)

    async def stat_files(
        self, node: NodeAddress, paths: Sequence[str], timeout: float
    ) -> Mapping[str, FileStat | None]:
        with reading("look at files", node=node.name):
            return await self._of(node).stat_files(node, paths, timeout)

    async def write_file(self, node: NodeAddress, path: str, data: bytes, timeout: float) -> None:
        with changing(f"write {path}", node=node.name):
            await self._of(node).write_file(node, path, data, timeout)

    async def scan_files(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float, *, checksum: bool = True
    ) -> Mapping[str, FileScan | GatewayError]:
        with reading("scan data files", node=node.name):
            return await self._of(node).scan_files(node, directory, names, timeout, checksum=checksum)

    async def read_heads(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float
    ) -> Mapping[str, bytes]:
        with reading("read heads of data files", node=node.name):
            return await self._of(node).read_heads(node, directory, names, timeout)

    async def read_clock(self, node: NodeAddress, timeout: float, good_enough: float = CLOCK_KNOWN) -> NodeClock:
        with reading("read the clock", node=node.name):
            return await self._of(node).read_clock(node, timeout, good_enough)

    async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
        with reading("read the host key", node=node.name):
            return await self._of(node).read_host_key(node, timeout)

    async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
        with changing(f"catalog run {number} of {experiment}", node=node.name):
            return await self._of(node).catalog(node, experiment, number, timeout)

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        with changing(f"copy {len(names)} files from {source} to {destination}", node=node.name):
            return await self._of(node).copy_files(node, source, names, destination, timeout)

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        with changing(f"run {command!r}", node=node.name):
            return await self._of(node).run_command(node, command, timeout)

    async def close(self) -> None:
        await self._ssh.close()
        await self._agent.close()
