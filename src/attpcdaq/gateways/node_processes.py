"""Which data routers run on a node, from one `ps` (facts 4 and 6)."""

import posixpath
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

PS_COMMAND = "ps -A -ww -o pid= -o args="
"""In the words of POSIX, which ends a list at the first `=`; BSD cuts lines at 79 characters unless told not to."""
DEFAULT_DATA_PORT = 46005
ROUTER_PROGRAMS = frozenset({"dataRouter", "daqServer", "DataExporter"})
_LINE = re.compile(r"\s*([0-9]{1,9})\s+(\S.*)")
_INTERPRETER = re.compile(r"-?(?:python[0-9.]*|perl|ruby|env|nohup|sudo|exec|stdbuf|nice|(?:ba|da|z|k)?sh)")
_PORT = re.compile(r":([0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True)
class Process:
    """A running program: base name of the program (or of the script that an interpreter runs) and its arguments."""

    pid: int
    program: str
    arguments: tuple[str, ...]
    is_wrapped: bool = False
    """It is a shell, a sudo or the like: what it runs may be another process, which holds the sockets."""


def parse_ps(output: str, programs: Collection[str] = ()) -> tuple[Process, ...]:
    """Processes of `PS_COMMAND` on Linux or macOS; other lines (a login banner) are passed over.

    With `programs` only those that may be one of them, or any data router: a node has hundreds of others.
    """
    wanted = re.compile("|".join(map(re.escape, ROUTER_PROGRAMS.union(programs))) if programs else "")
    lines = (_LINE.match(line) for line in output.splitlines() if wanted.search(line))
    return tuple(_process(int(line[1]), line[2].split()) for line in lines if line)


def router_pid(processes: Iterable[Process], process_name: str, port: int) -> int | None:
    """Process id of the data router with this data port; None when it does not run.

    A lone router that names no port at all is taken for it: its own start script may know better than `ps`.
    """
    names = ROUTER_PROGRAMS | {process_name} if process_name in ROUTER_PROGRAMS else {process_name, "DataExporter"}
    routers = sorted((one for one in processes if one.program in names), key=lambda one: (one.is_wrapped, one.pid))
    for router in routers:
        if _data_port(router.arguments) == port:
            return router.pid
    routers = [one for one in routers if not one.is_wrapped] or routers
    if len(routers) == 1 and not any(map(_PORT.search, routers[0].arguments)):
        return routers[0].pid
    return None


def _process(pid: int, words: list[str]) -> Process:
    told = len(words)
    while len(words) > 1 and _INTERPRETER.fullmatch(posixpath.basename(words[0])):
        rest = [number for number, word in enumerate(words[1:], 1) if not word.startswith("-") and "=" not in word]
        if not rest:
            break
        words = words[rest[0] :]
    return Process(pid, posixpath.basename(words[0]), tuple(words[1:]), len(words) < told)


def _data_port(arguments: tuple[str, ...]) -> int:
    """Port in the second argument, `dataRouter ctrlIP:port dataIP:port ...`; 46005 where it names none."""
    told = _PORT.search(arguments[1]) if len(arguments) > 1 else None
    return int(told[1]) if told else DEFAULT_DATA_PORT
