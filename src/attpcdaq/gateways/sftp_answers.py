"""What SFTP answers mean: names, attributes, bytes, file systems. An answer that is none is SFTPBadMessage."""

import stat
import struct

import asyncssh

from attpcdaq.gateways.node_disk import Disk, measured
from attpcdaq.gateways.ports import FileStat
from attpcdaq.gateways.sftp_batch import Answer

SIZE, OWNER, PERMISSIONS, TIMES, EXTENDED = 1, 2, 4, 8, 0x80000000
_SPACE = struct.Struct(">11Q")
_LENGTH = struct.Struct(">I")
_USUAL = struct.Struct(">IQIIIII")
"""Attributes as servers send them: flags, size, owner, group, permissions, times."""


Entry = tuple[str, bool, int, float]
"""A name in a directory; is it an ordinary file (or not said), its size and time."""


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
    found: list[Entry] = []
    try:
        at = 4
        for _ in range(_LENGTH.unpack_from(body)[0]):
            name = at + 4 + _LENGTH.unpack_from(body, at)[0]
            attributes = name + 4 + _LENGTH.unpack_from(body, name)[0]  # after the long name, which is for people
            text = body[at + 4 : name].decode("utf-8", "surrogateescape")
            is_file, size, mtime, at = _attributes(body, attributes)
            found.append((text, is_file, size, mtime))
    except struct.error as error:
        raise asyncssh.SFTPBadMessage("a list of names that ends too early") from error
    return found


def stat_of(answer: Answer) -> FileStat:
    """Size and time."""
    try:
        _, size, mtime, _ = _attributes(told(answer), 0)
    except struct.error as error:
        raise asyncssh.SFTPBadMessage("attributes that end too early") from error
    return FileStat(size, mtime)


def is_ordinary(answer: Answer) -> bool:
    """Whether it is an ordinary file, or a server does not say; what is refused is raised."""
    try:
        return _attributes(told(answer), 0)[0]
    except struct.error as error:
        raise asyncssh.SFTPBadMessage("attributes that end too early") from error


def is_directory(answer: Answer) -> bool:
    """Whether it is known that there is a directory."""
    if isinstance(answer, asyncssh.SFTPError):
        return False
    try:
        (flags,) = _LENGTH.unpack_from(answer)
        at = 4 + (8 if flags & SIZE else 0) + (8 if flags & OWNER else 0)
        return bool(flags & PERMISSIONS) and stat.S_ISDIR(_LENGTH.unpack_from(answer, at)[0])
    except struct.error as error:
        raise asyncssh.SFTPBadMessage("attributes that end too early") from error


def disk(answer: Answer) -> Disk:
    """Free space and size of a file system."""
    body = told(answer)
    if len(body) < _SPACE.size:
        raise asyncssh.SFTPBadMessage("a file system without figures")
    _, fragment, blocks, _, available, *_ = _SPACE.unpack_from(body)
    return measured(available * fragment, blocks * fragment)


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    end = at + 4 + (_LENGTH.unpack_from(body, at)[0] if len(body) >= at + 4 else len(body))
    if end > len(body):
        raise asyncssh.SFTPBadMessage("an SFTP answer that ends too early")
    return body[at + 4 : end], end


def _attributes(body: bytes, at: int) -> tuple[bool, int, float, int]:
    """Is it an ordinary file (or not said), its size and time; and where what follows begins. struct.error."""
    if len(body) >= at + _USUAL.size:
        flags, size, _, _, mode, _, mtime = _USUAL.unpack_from(body, at)
        if flags == SIZE | OWNER | PERMISSIONS | TIMES:
            return mode & 0o170000 == stat.S_IFREG, size, float(mtime), at + _USUAL.size
    return _any_attributes(body, at)


def _any_attributes(body: bytes, at: int) -> tuple[bool, int, float, int]:
    (flags,) = _LENGTH.unpack_from(body, at)
    at += 4
    size = mtime = kind = 0
    if flags & SIZE:
        (size,) = struct.unpack_from(">Q", body, at)
        at += 8
    at += 8 if flags & OWNER else 0
    if flags & PERMISSIONS:
        kind = stat.S_IFMT(_LENGTH.unpack_from(body, at)[0])
        at += 4
    if flags & TIMES:
        (mtime,) = _LENGTH.unpack_from(body, at + 4)
        at += 8
    if flags & EXTENDED:
        (count,) = _LENGTH.unpack_from(body, at)
        at += 4
        for _ in range(2 * count):
            at += 4 + _LENGTH.unpack_from(body, at)[0]
    return kind in (0, stat.S_IFREG), size, float(mtime), at
