"""Nodes in memory, with failures to order."""

import asyncio
import math
import posixpath
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from attpcdaq.gateways.agent_limits import AgentLimits
from attpcdaq.gateways.errors import GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.file_end import check
from attpcdaq.gateways.file_names import check_path, check_plain
from attpcdaq.gateways.file_scan import scan_bytes
from attpcdaq.gateways.node_commands import MAX_OUTPUT, check_command
from attpcdaq.gateways.ports import (
    CLOCK_KNOWN,
    HEAD_BYTES,
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
from attpcdaq.testing.memory_node import MemoryFile, MemoryNode, both, directory_of, graw_files, reading


class MemoryNodes:
    """NodePort without a network."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall_time: Callable[[], float] = time.time,
    ) -> None:
        self.nodes: dict[str, MemoryNode] = {}
        self._sleep = sleep
        self._wall_time = wall_time

    # What a test arranges

    def add(self, name: str) -> MemoryNode:
        """A node with an empty disk."""
        return self.nodes.setdefault(name, MemoryNode())

    def make_directory(self, node: str, directory: str) -> None:
        """Like mkdir -p."""
        self.nodes[node].make_directory(directory)

    def start_router(self, node: str, port: int) -> None:
        """A new router process on this data port."""
        here = self.nodes[node]
        here.next_pid += 1
        here.routers[port] = here.next_pid

    def stop_router(self, node: str, port: int) -> None:
        """Its process is gone."""
        self.nodes[node].routers.pop(port, None)

    def write(self, node: str, path: str, data: bytes, mtime: float | None = None) -> None:
        """Make or replace a file, and its directory."""
        self.nodes[node].put(path, MemoryFile(data, self._wall_time() if mtime is None else mtime))

    def append(self, node: str, path: str, data: bytes) -> None:
        """Let a file grow."""
        directory, name = posixpath.split(path)
        file = self.nodes[node].directories[directory][name]
        file.data += data
        file.mtime = self._wall_time()

    def read(self, node: str, path: str) -> bytes:
        """The contents of a file; KeyError where there is none."""
        directory, name = posixpath.split(path)
        return self.nodes[node].directories[directory][name].data

    def names(self, node: str, directory: str) -> tuple[str, ...]:
        """Names of the files directly in a directory, sorted."""
        return tuple(sorted(self.nodes[node].directories[directory]))

    def fail(self, node: str, method: str, error: GatewayError, times: float = math.inf) -> None:
        """Let calls of one method (as `move_files`) raise `error` instead of doing anything."""
        self.nodes[node].trouble[method] = (error, times)

    def teach(self, node: str, command: str, act: Callable[[], CommandResult]) -> None:
        """Let a command line do something, and say what comes of it."""
        self.nodes[node].commands[command] = act

    def take_down(self, node: str, error: GatewayError | None = None) -> None:
        """From now on every call raises `error` (Unreachable by default)."""
        self.fail(node, "", error or Unreachable(f"{node}: connection refused"))

    def hang(self, node: str) -> None:
        """From now on every call waits for its deadline."""
        self.nodes[node].hanging = True

    def recover(self, node: str) -> None:
        """Take back every failure."""
        self.nodes[node].trouble.clear()
        self.nodes[node].hanging = False

    # NodePort

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        here = await self._reach(node, "read_routers", timeout)
        return {router.name: reading(node, here, router) for router in routers}

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        here = await self._reach(node, "list_graw", timeout)
        return graw_files(directory_of(node, here, directory))

    def abilities(self, node: NodeAddress) -> Abilities:
        return AgentLimits().abilities(node) if node.access == "agent" else Abilities()

    async def move_files(
        self, node: NodeAddress, source: str, moves: Mapping[str, str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        here = await self._reach(node, "move_files", timeout)
        files, target = both(node, here, source, moves, destination)
        taken = [new for new in moves.values() if new in target]
        if taken:
            raise Refused(f"{node.name}: {destination}/{taken[0]} exists already; nothing was moved")
        for name, new in moves.items():
            target[new] = files.pop(name)
        directory = here.absolute(destination)
        return tuple(MovedFile(posixpath.join(directory, new), len(target[new].data)) for new in moves.values())

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        here = await self._reach(node, "copy_files", timeout)
        files, target = both(node, here, source, {name: name for name in names}, destination)
        for name in names:
            if name in target and target[name].data != files[name].data:
                raise Refused(f"{node.name}: {destination}/{name} exists already and differs")
        for name in names:
            target.setdefault(name, MemoryFile(files[name].data, self._wall_time()))
        directory = here.absolute(destination)
        return tuple(MovedFile(posixpath.join(directory, name), len(target[name].data)) for name in names)

    async def read_file(self, node: NodeAddress, path: str, timeout: float) -> tuple[bytes, FileStat]:
        here = await self._reach(node, "read_file", timeout)
        file = here.file(path)
        if file is None:
            raise Refused(f"{node.name}: there is no {path}", Refused.MISSING)
        return file.data, FileStat(len(file.data), file.mtime)

    async def read_tail(self, node: NodeAddress, path: str, most: int, timeout: float) -> Tail:
        check(path, most)
        here = await self._reach(node, "read_tail", timeout)
        if posixpath.normpath(here.absolute(path)) in here.directories:
            raise Refused(f"{node.name}: {path} is no ordinary file")
        file = here.file(path)
        if file is None:
            raise Refused(f"{node.name}: there is no {path}", Refused.MISSING)
        return Tail(file.data[-most:], len(file.data), file.mtime)

    async def stat_files(
        self, node: NodeAddress, paths: Sequence[str], timeout: float
    ) -> Mapping[str, FileStat | None]:
        here = await self._reach(node, "stat_files", timeout)
        files = {path: here.file(path) for path in paths}
        return {path: None if file is None else FileStat(len(file.data), file.mtime) for path, file in files.items()}

    async def write_file(self, node: NodeAddress, path: str, data: bytes, timeout: float) -> None:
        here = await self._reach(node, "write_file", timeout)
        here.put(here.absolute(path), MemoryFile(data, self._wall_time()))

    async def scan_files(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float, *, checksum: bool = True
    ) -> Mapping[str, FileScan | GatewayError]:
        here = await self._reach(node, "scan_files", timeout)
        check_path(directory)
        check_plain(names)
        files = {name: here.file(posixpath.join(directory, name)) for name in names}
        return {
            name: Refused(f"there is no {directory}/{name}", Refused.MISSING)
            if file is None
            else scan_bytes(file.data, checksum)
            for name, file in files.items()
        }

    async def read_heads(
        self, node: NodeAddress, directory: str, names: Sequence[str], timeout: float
    ) -> Mapping[str, bytes]:
        here = await self._reach(node, "read_heads", timeout)
        check_path(directory)
        check_plain(names)
        files = {name: here.file(posixpath.join(directory, name)) for name in names}
        return {name: file.data[:HEAD_BYTES] for name, file in files.items() if file is not None}

    async def read_clock(self, node: NodeAddress, timeout: float, good_enough: float = CLOCK_KNOWN) -> NodeClock:
        return (await self._reach(node, "read_clock", timeout)).clock

    async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
        return (await self._reach(node, "read_host_key", timeout)).host_key

    async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
        await self._reach(node, "catalog", timeout)
        raise Refused(f"{node.name} is reached over SSH: it has no agent that could move its files")

    async def run_command(self, node: NodeAddress, command: str, timeout: float) -> CommandResult:
        check_command(command)
        here = await self._reach(node, "run_command", timeout)
        here.commands_run.append(command)
        if command in here.commands:
            return here.commands[command]()
        program, _, path = command.partition(" ")
        if program == "true":
            return CommandResult(0, "")
        return self._cat(here, path) if program == "cat" else CommandResult(127, f"sh: {program}: command not found")

    async def close(self) -> None:
        """Nothing to give up."""

    def _cat(self, here: MemoryNode, path: str) -> CommandResult:
        file = here.file(path)
        if file is None:
            return CommandResult(1, f"cat: {path}: No such file or directory")
        return CommandResult(0, file.data.decode("utf-8", "replace").strip()[-MAX_OUTPUT:])

    async def _reach(self, node: NodeAddress, method: str, timeout: float) -> MemoryNode:
        here = self.nodes.get(node.name)
        if here is None:
            raise Unreachable(f"{node.name} ({node.host}:{node.port}): connection refused")
        if here.hanging:
            await self._sleep(timeout)
            raise NoAnswer(f"{node.name}: no answer within {timeout:g} s")
        await asyncio.sleep(0)
        for key in ("", method):
            if key in here.trouble:
                error, times = here.trouble.pop(key)
                if times > 1:
                    here.trouble[key] = (error, times - 1)
                raise error
        return here
