"""An ECC server process on its port: one request per connection, with the real server's bytes (facts 1.1)."""

import asyncio
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, Protocol

from get_protocol.ecc_messages import (
    ExitReply,
    Request,
    StateReply,
    decode_request,
    encode_exit_reply,
    encode_fault,
    encode_state_reply,
    encode_text_reply,
    http_response,
)
from get_protocol.errors import NoReply, ServerAborts, SoapFault
from get_simulator.ecc_service import Reply
from get_simulator.http_request import HttpRequest, RequestReader

RECEIVE_TIMEOUT_S = 60.0
GET_FAULT = SoapFault("SOAP-ENV:Client", "HTTP GET method not implemented")
EMPTY = b"HTTP/1.1 200 OK\r\nServer: gSOAP/2.8\r\nX-Frame-Options: SAMEORIGIN\r\nConnection: close\r\n\r\n"


class Handler(Protocol):
    """What an exchange needs of the ECC server process."""

    async def answer(self, request: Request) -> Reply | None:
        """The reply, or None to close without a byte; ServerAborts ends the process."""
        ...

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Work on a request, whether or not its client stays."""
        ...

    def opened(self, exchange: "Exchange") -> bool:
        """A connection came; False closes it at once."""
        ...

    def closed(self, exchange: "Exchange") -> None: ...
    def answered_exit(self) -> None: ...
    def crash(self, why: str) -> None: ...


class Exchange(asyncio.Protocol):
    """One connection: reads one request, answers it, closes."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._reader = RequestReader()
        self._transport: asyncio.Transport | None = None
        self._timeout: asyncio.TimerHandle | None = None
        self._served = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._handler.opened(self):
            self._wait(RECEIVE_TIMEOUT_S)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._served:
            return
        request = self._reader.feed(data)
        if self._reader.wants_continue and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request is not None:
            self._served = True
            self._stop_waiting()
            self._handler.run(self._serve(request))

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went: a transition goes on without it (facts 2.3)."""
        self._stop_waiting()
        self._handler.closed(self)

    def drop(self) -> None:
        """Close without another byte."""
        self._stop_waiting()
        if self._transport is not None:
            self._transport.abort()

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timeout = asyncio.get_running_loop().call_later(seconds, self.drop)

    def _stop_waiting(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    async def _serve(self, request: HttpRequest) -> None:
        if request.method == "GET":
            self._send(http_response(405, encode_fault(GET_FAULT)))
        elif request.method in ("HEAD", "OPTIONS"):
            self._send(EMPTY)
        elif request.method == "POST":
            await self._post(request.body)
        else:
            self._wait(RECEIVE_TIMEOUT_S)

    async def _post(self, body: bytes) -> None:
        try:
            request = read(body)
            reply = await self._handler.answer(request)
        except SoapFault as fault:
            self._send(http_response(500, encode_fault(fault)))
        except NoReply as silence:
            self._wait(silence.held_s)
        except ServerAborts as error:
            self._handler.crash(str(error))
        else:
            self._reply(reply, soap12=request.soap12)

    def _reply(self, reply: Reply | None, *, soap12: bool) -> None:
        if reply is None:
            self.drop()
            return
        self._send(http_response(200, encode(reply, soap12=soap12)))
        if isinstance(reply, ExitReply):
            self._handler.answered_exit()

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._transport.close()


@lru_cache(maxsize=64)
def _read_short(body: bytes) -> Request:
    return decode_request(body)


def read(body: bytes) -> Request:
    """The request in a body; the short ones (GetState) are always the same, and remembered."""
    return _read_short(body) if len(body) < 400 else decode_request(body)


def encode(reply: Reply, *, soap12: bool) -> bytes:
    """The body of a reply."""
    if isinstance(reply, StateReply):
        return encode_state_reply(reply, soap12=soap12)
    if isinstance(reply, ExitReply):
        return encode_exit_reply(reply, soap12=soap12)
    return encode_text_reply(reply, soap12=soap12)
