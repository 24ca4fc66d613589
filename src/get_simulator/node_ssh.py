"""A node's SSH server: commands answered by `node`, SFTP on the node's own directory."""

import asyncio
import errno
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import asyncssh

from get_simulator.faults import Fault, FaultBook, FaultKind
from get_simulator.node import Listed, Result, Space
from get_simulator.node_listing import names_in
from get_simulator.node_python import run_python
from get_simulator.ports import ReservedPort

SLOW_S = 10.0
PROC = re.compile(rb"/proc/(self|[0-9]{1,9})")
SFTP_CALLS = (
    "open", "close", "read", "write", "lstat", "stat", "fstat", "setstat", "fsetstat", "remove", "mkdir", "rmdir",
    "realpath", "rename", "posix_rename", "readlink", "symlink", "link", "fsync", "statvfs", "fstatvfs",
)  # fmt: skip


class DirectoryNodeFiles:
    """The files below a node's root directory; `full` tells whether its disk is to seem full."""

    def __init__(self, root: Path, full: Callable[[], bool]) -> None:
        self._root, self._full = root.resolve(), full

    def read(self, path: str) -> bytes:
        return self._real(path).read_bytes()

    def list(self, path: str) -> list[Listed]:
        found = [self._real(path)] if self._real(path).is_file() else list(self._real(path).iterdir())
        stats = [(one, one.stat()) for one in found]
        return [Listed(one.name, stat.st_size, stat.st_mtime, one.is_dir()) for one, stat in stats]

    def space(self, path: str) -> Space:
        usage = shutil.disk_usage(self._real(path))
        return Space(usage.total // 1024, 0 if self._full() else usage.free // 1024)

    def _real(self, path: str) -> Path:
        inside = os.path.normpath("/" + path).lstrip("/")
        return self._root / inside


class Gate:
    """Holds up or breaks what is asked of a node, as its faults say."""

    def __init__(self, name: str, faults: FaultBook) -> None:
        self._name, self._faults = name, faults
        self.changed = asyncio.Event()

    def disk_full(self) -> bool:
        return self._faults.find((self._name,), FaultKind.DISK_FULL) is not None

    def drops(self) -> bool:
        return self.take(FaultKind.DROP) is not None

    def take(self, kind: FaultKind) -> Fault | None:
        """The fault of this kind that strikes now, counted as used."""
        return self._faults.take((self._name,), kind)

    async def passed(self) -> None:
        """Wait as long as the node is slow or hangs."""
        slow = self._faults.take((self._name,), FaultKind.SLOW)
        if slow is not None:
            await asyncio.sleep(SLOW_S if slow.seconds is None else slow.seconds)
        hang = self._faults.take((self._name,), FaultKind.HANG)
        while hang is not None and not hang.cleared:
            await self.changed.wait()

    def look_again(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class _Sftp(asyncssh.SFTPServer):
    """asyncssh's own file operations, chrooted; each passes the gate first."""

    def __init__(
        self, chan: asyncssh.SSHServerChannel[bytes], gate: Gate, root: Path, pids: Callable[[], Collection[int]]
    ) -> None:
        super().__init__(chan, chroot=os.fsencode(root))
        self.gate, self._root, self._pids = gate, root, pids

    def process(self, path: bytes) -> os.stat_result | None:
        """`/proc/PID` as on Linux, of a process that lives; None for other paths."""
        found = PROC.fullmatch(path)
        if found is None:
            return None
        if found[1] != b"self" and int(found[1]) not in self._pids():
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return self._root.stat()

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        await self.gate.passed()
        for name in names_in(self.map_path(path)):
            yield name

    def full(self, found: os.statvfs_result) -> asyncssh.SFTPVFSAttrs:
        """The file system's figures, with nothing free if the disk is to seem full."""
        attrs = asyncssh.SFTPVFSAttrs.from_local(found)
        if self.gate.disk_full():
            attrs.bfree = attrs.bavail = 0
        return attrs


def _gated(name: str) -> Callable[..., Awaitable[Any]]:
    plain = getattr(asyncssh.SFTPServer, name)

    async def call(self: _Sftp, *arguments: Any) -> Any:
        if self.gate.drops():
            self.connection.abort()
        await self.gate.passed()
        process = self.process(arguments[0]) if name == "stat" else None
        if process is not None:
            return process
        result = plain(self, *arguments)
        return self.full(result) if name.endswith("statvfs") else result

    return call


for _name in SFTP_CALLS:
    setattr(_Sftp, _name, _gated(_name))


class _Server(asyncssh.SSHServer):
    def __init__(self, ssh: "NodeSsh") -> None:
        self._ssh = ssh

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._ssh.connections.add(conn)
        if self._ssh.gate.drops():
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ssh.connections.discard(self._connection)

    async def begin_auth(self, username: str) -> bool:
        await self._ssh.gate.passed()
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Only the one user, only with a key that is in the file now."""
        return username == self._ssh.user and key in _keys_of(self._ssh.authorized_keys)


class NodeSsh:
    """The SSH server of one node; `run` answers a command, `pids` are the processes that live."""

    def __init__(
        self,
        name: str,
        address: str,
        port: int,
        root: Path,
        gate: Gate,
        run: Callable[[str], Awaitable[Result]],
        pids: Callable[[], Collection[int]],
    ) -> None:
        self.name, self.root, self.gate = name, root, gate
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self.alive = False
        self.user = ""
        self.authorized_keys: Path | None = None
        self._run, self._pids = run, pids
        self._port = ReservedPort(name, address, port)
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def port(self) -> int:
        return self._port.port

    async def start(self, host_key: asyncssh.SSHKey, user: str, authorized_keys: Path | None) -> None:
        """Listen; only `user` with a key in the file gets in."""
        self.user, self.authorized_keys = user, authorized_keys
        self._acceptor = await asyncssh.listen(
            sock=self._port.listen(),
            server_factory=lambda: _Server(self),
            server_host_keys=[host_key],
            password_auth=False,
            process_factory=self._process,
            sftp_factory=lambda chan: _Sftp(chan, self.gate, self.root, self._pids),
            encoding=None,
        )
        self.alive = True

    def kill(self) -> None:
        """The machine is gone: connections break, new ones are refused."""
        self.alive = False
        if self._acceptor is not None:
            self._acceptor.close()
            self._acceptor = None
        for connection in list(self.connections):
            connection.abort()

    def close(self) -> None:
        self.kill()
        self._port.close()

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        if self.gate.drops():
            process.channel.get_connection().abort()
            return
        await self.gate.passed()
        if process.command is None:
            process.stderr.write(b"This node answers commands and SFTP, it has no shell.\n")
            process.exit(1)
            return
        result = await self._run(process.command)
        if result.python is not None and self.gate.take(FaultKind.NO_PYTHON) is None:
            await run_python(result.python, self.root, process)
            return
        if result.python is not None:
            result = Result(stderr="sh: python3: command not found\n", status=127)
        process.stdout.write(result.stdout)
        process.stderr.write(result.stderr.encode())
        process.exit(result.status)


def _keys_of(path: Path | None) -> Sequence[asyncssh.SSHKey]:
    """The keys in an authorized_keys file; none if it is absent or unreadable."""
    try:
        return asyncssh.read_public_key_list(path) if path is not None else []
    except (OSError, asyncssh.KeyImportError):
        return []


def host_key(path: Path) -> asyncssh.SSHKey:
    """The nodes' ed25519 host key, made and stored (mode 600) if the file is absent."""
    if path.exists():
        return asyncssh.read_private_key(path)
    key = asyncssh.generate_private_key("ssh-ed25519", comment="simulated node")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    key.write_private_key(path)
    return key
