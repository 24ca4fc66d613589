"""SFTP requests in batches: many in one packet, which cost a fraction of one call each.

Version 3 of the protocol, and only what is asked of many files at once or again and again: readings, listings, renames,
and small files copied or put there.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import asyncssh

OPEN, CLOSE, READ, WRITE, FSTAT, OPENDIR, READDIR, REMOVE, MKDIR, STAT, RENAME, EXTENDED = (
    3, 4, 5, 6, 8, 11, 12, 13, 14, 17, 18, 200
)  # fmt: skip
TO_READ, TO_WRITE_ANEW = 1, 2 | 8 | 32
"""How a file is opened: the latter makes it, and fails where there is one."""
PIECE = 32 * 1024
"""Bytes that any server reads or writes at once."""
INIT, VERSION, STATUS = 1, 2, 101
CORK: int | None = getattr(socket, "TCP_CORK", None)
MAX_PACKET = 1 << 20
"""Longer than any answer: a reading asks for 64 kB at the most, and a server tells a hundred names at a time."""
_ANSWERS = {OPEN: 102, OPENDIR: 102, READ: 103, READDIR: 104, STAT: 105, FSTAT: 105, EXTENDED: 201}


@dataclass(frozen=True, slots=True)
class Request:
    """A question: its type, and what follows the number."""

    kind: int
    body: bytes


def text(value: str | bytes) -> bytes:
    """A string as the protocol writes it."""
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return struct.pack(">I", len(data)) + data


def open_file(path: str) -> Request:
    return Request(OPEN, text(path) + struct.pack(">II", TO_READ, 0))


def make_file(path: str) -> Request:
    return Request(OPEN, text(path) + struct.pack(">II", TO_WRITE_ANEW, 0))


def close(handle: bytes) -> Request:
    return Request(CLOSE, text(handle))


def open_directory(path: str) -> Request:
    return Request(OPENDIR, text(path))


def read_names(handle: bytes) -> Request:
    return Request(READDIR, text(handle))


def read_bytes(handle: bytes, size: int, offset: int) -> Request:
    return Request(READ, text(handle) + struct.pack(">QI", offset, size))


def read_all(handle: bytes, size: int, offset: int = 0) -> list[Request]:
    """So many bytes, in pieces."""
    end = offset + size
    return [read_bytes(handle, min(PIECE, end - at), at) for at in range(offset, end, PIECE)]


def write_all(handle: bytes, data: bytes) -> list[Request]:
    """From the beginning, in pieces."""
    pieces = ((at, data[at : at + PIECE]) for at in range(0, len(data), PIECE))
    return [Request(WRITE, text(handle) + struct.pack(">Q", at) + text(piece)) for at, piece in pieces]


def make_directory(path: str) -> Request:
    return Request(MKDIR, text(path) + struct.pack(">I", 0))


def remove(path: str) -> Request:
    return Request(REMOVE, text(path))


def stat(path: str) -> Request:
    return Request(STAT, text(path))


def stat_open(handle: bytes) -> Request:
    return Request(FSTAT, text(handle))


def rename(old: str, new: str) -> Request:
    """Fails where the new name exists."""
    return Request(RENAME, text(old) + text(new))


def replace(old: str, new: str) -> Request:
    """Takes the place of what has the new name, in one step."""
    return Request(EXTENDED, text("posix-rename@openssh.com") + text(old) + text(new))


def stat_space(path: str) -> Request:
    return Request(EXTENDED, text("statvfs@openssh.com") + text(path))


Answer = bytes | asyncssh.SFTPError
"""What follows the number; or the server's refusal, which the caller raises or not."""


@dataclass(slots=True)
class _Batch:
    kinds: Sequence[int]
    first: int
    answers: list[Answer | None]
    left: int
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Session(asyncssh.SSHClientSession[bytes]):
    """One SFTP channel."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._number = 0
        self._waiting: dict[int, _Batch] = {}
        self._later = b""
        self._version: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan
        self._socket = chan.get_extra_info("socket")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(asyncssh.SFTPConnectionLost(str(exc or "the SFTP channel was closed")))

    def data_received(self, data: bytes, datatype: int | None) -> None:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 4:
            size = int.from_bytes(buffer[:4], "big")
            if not 5 <= size <= MAX_PACKET:
                self._fail(asyncssh.SFTPBadMessage(f"an SFTP packet of {size} bytes"))
                self._channel.abort()
                return
            if len(buffer) < 4 + size:
                return
            packet = bytes(buffer[4 : 4 + size])
            del buffer[: 4 + size]
            self._take(packet)

    async def begin(self) -> None:
        """Agree on the version."""
        self._channel.write(struct.pack(">IBI", 5, INIT, 3))
        await self._version

    async def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers, in the order of the requests; a server answers them in that order, one after the other."""
        if not requests:
            return []
        batch = _Batch([one.kind for one in requests], self._number, [None] * len(requests), len(requests))
        packets, self._later = [self._later], b""
        for one in requests:
            self._waiting[self._number] = batch
            packets.append(self._packet(one))
        if self._channel.is_closing():
            self._fail(asyncssh.SFTPConnectionLost("the SFTP channel was closed"))
        else:
            self._send(b"".join(packets))
        await batch.done
        return [answer for answer in batch.answers if answer is not None]

    def forget(self, handles: Sequence[bytes]) -> None:
        """Have them closed, together with the next question; nobody waits for that."""
        self._later += b"".join(self._packet(close(handle)) for handle in handles)

    def _packet(self, request: Request) -> bytes:
        packet = struct.pack(">IBI", len(request.body) + 5, request.kind, self._number) + request.body
        self._number = (self._number + 1) & 0xFFFFFFFF
        return packet

    def _send(self, data: bytes) -> None:
        """In one piece: SSH puts an empty packet before it, which is not worth a journey of its own."""
        self._cork(True)
        self._channel.write(data)
        self._cork(False)

    def _cork(self, on: bool) -> None:
        if CORK is not None and self._socket is not None:
            with suppress(OSError):  # closed meanwhile
                self._socket.setsockopt(socket.IPPROTO_TCP, CORK, on)

    def _take(self, packet: bytes) -> None:
        if packet[0] == VERSION:
            if not self._version.done():
                self._version.set_result(None)
            return
        number = int.from_bytes(packet[1:5], "big")
        batch = self._waiting.pop(number, None)
        if batch is None:
            return
        index = (number - batch.first) & 0xFFFFFFFF
        batch.answers[index] = _answer(batch.kinds[index], packet)
        batch.left -= 1
        if batch.left == 0 and not batch.done.done():
            batch.done.set_result(None)

    def _fail(self, error: asyncssh.SFTPError) -> None:
        waiting, self._waiting = self._waiting, {}
        for done in (self._version, *(batch.done for batch in waiting.values())):
            if not done.done():
                done.set_exception(error)
                done.exception()  # it may be that nobody waits any more


async def open_session(connection: asyncssh.SSHClientConnection) -> Session:
    """A channel of its own beside that of asyncssh's SFTP client."""
    _, session = await connection.create_session(Session, subsystem="sftp", encoding=None)
    assert isinstance(session, Session)
    await session.begin()
    return session


def _answer(kind: int, packet: bytes) -> Answer:
    if packet[0] == STATUS and len(packet) >= 9:
        code = int.from_bytes(packet[5:9], "big")
        said = packet[13 : 13 + int.from_bytes(packet[9:13], "big")].decode("utf-8", "replace")
        return b"" if code == 0 else _REFUSALS.get(code, asyncssh.SFTPFailure)(said or f"status {code}")
    if packet[0] != _ANSWERS.get(kind):
        return asyncssh.SFTPBadMessage(f"an SFTP answer of type {packet[0]} to a request of type {kind}")
    return packet[5:]


_REFUSALS: dict[int, Callable[[str], asyncssh.SFTPError]] = {
    1: asyncssh.SFTPEOFError,
    2: asyncssh.SFTPNoSuchFile,
    3: asyncssh.SFTPPermissionDenied,
    8: asyncssh.SFTPOpUnsupported,
    10: asyncssh.SFTPNoSuchFile,
    19: asyncssh.SFTPNoSuchFile,
}
