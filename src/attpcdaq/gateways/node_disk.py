"""Free space where a directory lies: statvfs where the SFTP server knows it, else `df`."""

import re
import shlex
from dataclasses import dataclass

_DF_LINE = re.compile(r"\s([0-9]{1,20})\s+[0-9]+\s+(-?[0-9]{1,20})\s+[0-9]+%\s")


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes; None where nobody could tell."""

    free: int | None
    total: int | None


UNKNOWN = Disk(None, None)
MOST_BYTES = (1 << 63) - 1
"""More than any file system counts, and the largest number that a database keeps."""


def measured(free: int, total: int) -> Disk:
    """A disk with these bytes; UNKNOWN where there can be none such."""
    return Disk(max(free, 0), total) if free <= MOST_BYTES and total <= MOST_BYTES else UNKNOWN


def df_command(directory: str) -> str:
    """The POSIX form of df: one line for the directory, in blocks of 1024 bytes."""
    return f"df -Pk {shlex.quote(directory)}"


def parse_df(output: str) -> Disk:
    """Answer of `df -Pk DIR`; UNKNOWN when it is none."""
    lines = [found for line in output.splitlines() if (found := _DF_LINE.search(line))]
    if not lines:
        return UNKNOWN
    return measured(int(lines[-1][2]) * 1024, int(lines[-1][1]) * 1024)
