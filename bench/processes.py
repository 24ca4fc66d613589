"""CPU time and memory of processes, as Linux counts them."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [pid, *(descendant for child in children for descendant in family(child))]


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def pss_mb(pids: Iterable[int]) -> float:
    """Proportional set size together, in MB (shared pages are counted once)."""
    rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    lines = [line for text in rollups for line in text.splitlines() if line.startswith("Pss:")]
    return sum(int(line.split()[1]) for line in lines) * 1024 / 1e6


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far; it ticks every 10 ms."""
    stats = (Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids)
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / TICKS


def cpu_seconds_of_family(pid: int) -> float:
    """The same for a process, its descendants, and those of them that have ended."""
    stats = (Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split() for one in family(pid))
    return sum(sum(map(int, fields[11:15])) for fields in stats) / TICKS


def cpu_share(pids: Callable[[], Iterable[int]], seconds: float) -> float:
    """CPU used per second of time while `seconds` go by: 1 is a whole core."""
    began, before = time.monotonic(), cpu_seconds(pids())
    time.sleep(seconds)
    return (cpu_seconds(pids()) - before) / (time.monotonic() - began)
