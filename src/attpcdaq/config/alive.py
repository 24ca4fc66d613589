"""`python -m attpcdaq.config.alive FILE SECONDS`: whether a process touched its file lately. For health checks."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

USAGE = "usage: python -m attpcdaq.config.alive FILE SECONDS"


def main(words: Sequence[str], now: float) -> int:
    """Exit status 0 when FILE is at most SECONDS old at `now`, 1 with the reason when not, 2 for wrong words."""
    try:
        file, seconds = Path(words[0]), float(words[1])
    except (IndexError, ValueError):
        return _end(2, USAGE)
    try:
        age = now - file.stat().st_mtime
    except OSError as error:
        return _end(1, f"{file}: {error.strerror}: the process has not said yet that it is at work")
    if abs(age) > seconds:
        return _end(1, f"{file} was touched {age:.0f} s ago, and {seconds:g} s are allowed")
    return _end(0, f"alive {age:.0f} s ago")


def _end(status: int, text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], time.time()))
