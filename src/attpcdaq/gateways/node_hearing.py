"""Does a data router hear its board? A process whose port was taken stays alive and deaf (facts 4)."""

import re
from collections.abc import Awaitable, Callable

from attpcdaq.gateways.node_shell import Output

LOG_TAIL = 32 * 1024
"""What any SFTP server gives at once."""
LISTENING, CONNECTED, HALF_CLOSED = "0A", "01", "08"
_PROC_LINE = re.compile(r"^\s*[0-9]+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) (?:\S+ +){5}([0-9]+)")
_DEAF = re.compile(r"Binding socket.*failed")
_HEARS = re.compile(r"Waiting for client connection|Connection established|New file:")
_SOME_FILE = re.compile(r"^\S+ +[0-9]+ +\S+ +[0-9]+[a-zA-Z -]", re.MULTILINE)
"""A line with the number of an open file: of another user's process only names and refusals are told."""


def proc_command(pid: int, port: int) -> str:
    """What Linux knows of the port in the process's own network, and the files that the process has open."""
    tables = f"/proc/{pid}/net/tcp /proc/{pid}/net/tcp6"
    return f"grep -h ':{port:04X} ' {tables}; ls -l /proc/{pid}/fd"


def lsof_command(pid: int) -> str:
    """What macOS, and many a Linux, tells of the files and sockets that the process has open."""
    return f"lsof -nP -a -p {pid} -d '^txt,^mem'"


def by_proc(text: str, port: int) -> bool | None:
    """Answer of `proc_command`; None when the kernel does not say whose the sockets are."""
    if " -> " not in text:  # the list of open files did not come
        return None
    rows = [row for line in text.splitlines() if (row := _PROC_LINE.match(line)) and int(row[1], 16) == port]
    holding = {row[3] for row in rows if row[2] in (LISTENING, CONNECTED, HALF_CLOSED)}
    if not holding:
        return False
    return not holding.isdisjoint(re.findall(r"socket:\[([0-9]+)\]", text))


def by_lsof(text: str, port: int) -> bool | None:
    """Answer of `lsof_command`; None when it did not see the process's files."""
    if not _SOME_FILE.search(text):
        return None
    local = rf"TCP (?:\[[^\]\s]*\]|[^:\[\s]*):{port}"
    return re.search(rf"{local}(?:->\S+)? \((?:LISTEN|ESTABLISHED|CLOSE_WAIT)\)", text) is not None


def by_log(tail: str) -> bool | None:
    """The newest word of the router's log: while it waits it writes over one line, again and again (facts 4)."""
    for line in reversed(re.split(r"[\r\n]+", tail)):
        if _DEAF.search(line):
            return False
        if _HEARS.search(line):
            return True
    return None


async def hears(
    look: Callable[[str], Awaitable[Output]], read_log: Callable[[], Awaitable[str]], pid: int, port: int, *, proc: bool
) -> bool | None:
    """Does this process listen on its data port, or is it connected there? None when nobody can tell."""
    ways: list[tuple[str, Callable[[str, int], bool | None]]] = [(lsof_command(pid), by_lsof)]
    if proc:
        ways.insert(0, (proc_command(pid, port), by_proc))
    for command, understand in ways:
        found = understand((await look(command)).text, port)
        if found is not None:
            return found
    return by_log(await read_log())
