"""EccPort over the simulated detector: the protocol's bytes both ways, and memory for the wire."""

import asyncio
import random
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from attpcdaq.gateways.errors import BadReply, NoAnswer, Refused, Unreachable
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
)
from get_protocol.state_machine import Transition
from tests.chaos.hardware import EccProcess, Hardware
from tests.chaos.processes import PROCESS, Process
from tests.chaos.virtual_time import sleep

GET_STATE = encode_get_state()
_state = lru_cache(maxsize=64)(decode_state_reply)
MOMENTS = ("leaving", "sent", "answered")


@dataclass(frozen=True, slots=True)
class Begun:
    """An execution: when, of which command, and until when that might be begun."""

    at: float
    command: str
    until: float


# By which execution a call is made: the executions are begun by this suite.
EXECUTION: ContextVar[Begun | None] = ContextVar("execution", default=None)


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that left towards an ECC server: when, whose, and when the wire brought what."""

    at: float
    server: str
    transition: Transition
    execution: Begun | None
    process: Process | None


@dataclass
class Wire:
    """The network: how slow it is now, and every call that went over it."""

    random: random.Random
    calls: list[Sent]
    slow: float = 0.0
    deadly: str = ""
    """At which moment of its next call the sender dies: MOMENTS, or not at all."""

    async def travel(self) -> None:
        await sleep(self.random.uniform(0.0005, 0.004) + self.slow)

    def passes(self, moment: str, transition: Transition) -> None:
        """A call comes to this moment; who sends it may die here."""
        process = PROCESS.get()
        if self.deadly == moment and transition is not Transition.NONE and process is not None:
            self.deadly = ""
            process.kill()
            process.check()


class ChaosEcc:
    """ECC servers; nothing is sent twice, and nothing by a dead process."""

    def __init__(self, hardware: Hardware, wire: Wire) -> None:
        self._hardware, self._wire = hardware, wire

    async def get_state(self, server: EccAddress, timeout: float) -> StateReply:
        reply = _state(200, await self._ask(server, GET_STATE, timeout))
        if reply.error_code:
            raise BadReply(f"{server.name}: error {reply.error_code} to GetState: {reply.error_message}")
        return reply

    async def get_config_ids(self, server: EccAddress, timeout: float) -> tuple[ConfigId, ...]:
        return parse_config_id_set(_text(await self._ask(server, encode_get_config_ids(), timeout)).text)

    async def transition(
        self, server: EccAddress, transition: Transition, config: ConfigId, links: Sequence[DataLink], timeout: float
    ) -> TextReply:
        body = encode_transition(transition, config, links)
        return _text(await self._ask(server, body, timeout, transition))

    async def close(self) -> None:
        """Nothing to give up."""

    async def _ask(
        self, server: EccAddress, body: bytes, timeout: float, transition: Transition = Transition.NONE
    ) -> bytes:
        name = f"{server.name} ({server.host}:{server.port})"
        self._wire.passes("leaving", transition)
        # What has left a process that stands still meanwhile arrives all the same.
        await asyncio.sleep(self._wire.random.uniform(0.0005, 0.004) + self._wire.slow)
        _alive()
        here = self._reached(server, name)
        if transition is not Transition.NONE:
            sent = Sent(self._hardware.now(), server.name, transition, EXECUTION.get(), PROCESS.get())
            self._wire.calls.append(sent)
        try:
            async with asyncio.timeout(timeout):
                posted = here.post(body)
                self._wire.passes("sent", transition)
                answer = await asyncio.shield(posted)
        except TimeoutError:
            raise NoAnswer(f"{name}: no answer within {timeout:g} s") from None
        if answer is None:
            raise NoAnswer(f"{name}: the connection was closed without an answer")
        await self._wire.travel()
        self._wire.passes("answered", transition)
        return answer

    def _reached(self, server: EccAddress, name: str) -> EccProcess:
        here = self._hardware.ecc.get(server.name)
        if here is None or not here.alive:
            raise Unreachable(f"{name}: connection refused")
        return here


def _alive() -> None:
    process = PROCESS.get()
    if process is not None:
        process.check()


def _text(answer: bytes) -> TextReply:
    reply = decode_text_reply(200, answer)
    if reply.error_code:
        raise Refused(reply.error_message.strip() or f"error {reply.error_code}", reply.error_code)
    return reply
