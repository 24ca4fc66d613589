"""Nodes in memory: directories, processes and disks, with failures to order."""

import asyncio
import math
import posixpath
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from attpcdaq.gateways.errors import GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.file_names import check_directory, check_plain, is_graw, parents
from attpcdaq.gateways.last_event import last_event_of
from attpcdaq.gateways.node_commands import MAX_OUTPUT, check_command
from attpcdaq.gateways.ports import CommandResult, GrawFile, MovedFile, NodeAddress, RouterQuery, RouterReading


@dataclass(slots=True)
class MemoryFile:
    """Contents and modification time (s since the epoch)."""

    data: bytes
    mtime: float


@dataclass(slots=True)
class MemoryNode:
    """One computer: absolute directory -> name -> file; routers by data port, with their process id."""

    directories: dict[str, dict[str, MemoryFile]] = field(default_factory=dict)
    routers: dict[int, int] = field(default_factory=dict)
    next_pid: int = 1000
    disk_free: int = 500 * 10**9
    disk_total: int = 1000 * 10**9
    trouble: dict[str, tuple[GatewayError, float]] = field(default_factory=dict)
    hanging: bool = False
    commands: dict[str, Callable[[], CommandResult]] = field(default_factory=dict)
    commands_run: list[str] = field(default_factory=list)


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
        for path in parents(directory):
            self.nodes[node].directories.setdefault(path, {})

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
        directory, name = posixpath.split(path)
        self.make_directory(node, directory)
        written = MemoryFile(data, self._wall_time() if mtime is None else mtime)
        self.nodes[node].directories[directory][name] = written

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
        return {router.name: self._reading(node, here, router) for router in routers}

    async def list_graw(self, node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        here = await self._reach(node, "list_graw", timeout)
        return _graw_files(_directory(node, here, directory))

    async def move_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        here = await self._reach(node, "move_files", timeout)
        files, target = self._both(node, here, source, names, destination)
        taken = [name for name in names if name in target]
        if taken:
            raise Refused(f"{node.name}: {destination}/{taken[0]} exists already; nothing was moved")
        for name in names:
            target[name] = files.pop(name)
        return tuple(MovedFile(posixpath.join(destination, name), len(target[name].data)) for name in names)

    async def copy_files(
        self, node: NodeAddress, source: str, names: Sequence[str], destination: str, timeout: float
    ) -> tuple[MovedFile, ...]:
        here = await self._reach(node, "copy_files", timeout)
        files, target = self._both(node, here, source, names, destination)
        for name in names:
            if name in target and target[name].data != files[name].data:
                raise Refused(f"{node.name}: {destination}/{name} exists already and differs")
        for name in names:
            target.setdefault(name, MemoryFile(files[name].data, self._wall_time()))
        return tuple(MovedFile(posixpath.join(destination, name), len(target[name].data)) for name in names)

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
        directory, name = posixpath.split(path)
        file = here.directories.get(directory, {}).get(name)
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

    def _both(
        self, node: NodeAddress, here: MemoryNode, source: str, names: Sequence[str], destination: str
    ) -> tuple[dict[str, MemoryFile], dict[str, MemoryFile]]:
        check_plain(names)
        check_directory(destination)
        files = _directory(node, here, source)
        missing = [name for name in names if name not in files]
        if missing:
            raise Refused(f"{node.name}: there is no {source}/{missing[0]}; nothing was done")
        self.make_directory(node.name, destination)
        return files, here.directories[posixpath.normpath(destination)]

    def _reading(self, node: NodeAddress, here: MemoryNode, router: RouterQuery) -> RouterReading | GatewayError:
        try:
            contents = _directory(node, here, router.staging_dir)
        except Refused as error:
            return error
        files = _graw_files(contents)
        newest = max(files, key=lambda file: (file.mtime, file.name), default=None)
        last_event = last_event_of(contents[newest.name].data) if newest else None
        pid = here.routers.get(router.port)
        return RouterReading(pid is not None, files, last_event, here.disk_free, here.disk_total, pid)


def _directory(node: NodeAddress, here: MemoryNode, directory: str) -> dict[str, MemoryFile]:
    check_directory(directory)
    found = here.directories.get(posixpath.normpath(directory))
    if found is None:
        raise Refused(f"{node.name}: there is no directory {directory}")
    return found


def _graw_files(contents: Mapping[str, MemoryFile]) -> tuple[GrawFile, ...]:
    return tuple(GrawFile(name, len(file.data), file.mtime) for name, file in sorted(contents.items()) if is_graw(name))
