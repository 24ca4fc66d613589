"""EccPort over SOAP: one POST per connection, nothing is ever sent twice (facts 1)."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

from attpcdaq.gateways.call_log import changing, reading
from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.http_exchange import Answer, exchange
from attpcdaq.gateways.ports import EccAddress
from get_protocol.config_set import ConfigId, parse_config_id_set
from get_protocol.data_links import DataLink
from get_protocol.ecc_messages import (
    StateReply,
    TextReply,
    decode_state_reply,
    decode_text_reply,
    encode_get_config_ids,
    encode_get_state,
    encode_transition,
    http_request,
)
from get_protocol.errors import LocalProtocolError, RemoteProtocolError, SoapFault
from get_protocol.state_machine import Transition

T = TypeVar("T")
BIG_ANSWER_BYTES = 32 * 1024
_GET_STATE = encode_get_state()
# Pure, and there are few different answers: a server that sits in one state is not parsed twice a second.
_decode_state = lru_cache(maxsize=256)(decode_state_reply)


class EccSoap:
    """The ECC servers as they are; keeps no connection and may be used from several event loops."""

    async def get_state(self, server: EccAddress, timeout: float) -> StateReply:
        with reading("GetState", server=server.name):
            answer = await _ask(server, _GET_STATE, timeout)
        try:
            reply = _decode_state(answer.status, answer.body)
        except (RemoteProtocolError, SoapFault) as error:
            raise BadReply(_said(server, error)) from error
        if reply.error_code:
            raise BadReply(_said(server, f"error {reply.error_code} to GetState: {reply.error_message}"))
        return reply

    async def get_config_ids(self, server: EccAddress, timeout: float) -> tuple[ConfigId, ...]:
        with reading("GetConfigIDs", server=server.name):
            reply = await _call(server, encode_get_config_ids(), timeout)
        try:
            return await _apart(len(reply.text), lambda: parse_config_id_set(reply.text))
        except RemoteProtocolError as error:
            raise BadReply(_said(server, error)) from error

    async def transition(
        self, server: EccAddress, transition: Transition, config: ConfigId, links: Sequence[DataLink], timeout: float
    ) -> TextReply:
        with changing(transition.name.capitalize(), server=server.name):
            return await _call(server, encode_transition(transition, config, links), timeout)

    async def close(self) -> None:
        """Every connection ends with its call: there is nothing to give up."""


async def _call(server: EccAddress, body: bytes, timeout: float) -> TextReply:
    answer = await _ask(server, body, timeout)
    try:
        reply = await _apart(len(answer.body), lambda: decode_text_reply(answer.status, answer.body))
    except SoapFault as error:
        # A Client fault is about the request, which was not carried out; any other leaves the outcome open.
        if error.code.endswith("Client"):
            raise Refused(f"SOAP fault: {error.string}") from error
        raise BadReply(_said(server, error)) from error
    except RemoteProtocolError as error:
        raise BadReply(_said(server, error)) from error
    if reply.error_code:
        raise Refused(reply.error_message.strip() or f"error {reply.error_code} without a message", reply.error_code)
    return reply


async def _ask(server: EccAddress, body: bytes, timeout: float) -> Answer:
    """One exchange; the errors name the server and where it should be."""
    try:
        request = http_request(server.host, server.port, body)
        return await exchange(server.host, server.port, request, timeout)
    except LocalProtocolError as error:
        raise _named(server, Unreachable(str(error))) from error
    except (Unreachable, NoAnswer, BadReply) as error:
        raise _named(server, error) from error.__cause__


async def _apart(size: int, work: Callable[[], T]) -> T:
    """Run `work` here, or in a thread when it would hold up the event loop."""
    if size < BIG_ANSWER_BYTES:
        return work()
    return await asyncio.to_thread(work)


def _named(server: EccAddress, error: GatewayError) -> GatewayError:
    return type(error)(f"{server.name} ({server.host}:{server.port}): {error}")


def _said(server: EccAddress, what: object) -> str:
    return f"{server.name} ({server.host}:{server.port}) answered what an ECC server does not: {what}"
