"""NodePort over SSH and SFTP."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncssh

from attpcdaq.gateways import node_commands, node_files
from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.file_names import check_directory, check_plain
from attpcdaq.gateways.node_connection import Link, NodeConnections, SshIdentity
from attpcdaq.gateways.node_disk import Disk, df_command, parse_df
from attpcdaq.gateways.node_processes import PS_COMMAND, Process, parse_ps, router_pid
from attpcdaq.gateways.node_tail import newest
from attpcdaq.gateways.ports import CommandResult, GrawFile, MovedFile, NodeAddress, RouterQuery, RouterReading

_Reading = RouterReading | GatewayError


class NodeSsh:
    """The nodes as they are; belongs to the event loop in which it is first used."""

    def __init__(self, identity: SshIdentity) -> None:
        self._connections = NodeConnections(identity)

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, _Reading]:
        async with self._connections.link(node, timeout) as link:
            looks = (_look(link, router) for router in routers)
            output, seen = await asyncio.gather(link.run(PS_COMMAND), asyncio.gather(*looks))
            processes = parse_ps(output)
            if not processes:
                raise Refused(f"{PS_COMMAND!r} told of no process")
        return {one.name: _reading(node, one, processes, look) for one, look in zip(routers, seen, strict=True)}

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        check_directory(directory)
        async with self._connections.link(node, timeout) as link:
            return await node_files.graw_files(link.sftp, directory)

    async def move_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        _check(source, names, destination)
        async with self._connections.link(node, timeout) as link:
            return await node_files.move(link.sftp, source, names, destination)

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        _check(source, names, destination)
        async with self._connections.link(node, timeout) as link:
            return await node_files.copy(link.sftp, source, names, destination)

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        node_commands.check_command(command)
        async with self._connections.link(node, timeout) as link:
            return await node_commands.run(link, command)

    async def close(self) -> None:
        await self._connections.close()


@dataclass(frozen=True, slots=True)
class _Look:
    """What the files and the disk of one router say."""

    files: tuple[GrawFile, ...]
    last_event: int | None
    disk: Disk


async def _look(link: Link, router: RouterQuery) -> _Look | Refused:
    """A refusal concerns this router alone."""
    try:
        check_directory(router.staging_dir)
        files = await node_files.graw_files(link.sftp, router.staging_dir)
        event = await link.tails.last_event(link.sftp, router.staging_dir, newest(files))
        return _Look(files, event, await _disk(link, router.staging_dir))
    except Refused as error:
        return error


async def _disk(link: Link, directory: str) -> Disk:
    if link.statvfs:
        try:
            answer = await link.sftp.statvfs(directory)
            return Disk(answer.bavail * answer.frsize, answer.blocks * answer.frsize)
        except asyncssh.SFTPOpUnsupported:
            link.statvfs = False
    return parse_df(await link.run(df_command(directory)))


def _reading(node: NodeAddress, router: RouterQuery, processes: Sequence[Process], look: _Look | Refused) -> _Reading:
    if isinstance(look, Refused):
        return Refused(f"{node.name} ({node.host}:{node.port}): {look}")
    pid = router_pid(processes, router.process_name, router.port)
    return RouterReading(pid is not None, look.files, look.last_event, look.disk.free, look.disk.total, pid)


def _check(source: str, names: Sequence[str], destination: str) -> None:
    check_directory(source)
    check_directory(destination)
    check_plain(names)
