"""NodePort over SSH and SFTP."""

import time
from collections.abc import Callable, Mapping, Sequence

from attpcdaq.gateways import file_end, node_clock, node_commands, node_contents, node_files, node_scan
from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.file_names import check_path, check_plain
from attpcdaq.gateways.node_connection import NodeConnections, SshIdentity
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


class NodeSsh:
    """The nodes as they are; belongs to the event loop in which it is first used."""

    def __init__(self, identity: SshIdentity, wall_time: Callable[[], float] = time.time) -> None:
        self._connections = NodeConnections(identity)
        self._wall_time = wall_time

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        async with self._connections.link(node, timeout) as link:
            found = await link.watch.look(routers)
        where = f"{node.name} ({node.host}:{node.port})"
        return {
            name: Refused(f"{where}: {one}", one.code) if isinstance(one, Refused) else one
            for name, one in found.items()
        }

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        check_path(directory)
        async with self._connections.link(node, timeout) as link:
            return await node_files.graw_files(link.session, link.path(directory))

    def abilities(self, node: NodeAddress) -> Abilities:
        return Abilities()

    async def move_files(
        self, node: NodeAddress, source: str, moves: Mapping[str, str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        _check(source, [*moves, *moves.values()], destination)
        async with self._connections.link(node, timeout) as link:
            return await node_files.move(link.session, link.path(source), moves, link.path(destination))

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        _check(source, names, destination)
        async with self._connections.link(node, timeout) as link:
            return await node_contents.copy(link.session, link.path(source), names, link.path(destination))

    async def read_file(self, node: NodeAddress, path: str, timeout: float) -> tuple[bytes, FileStat]:
        check_path(path)
        async with self._connections.link(node, timeout) as link:
            return await node_contents.read(link.sftp, link.path(path))

    async def read_tail(self, node: NodeAddress, path: str, most: int, timeout: float) -> Tail:
        file_end.check(path, most)
        async with self._connections.link(node, timeout) as link:
            return await file_end.read(link.session, link.path(path), most)

    async def stat_files(
        self, node: NodeAddress, paths: Sequence[str], timeout: float
    ) -> Mapping[str, FileStat | None]:
        for path in paths:
            check_path(path)
        async with self._connections.link(node, timeout) as link:
            found = await node_contents.stats(link.sftp, [link.path(path) for path in paths])
        return dict(zip(paths, found, strict=True))

    async def write_file(self, node: NodeAddress, path: str, data: bytes, timeout: float) -> None:
        check_path(path)
        async with self._connections.link(node, timeout) as link:
            await node_contents.write(link.session, link.path(path), data)

    async def scan_files(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float, *, checksum: bool = True
    ) -> Mapping[str, FileScan | GatewayError]:
        _check(directory, names, directory)
        async with self._connections.link(node, timeout, endless=True) as link:
            return await node_scan.scan(link, link.path(directory), names, timeout, checksum)

    async def read_heads(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float
    ) -> Mapping[str, bytes]:
        _check(directory, names, directory)
        async with self._connections.link(node, timeout) as link:
            return await node_contents.heads(link.sftp, link.path(directory), names)

    async def read_clock(self, node: NodeAddress, timeout: float, good_enough: float = CLOCK_KNOWN) -> NodeClock:
        async with self._connections.link(node, timeout) as link:
            return await node_clock.compare(link.shell.look, self._wall_time, good_enough)

    async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
        return await self._connections.host_key(node, timeout)

    async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
        raise Refused(f"{node.name} is reached over SSH: it has no agent that could move its files")

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        node_commands.check_command(command)
        async with self._connections.link(node, timeout) as link:
            return await node_commands.run(link, command)

    async def close(self) -> None:
        await self._connections.close()


def _check(source: str, names: Sequence[str], destination: str) -> None:
    check_path(source)
    check_path(destination)
    check_plain(names)
