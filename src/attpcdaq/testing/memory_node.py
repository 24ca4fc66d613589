"""One node in memory: its directories, processes, disk and clock, and the order of failures."""

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.file_names import check_path, check_plain, expanded, is_graw, parents
from attpcdaq.gateways.last_event import last_event_of
from attpcdaq.gateways.ports import (
    CommandResult,
    GrawFile,
    NodeAddress,
    NodeClock,
    RouterQuery,
    RouterReading,
    ShownKey,
)

EXAMPLE_KEY = ShownKey(
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEFUVFBDREFRIG1lbW9yeSBub2RlIGhvc3Qga2V5ISEh",
    "SHA256:QWxsIG5vZGVzIGluIG1lbW9yeSBzaG93IHRoaXMga2V5",
)
EXACT = NodeClock(0.0, 0.0005, 0)


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
    deaf: dict[int, bool | None] = field(default_factory=dict)
    """By data port: True when its router's port was taken, None when nobody can tell."""
    next_pid: int = 1000
    disk_free: int = 500 * 10**9
    disk_total: int = 1000 * 10**9
    home: str = "/home/attpc"
    clock: NodeClock = EXACT
    host_key: ShownKey = EXAMPLE_KEY
    trouble: dict[str, tuple[GatewayError, float]] = field(default_factory=dict)
    hanging: bool = False
    commands: dict[str, Callable[[], CommandResult]] = field(default_factory=dict)
    commands_run: list[str] = field(default_factory=list)

    def make_directory(self, directory: str) -> dict[str, MemoryFile]:
        """Like mkdir -p; the directory."""
        for path in parents(directory):
            self.directories.setdefault(path, {})
        return self.directories[posixpath.normpath(directory)]

    def put(self, path: str, file: MemoryFile) -> None:
        """Make or replace a file, and its directory."""
        directory, name = posixpath.split(path)
        self.make_directory(directory)[name] = file

    def file(self, path: str) -> MemoryFile | None:
        """The file at a path; None where there is none."""
        directory, name = posixpath.split(self.absolute(path))
        return self.directories.get(posixpath.normpath(directory), {}).get(name)

    def absolute(self, path: str) -> str:
        """The path with the node's home directory for `~`; Refused unless it is one."""
        check_path(path)
        return expanded(path, self.home)


def directory_of(node: NodeAddress, here: MemoryNode, directory: str) -> dict[str, MemoryFile]:
    """Contents of a directory; Refused (MISSING) where there is none."""
    found = here.directories.get(posixpath.normpath(here.absolute(directory)))
    if found is None:
        raise Refused(f"{node.name}: there is no directory {directory}", Refused.MISSING)
    return found


def both(
    node: NodeAddress, here: MemoryNode, source: str, moves: Mapping[str, str], destination: str
) -> tuple[dict[str, MemoryFile], dict[str, MemoryFile]]:
    """Contents of the two directories, the second being made; Refused where a file to take is missing."""
    check_plain([*moves, *moves.values()])
    check_path(destination)
    files = directory_of(node, here, source)
    missing = [name for name in moves if name not in files]
    if missing:
        raise Refused(f"{node.name}: there is no {source}/{missing[0]}; nothing was done", Refused.MISSING)
    return files, here.make_directory(here.absolute(destination))


def graw_files(contents: Mapping[str, MemoryFile]) -> tuple[GrawFile, ...]:
    """The data files among them, by name."""
    return tuple(GrawFile(name, len(file.data), file.mtime) for name, file in sorted(contents.items()) if is_graw(name))


def reading(node: NodeAddress, here: MemoryNode, router: RouterQuery) -> RouterReading | GatewayError:
    """What a look at one router tells."""
    try:
        contents = directory_of(node, here, router.staging_dir)
    except Refused as error:
        return error
    files = graw_files(contents)
    last_event = _last_event(contents, files)
    pid = here.routers.get(router.port)
    hears = None if pid is None else _hears(here, router.port)
    return RouterReading(pid is not None, files, last_event, here.disk_free, here.disk_total, pid, hears)


def _hears(here: MemoryNode, port: int) -> bool | None:
    deaf = here.deaf.get(port, False)
    return None if deaf is None else not deaf


def _last_event(contents: Mapping[str, MemoryFile], files: Sequence[GrawFile]) -> int | None:
    newest = max(files, key=lambda file: (file.mtime, file.name), default=None)
    return last_event_of(contents[newest.name].data) if newest else None
