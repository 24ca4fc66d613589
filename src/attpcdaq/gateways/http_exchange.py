"""One HTTP exchange on one connection, as ECC servers speak it: they close after every answer (facts 1.1)."""

import asyncio
import errno
import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Unreachable

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024
READ_BYTES = 256 * 1024
Place = tuple[int, tuple[str, int]]
Head = tuple[int, int, int | None]  # status, where the body begins, its length if told
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: |\r|\Z)")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,10})[ \t]*(?=\r\n|\Z)", re.IGNORECASE)
_ENCODED = re.compile(rb"\r\n(?:transfer|content)-encoding:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and body."""

    status: int
    body: bytes


class Exchange:
    """One request and its answer on one non-blocking socket; `answer` gets what came of it.

    Made of a bare socket because every server is asked twice a second: half the CPU of a full client, and it
    knows exactly whether the request has left (docs/adr/0008).
    """

    def __init__(self, request: bytes, loop: asyncio.AbstractEventLoop) -> None:
        self.answer: asyncio.Future[Answer] = loop.create_future()
        self._loop = loop
        self._unsent = memoryview(request)
        self._sent = False
        self._waiting_to_write = False
        self._socket: socket.socket | None = None
        self._received = bytearray()
        self._head: Head | None = None

    def begin(self, family: int, address: tuple[str, int]) -> None:
        """Connect and send as soon as that is possible, at once on a fast network."""
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        error = self._socket.connect_ex(address)
        if error not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._finish(Unreachable(why(OSError(error, os.strerror(error)))))
            return
        self._loop.add_reader(self._socket, self._readable)
        self._write()

    def expire(self, timeout: float) -> None:
        """The deadline has come."""
        if not self._sent:
            self._finish(Unreachable(f"no connection within {timeout:g} s"))
        else:
            self._finish(NoAnswer(f"no {'complete ' if self._received else ''}answer within {timeout:g} s"))

    def close(self) -> None:
        """Give up the connection; an outcome that nobody waited for is dropped."""
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            if self._waiting_to_write:
                self._loop.remove_writer(self._socket)
            self._socket.close()
            self._socket = None
        if not self.answer.cancel() and not self.answer.cancelled():
            self.answer.exception()

    def _write(self) -> None:
        assert self._socket is not None
        try:
            size = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            size = 0
        except OSError as error:
            if error.errno != errno.ENOTCONN or self._waiting_to_write:
                self._broken(error)
                return
            size = 0
        if size:
            self._sent = True
            self._unsent = self._unsent[size:]
        if self._unsent and not self._waiting_to_write:
            self._loop.add_writer(self._socket, self._write)
        elif not self._unsent and self._waiting_to_write:
            self._loop.remove_writer(self._socket)
        self._waiting_to_write = bool(self._unsent)

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._broken(error)
            return
        self._received += data
        self._advance(at_end=not data)

    def _broken(self, error: OSError) -> None:
        if not self._sent and self._socket is not None:
            # Some systems tell the reason of a failed connection only here.
            reason = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self._finish(Unreachable(why(OSError(reason, os.strerror(reason)) if reason else error)))
        elif self._received:
            self._finish(BadReply(f"the connection broke off within its answer ({error})"))
        else:
            self._finish(NoAnswer("it broke off the connection without an answer"))

    def _advance(self, *, at_end: bool) -> None:
        if at_end and not self._sent:
            self._finish(Unreachable("it closed the connection before anything was sent"))
            return
        if at_end and not self._received:
            self._finish(NoAnswer("it closed the connection without an answer"))
            return
        try:
            answer = self._complete(at_end=at_end)
            if answer is None and at_end:
                raise BadReply("its answer ended within the HTTP header")
        except BadReply as error:
            self._finish(error)
            return
        if answer is not None:
            self._finish(answer)

    def _complete(self, *, at_end: bool) -> Answer | None:
        if self._head is None:
            self._head = _read_head(self._received)
            if self._head is None:
                return None
        status, start, length = self._head
        size = len(self._received) - start
        if (length or size) > MAX_BODY_BYTES:
            raise BadReply(f"its answer is larger than {MAX_BODY_BYTES} bytes")
        if length is None:
            return Answer(status, bytes(self._received[start:])) if at_end else None
        if size >= length:
            return Answer(status, bytes(self._received[start : start + length]))
        if at_end:
            raise BadReply(f"its answer ended after {size} of {length} bytes")
        return None

    def _finish(self, outcome: Answer | GatewayError) -> None:
        if not self.answer.done():
            if isinstance(outcome, Answer):
                self.answer.set_result(outcome)
            else:
                self.answer.set_exception(outcome)
        if self._socket is not None:
            self._loop.remove_reader(self._socket)


async def exchange(host: str, port: int, request: bytes, timeout: float) -> Answer:
    """Send `request` once and wait for the answer, connecting included, `timeout` seconds.

    Unreachable: it never left. NoAnswer, BadReply: it left, the outcome is unknown.
    """
    ends = asyncio.get_running_loop().time() + timeout
    *others, last = _numeric(host, port) or await _resolve(host, port, timeout)
    for family, address in others:
        with suppress(Unreachable):  # as when localhost is ::1 first and nobody listens there
            return await _attempt(family, address, request, ends, timeout)
    return await _attempt(*last, request, ends, timeout)


async def _attempt(family: int, address: tuple[str, int], request: bytes, ends: float, timeout: float) -> Answer:
    loop = asyncio.get_running_loop()
    attempt = Exchange(request, loop)
    timer = loop.call_at(ends, attempt.expire, timeout)
    try:
        attempt.begin(family, address)
        return await attempt.answer
    finally:
        timer.cancel()
        attempt.close()


def _numeric(host: str, port: int) -> list[Place]:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return []
    return [(socket.AF_INET, (host, port))]


async def _resolve(host: str, port: int, timeout: float) -> list[Place]:
    try:
        async with asyncio.timeout(timeout):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise Unreachable(f"the host name {host!r} was not resolved within {timeout:g} s") from None
    except OSError as error:
        raise Unreachable(f"the host name {host!r} is unknown ({error.strerror or error})") from error
    return [(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found]


def why(error: OSError) -> str:
    """The reason of a failed connection in a few words."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    return f"no connection ({error.strerror or error})"


def _read_head(received: bytearray) -> Head | None:
    """Status, offset of the body and its length; None while the header is not complete."""
    end = received.find(b"\r\n\r\n")
    if end < 0 and len(received) <= MAX_HEAD_BYTES and _may_be_http(received):
        return None
    head = bytes(received[: max(end, 0)])
    status = _STATUS.match(head)
    if status is None:
        raise BadReply(f"its answer is not HTTP: it begins with {bytes(received[:40])!r}")
    if _ENCODED.search(head):
        raise BadReply("its answer has an encoding, which is not read here")
    lengths = _LENGTH.findall(head)
    if len(set(lengths)) > 1 or len(lengths) != head.lower().count(b"\r\ncontent-length:"):
        raise BadReply("its answer has a Content-Length that is not one number")
    return int(status[1]), end + 4, int(lengths[0]) if lengths else None


def _may_be_http(received: bytearray) -> bool:
    return b"HTTP/1.".startswith(received[:7])
