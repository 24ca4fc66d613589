"""Ends process groups when whoever started them is gone: run as a script, told of them on standard input.

`+123` adds a group, `-123` forgets it; the end of the input is the end of our parent. Imports next to nothing,
because it lives as long as the demo does. It needs nothing that only one operating system has.
"""

import os
import signal
import sys
import time

PATIENCE = 3.0


def main() -> None:
    groups: set[int] = set()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for line in sys.stdin:
        group = int(line[1:])
        groups.add(group) if line.startswith("+") else groups.discard(group)
    end(groups)


def end(groups: set[int]) -> None:
    """Politely, then not."""
    left = {group for group in groups if tell(group, signal.SIGTERM)}
    deadline = time.monotonic() + PATIENCE
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if tell(group, 0)}
    for group in left:
        tell(group, signal.SIGKILL)


def tell(group: int, number: int) -> bool:
    """Send a signal to a group (0: only look); False when nobody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
