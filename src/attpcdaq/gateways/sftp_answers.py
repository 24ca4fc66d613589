"""What SFTP answers mean: names, attributes, bytes, file systems. An answer that is none is SFTPBadMessage."""

import stat
import struct
from dataclasses import dataclass

import asyncssh

from attpcdaq.gateways.node_disk import Disk
from attpcdaq.gateways.ports import FileStat
from attpcdaq.gateways.sftp_batch import Answer

SIZE, OWNER, PERMISSIONS, TIMES, EXTENDED = 1, 2, 4, 8, 0x80000000
_SPACE = struct.Struct(">11Q")
_LENGTH = struct.Struct(">I")
_USUAL = struct.Struct(">IQIIIII")
"""Attributes as servers send them: flags, size, owner, group, permissions, times."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a directory, and what lies there."""

    name: str
    is_file: bool
    stat: FileStat


def told(answer: Answer) -> bytes:
    """The answer, or its refusal raised."""
    if isinstance(answer, asyncssh.SFTPError):
        raise answer
    return answer


def data(answer: Answer) -> bytes:
    """Bytes of a file, a handle; nothing at the end of a file."""
    if isinstance(answer, asyncssh.SFTPEOFError):
        return b""
    body = told(answer)
    return _string(body, 0)[0]


def entries(answer: Answer) -> list[Entry]:
    """What one look into a directory told; empty at its end."""
    if isinstance(answer, asyncssh.SFTPEOFError):
        return []
    body = told(answer)
    found, at = [], 4
    for _ in range(int.from_bytes(body[:4], "big")):
        name, at = _string(body, at)
        at = _string(body, at)[1]  # the long name is for people
        attributes, at = _attributes(body, at)
        found.append(Entry(name.decode("utf-8", "surrogateescape"), *attributes))
    return found


def stat_of(answer: Answer) -> FileStat:
    """Size and time."""
    return _attributes(told(answer), 0)[0][1]


def disk(answer: Answer) -> Disk:
    """Free space and size of a file system."""
    body = told(answer)
    if len(body) < _SPACE.size:
        raise asyncssh.SFTPBadMessage("a file system without figures")
    _, fragment, blocks, _, available, *_ = _SPACE.unpack_from(body)
    return Disk(available * fragment, blocks * fragment)


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    end = at + 4 + (_LENGTH.unpack_from(body, at)[0] if len(body) >= at + 4 else len(body))
    if end > len(body):
        raise asyncssh.SFTPBadMessage("an SFTP answer that ends too early")
    return body[at + 4 : end], end


def _attributes(body: bytes, at: int) -> tuple[tuple[bool, FileStat], int]:
    """Is it an ordinary file (or not said), its size and time; and where what follows begins."""
    if len(body) >= at + _USUAL.size:
        flags, size, _, _, mode, _, mtime = _USUAL.unpack_from(body, at)
        if flags == SIZE | OWNER | PERMISSIONS | TIMES:
            return (stat.S_ISREG(mode), FileStat(size, float(mtime))), at + _USUAL.size
    return _any_attributes(body, at)


def _any_attributes(body: bytes, at: int) -> tuple[tuple[bool, FileStat], int]:
    try:
        (flags,) = struct.unpack_from(">I", body, at)
        at += 4
        size = mtime = kind = 0
        if flags & SIZE:
            (size,) = struct.unpack_from(">Q", body, at)
            at += 8
        at += 8 if flags & OWNER else 0
        if flags & PERMISSIONS:
            kind = stat.S_IFMT(struct.unpack_from(">I", body, at)[0])
            at += 4
        if flags & TIMES:
            (mtime,) = struct.unpack_from(">I", body, at + 4)
            at += 8
        if flags & EXTENDED:
            (count,) = struct.unpack_from(">I", body, at)
            at += 4
            for _ in range(2 * count):
                at = _string(body, at)[1]
    except struct.error as error:
        raise asyncssh.SFTPBadMessage("attributes that end too early") from error
    return (kind in (0, stat.S_IFREG), FileStat(size, float(mtime))), at
