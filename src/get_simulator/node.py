"""One computer as seen over SSH: what its commands answer (pure; files and time are given)."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Protocol

COMM_LENGTH = 15
"""Linux cuts process names: `getEccSoapServe` (facts 6)."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that lives."""

    pid: int
    args: str
    sockets: tuple[str, ...] = ()

    @property
    def comm(self) -> str:
        return PurePosixPath(self.args.split(" ")[0]).name[:COMM_LENGTH]


@dataclass(frozen=True, slots=True)
class Space:
    """A file system's size and what is free, in units of 1024 bytes."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of a directory."""

    name: str
    size: int
    mtime: float
    is_directory: bool


class NodeFiles(Protocol):
    """The node's files below its root; paths as seen on the node. Raises OSError as a disk does."""

    def read(self, path: str) -> bytes: ...
    def list(self, path: str) -> Sequence[Listed]: ...
    def space(self, path: str) -> Space: ...


@dataclass(frozen=True, slots=True)
class PythonCall:
    """Arguments of a `python3` that is to run in a directory of the node."""

    directory: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command prints and its exit status; `action` is a verb and parts to apply it to."""

    stdout: bytes = b""
    stderr: str = ""
    status: int = 0
    action: tuple[str, tuple[str, ...]] | None = None
    python: PythonCall | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """`services` maps the parts that belong to this node to their program's name, alive or not."""

    name: str
    files: NodeFiles
    processes: Sequence[Process]
    services: Mapping[str, str]

    def run(self, command: str, now: float) -> Result:
        """The result of one simple command or `cd DIR && python3 ...`; unknown ones end with status 127 as in sh."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            return Result(stderr=f"sh: {error}\n", status=2)
        known: dict[str, Callable[[list[str], float], Result]] = {
            "ps": self._ps,
            "df": self._df,
            "cat": self._cat,
            "ls": self._ls,
            "date": self._date,
            "lsof": self._lsof,
            "systemctl": self._systemctl,
            "true": lambda arguments, now: Result(),
        }
        if not words:
            return Result()
        if words[0] == "cd" and words[2:4] == ["&&", "python3"]:
            return self._python(words[1], words[4:])
        program = known.get(PurePosixPath(words[0]).name)
        if program is None:
            return Result(stderr=f"sh: {words[0]}: command not found\n", status=127)
        return program(words[1:], now)

    def _python(self, directory: str, arguments: list[str]) -> Result:
        try:
            self.files.list(directory)
        except OSError as error:
            return Result(stderr=f"sh: cd: {directory}: {error.strerror}\n", status=1)
        return Result(python=PythonCall(directory, tuple(arguments)))

    def _ps(self, arguments: list[str], now: float) -> Result:
        """`-o pid= -o args=` and the like; a column without `=` gets a heading."""
        text = ",".join(word for word in arguments if not word.startswith("-")) or "pid,comm"
        columns = [(name.rstrip("="), name.endswith("=")) for name in text.split(",")]
        for name, _ in columns:
            if name not in ("pid", "args", "command", "comm"):
                return Result(stderr=f'error: unknown user-defined format specifier "{name}"\n', status=1)
        lines = [] if all(silent for _, silent in columns) else [" ".join(name.upper() for name, _ in columns)]
        lines += [" ".join(_cell(process, name) for name, _ in columns) for process in self.processes]
        return Result("".join(f"{line}\n" for line in lines).encode())

    def _df(self, arguments: list[str], now: float) -> Result:
        path = next((word for word in arguments if not word.startswith("-")), "/")
        try:
            space = self.files.space(path)
        except OSError as error:
            return Result(stderr=f"df: {path}: {error.strerror}\n", status=1)
        used = space.total - space.free
        percent = -(-100 * used // space.total) if space.total else 100
        head = "Filesystem     1024-blocks      Used Available Capacity Mounted on\n"
        return Result(f"{head}/dev/disk1 {space.total} {used} {space.free} {percent}% /\n".encode())

    def _cat(self, arguments: list[str], now: float) -> Result:
        output, errors = b"", ""
        for path in arguments:
            try:
                output += self.files.read(path)
            except OSError as error:
                errors += f"cat: {path}: {error.strerror}\n"
        return Result(output, errors, 1 if errors else 0)

    def _ls(self, arguments: list[str], now: float) -> Result:
        long = any(word.startswith("-") and "l" in word for word in arguments)
        output, errors = "", ""
        for path in [word for word in arguments if not word.startswith("-")] or ["/"]:
            try:
                listed = sorted(self.files.list(path), key=lambda one: one.name)
            except OSError as error:
                errors += f"ls: cannot access '{path}': {error.strerror}\n"
                continue
            output += "".join(_long(one) if long else f"{one.name}\n" for one in listed)
        return Result(output.encode(), errors, 2 if errors else 0)

    def _lsof(self, arguments: list[str], now: float) -> Result:
        """`-p PID`: the directory it is in, its standard streams, and its sockets."""
        told = dict(pairwise(arguments)).get("-p")
        process = next((one for one in self.processes if str(one.pid) == told), None)
        if process is None:
            return Result(status=1)
        head = "COMMAND     PID  USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n"
        start = f"{process.comm[:9]:9} {process.pid:5} attpc"
        lines = [f"{start}  cwd    DIR  254,0     4096    2 /staging\n"]
        lines += [f"{start}    {number}r   CHR    1,3      0t0    3 /dev/null\n" for number in range(3)]
        lines += [
            f"{start}    {number}u  IPv4 0x{number:04x}      0t0  TCP {one}\n"
            for number, one in enumerate(process.sockets, 3)
        ]
        return Result((head + "".join(lines)).encode())

    def _date(self, arguments: list[str], now: float) -> Result:
        form = next((word[1:] for word in arguments if word.startswith("+")), "%a %b %e %H:%M:%S %Z %Y")
        nanoseconds = int(now % 1 * 1e9)
        form = form.replace("%s", str(int(now))).replace("%N", f"{nanoseconds:09d}")
        return Result((datetime.fromtimestamp(now).astimezone().strftime(form) + "\n").encode())

    def _systemctl(self, arguments: list[str], now: float) -> Result:
        """`restart|start|stop UNIT`: UNIT is getEccSoapServer, dataRouter, or a part's own name."""
        words = [word for word in arguments if not word.startswith("-")]
        if len(words) != 2 or words[0] not in ("restart", "start", "stop"):
            return Result(stderr=f"Unknown command verb {' '.join(words)!r}.\n", status=1)
        unit = words[1].removesuffix(".service")
        parts = tuple(part for part, program in self.services.items() if unit in (part, program))
        if not parts:
            return Result(stderr=f"Failed to {words[0]} {unit}.service: Unit {unit}.service not found.\n", status=5)
        return Result(action=(words[0], parts))


def _cell(process: Process, column: str) -> str:
    if column == "pid":
        return f"{process.pid:7d}"
    return process.comm if column == "comm" else process.args


def _long(one: Listed) -> str:
    kind = "drwxr-xr-x 2" if one.is_directory else "-rw-r--r-- 1"
    when = datetime.fromtimestamp(one.mtime).astimezone().strftime("%b %e %H:%M")
    return f"{kind} attpc attpc {one.size:10d} {when} {one.name}\n"
