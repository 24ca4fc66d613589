"""One name of an SFTP directory listing, as cheap as it can be: a node's directory may hold thousands."""

import os
import stat
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncssh

_LENGTH = struct.Struct(">I")
_ATTRIBUTES = struct.Struct(">IQIIIII")
"""Flags, size, owner, group, permissions, times of access and change: version 3, as OpenSSH sends them."""
FLAGS = 0x01 | 0x02 | 0x04 | 0x08
MOST_SECONDS = (1 << 32) - 1


class ListedName(asyncssh.SFTPName):
    """Encodes itself in one step: asyncssh's own looks up owner and group of each name, and does 50 us of work."""

    def __init__(self, filename: bytes, found: os.stat_result) -> None:
        self._name, self._long, self._found = filename, long_name(filename, found), found
        self.filename, self.longname = self._name, self._long

    def encode(self, sftp_version: int) -> bytes:
        """As version 3 has it, the only one that is spoken here."""
        name, long, found = self._name, self._long, self._found
        times = (min(max(int(one), 0), MOST_SECONDS) for one in (found.st_atime, found.st_mtime))
        attributes = _ATTRIBUTES.pack(FLAGS, found.st_size, found.st_uid, found.st_gid, found.st_mode, *times)
        return b"".join((_LENGTH.pack(len(name)), name, _LENGTH.pack(len(long)), long, attributes))


def names_in(directory: bytes) -> Iterator[ListedName]:
    """All names of a directory, itself and the one above it first. OSError."""
    itself = Path(os.fsdecode(directory)).stat()
    for name in (b".", b".."):
        yield ListedName(name, itself)
    with os.scandir(directory) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # moved away since the directory was opened
                yield ListedName(entry.name, entry.stat(follow_symlinks=False))


def long_name(filename: bytes, found: os.stat_result) -> bytes:
    """As `ls -l` writes it, with numbers for owner and group."""
    day = time.strftime("%b %e  %Y", time.localtime(found.st_mtime))
    owner = f"{found.st_nlink:4d} {found.st_uid:<8d} {found.st_gid:<8d}"
    return f"{stat.filemode(found.st_mode)} {owner} {found.st_size:>8d} {day} ".encode() + filename
