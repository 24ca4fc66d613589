"""ECC servers in memory, behaving as facts 2 says, with failures to order."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from attpcdaq.gateways.errors import GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.ports import EccAddress
from get_protocol.config_set import ConfigId
from get_protocol.data_links import DataLink, encode_data_link_set, encode_data_sender_set
from get_protocol.ecc_messages import StateReply, TextReply, encode_transition
from get_protocol.state_machine import State, Transition, target

BUSY = "The ECC state machine is busy!"
FOR_EVER = math.inf


@dataclass(frozen=True, slots=True)
class Call:
    """One transition as it reached a server."""

    server: str
    transition: Transition
    config: ConfigId
    links: tuple[DataLink, ...]


@dataclass(slots=True)
class Failure:
    """What the next calls of `transition` meet; without an error they are answered "success" and not done."""

    transition: Transition
    error: GatewayError | None
    times: float
    takes_effect: bool


@dataclass(slots=True)
class MemoryServer:
    """One server: what it drives and what it is doing. `needs_links` names the senders that need a data router."""

    name: str
    senders: tuple[str, ...] = ()
    needs_links: frozenset[str] = frozenset()
    config_ids: tuple[ConfigId, ...] = ()
    state: State = State.IDLE
    doing: Transition = Transition.NONE
    done_at: float = 0.0
    trouble: GatewayError | None = None
    hanging: bool = False
    failures: list[Failure] = field(default_factory=list)


class MemoryEcc:
    """EccPort without a network. `durations` in seconds per transition (default 0); clock and sleep are injected."""

    def __init__(
        self,
        *,
        durations: Mapping[Transition, float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.servers: dict[str, MemoryServer] = {}
        self.durations: dict[Transition, float] = dict(durations or {})
        self.calls: list[Call] = []
        self.watchers: list[Callable[[MemoryServer, Transition], None]] = []
        self._sleep = sleep
        self._monotonic = monotonic

    # What a test arranges

    def add(
        self,
        name: str,
        senders: Sequence[str] = (),
        *,
        needs_links: Sequence[str] | None = None,
        config_ids: Sequence[ConfigId] = (),
        state: State = State.IDLE,
    ) -> MemoryServer:
        """A server with its boards; every sender needs a data link unless `needs_links` says otherwise."""
        links = frozenset(senders if needs_links is None else needs_links)
        self.servers[name] = MemoryServer(name, tuple(senders), links, tuple(config_ids), state)
        return self.servers[name]

    def fail(
        self,
        name: str,
        transition: Transition,
        error: GatewayError | None,
        *,
        times: float = FOR_EVER,
        takes_effect: bool = False,
    ) -> None:
        """Let calls of `transition` raise `error`; `takes_effect`: done all the same, only the answer was lost."""
        self.servers[name].failures.append(Failure(transition, error, times, takes_effect))

    def take_down(self, name: str, error: GatewayError | None = None) -> None:
        """From now on every call raises `error` (Unreachable by default)."""
        self.servers[name].trouble = error or Unreachable(f"{name}: connection refused")

    def hang(self, name: str) -> None:
        """From now on every call waits for its deadline."""
        self.servers[name].hanging = True

    def recover(self, name: str) -> None:
        """Take back every failure; the state stays."""
        server = self.servers[name]
        server.trouble, server.hanging = None, False
        server.failures.clear()

    def restart(self, name: str) -> None:
        """A new server process: Idle, whatever its boards do (facts 2.4)."""
        self.recover(name)
        server = self.servers[name]
        server.state, server.doing = State.IDLE, Transition.NONE

    def wedge(self, name: str) -> None:
        """State 0: everything "succeeds" and nothing happens until a restart (facts 2.4)."""
        server = self.servers[name]
        server.state, server.doing = State.OFF, Transition.NONE

    def state(self, name: str) -> State:
        """The state now."""
        server = self.servers[name]
        self._settle(server)
        return server.state

    # EccPort

    async def get_state(self, server: EccAddress, timeout: float) -> StateReply:
        here = await self._reach(server, timeout)
        busy = here.doing is not Transition.NONE
        return StateReply(0, BUSY if busy else "", here.state, here.doing)

    async def get_config_ids(self, server: EccAddress, timeout: float) -> tuple[ConfigId, ...]:
        return (await self._reach(server, timeout)).config_ids

    async def transition(
        self, server: EccAddress, transition: Transition, config: ConfigId, links: Sequence[DataLink], timeout: float
    ) -> TextReply:
        encode_transition(transition, config, links)  # the same LocalProtocolErrors as the real gateway
        here = await self._reach(server, timeout)
        self.calls.append(Call(here.name, transition, config, tuple(links)))
        if here.doing is not Transition.NONE:
            raise Refused(BUSY, int(transition))
        failure = _take_failure(here, transition)
        if failure is not None and not failure.takes_effect:
            if failure.error is not None:
                raise failure.error
            return TextReply(0, "", "")
        reply = await self._carry_out(here, transition, config, links, timeout)
        if failure is not None and failure.error is not None:
            raise failure.error
        return reply

    async def close(self) -> None:
        """Nothing to give up."""

    async def _reach(self, server: EccAddress, timeout: float) -> MemoryServer:
        here = self.servers.get(server.name)
        if here is None:
            raise Unreachable(f"{server.name} ({server.host}:{server.port}): connection refused")
        if here.hanging:
            await self._sleep(timeout)
            raise NoAnswer(f"{server.name}: no answer within {timeout:g} s")
        await asyncio.sleep(0)
        if here.trouble is not None:
            raise here.trouble
        self._settle(here)
        return here

    async def _carry_out(
        self, here: MemoryServer, transition: Transition, config: ConfigId, links: Sequence[DataLink], timeout: float
    ) -> TextReply:
        if target(here.state, transition) is None:
            return TextReply(0, "", _text(here, transition, links))
        _check(here, transition, config, links)
        duration = self.durations.get(transition, 0.0)
        here.doing, here.done_at = transition, self._monotonic() + duration
        if duration > timeout:
            await self._sleep(timeout)
            raise NoAnswer(f"{here.name}: no answer within {timeout:g} s")
        if duration:
            await self._sleep(duration)
        self._finish(here)
        return TextReply(0, "", _text(here, transition, links))

    def _settle(self, here: MemoryServer) -> None:
        if here.doing is not Transition.NONE and self._monotonic() >= here.done_at:
            self._finish(here)

    def _finish(self, here: MemoryServer) -> None:
        transition, here.doing = here.doing, Transition.NONE
        reached = target(here.state, transition)
        if reached is not None:
            here.state = reached
            for watcher in self.watchers:
                watcher(here, transition)


def _take_failure(here: MemoryServer, transition: Transition) -> Failure | None:
    for failure in here.failures:
        if failure.transition is transition:
            failure.times -= 1
            if failure.times <= 0:
                here.failures.remove(failure)
            return failure
    return None


def _check(here: MemoryServer, transition: Transition, config: ConfigId, links: Sequence[DataLink]) -> None:
    """The refusals of facts 1.4 that depend on what was sent."""
    number = int(transition)
    if transition is Transition.DESCRIBE and config.describe not in {known.describe for known in here.config_ids}:
        raise Refused(f"Exception: Configuration '{config.describe}' does not exist.", number)
    if transition is Transition.CONFIGURE:
        linked = {link.sender for link in links}
        for sender in here.senders:
            if sender in here.needs_links and sender not in linked:
                raise Refused(f"Could not find a valid data router for data sender '{sender}'", number)


def _text(here: MemoryServer, transition: Transition, links: Sequence[DataLink]) -> str:
    if transition is Transition.DESCRIBE:
        return encode_data_sender_set(here.senders)
    if transition is Transition.CONFIGURE:
        return encode_data_link_set(links)
    return ""
