"""One HTTP exchange on one connection, as ECC servers speak it: they close after every answer (facts 1.1)."""

import asyncio
import re
from dataclasses import dataclass

from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Unreachable

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: |\r|\Z)")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,10})[ \t]*(?=\r\n|\Z)", re.IGNORECASE)
_ENCODED = re.compile(rb"\r\n(?:transfer|content)-encoding:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and body."""

    status: int
    body: bytes


class Exchange(asyncio.Protocol):
    """Sends one request as soon as it is connected; `answer` gets what came of it.

    Written on a bare asyncio protocol because a server is asked twice a second: half the CPU of a full
    client, and it is exact about whether the request has left (ADR on the ECC gateway).
    """

    def __init__(self, request: bytes, answer: "asyncio.Future[Answer]") -> None:
        self.sent = False
        self._request = request
        self._answer = answer
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._head: tuple[int, int, int | None] | None = None  # status, where the body begins, its length if told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.sent = True
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._advance(at_end=False)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer.done():
            return
        if not self._received:
            how = "closed" if exc is None else "broke off"
            self._finish(NoAnswer(f"it {how} the connection without an answer"))
        elif exc is not None:
            self._finish(BadReply(f"the connection broke off within its answer ({exc})"))
        else:
            self._advance(at_end=True)

    @property
    def answering(self) -> bool:
        """Has anything come back?"""
        return bool(self._received)

    def abort(self) -> None:
        """Give up the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _advance(self, *, at_end: bool) -> None:
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
        if self._answer.done():
            return
        if isinstance(outcome, Answer):
            self._answer.set_result(outcome)
        else:
            self._answer.set_exception(outcome)
        self.abort()


async def exchange(host: str, port: int, request: bytes, timeout: float) -> Answer:
    """Send `request` once and wait for the answer, connecting included, `timeout` seconds.

    Unreachable: it never left. NoAnswer, BadReply: it left, the outcome is unknown.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()
    protocol = Exchange(request, answer)
    try:
        async with asyncio.timeout(timeout):
            await loop.create_connection(lambda: protocol, host, port)
            return await answer
    except TimeoutError:
        if not protocol.sent:
            raise Unreachable(f"no connection within {timeout:g} s") from None
        raise NoAnswer(f"no {'complete ' if protocol.answering else ''}answer within {timeout:g} s") from None
    except OSError as error:
        raise Unreachable(why(error)) from error
    finally:
        if not answer.cancel() and not answer.cancelled():
            answer.exception()  # looked at, or asyncio complains of an outcome which came with the deadline
        protocol.abort()


def why(error: OSError) -> str:
    """The reason of a failed connection in a few words."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    return f"no connection ({error.strerror or error})"


def _read_head(received: bytearray) -> tuple[int, int, int | None] | None:
    """Status, offset of the body and its length; None while the header is not complete."""
    end = received.find(b"\r\n\r\n")
    if end < 0 and len(received) <= MAX_HEAD_BYTES and _may_be_http(received):
        return None
    head = bytes(received[: max(end, 0)])
    status = _STATUS.match(head)
    if status is None:
        raise BadReply(f"its answer is not HTTP: it begins with {bytes(received[:40])!r}")
    if _ENCODED.search(head):
        raise BadReply("its answer has an encoding, which no ECC server uses")
    lengths = _LENGTH.findall(head)
    if len(set(lengths)) > 1 or len(lengths) != head.lower().count(b"\r\ncontent-length:"):
        raise BadReply("its answer has a Content-Length that is not one number")
    return int(status[1]), end + 4, int(lengths[0]) if lengths else None


def _may_be_http(received: bytearray) -> bool:
    return b"HTTP/1.".startswith(received[:7])
