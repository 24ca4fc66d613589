"""Reads every ECC server and node steadily, each in a task of its own: one that hangs delays no other."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.ports import EccPort, NodeClock, NodePort
from attpcdaq.monitor.clock import Clock
from attpcdaq.monitor.readings import EccTarget, Key, Kind, NodeTarget, Outcome, Problem, Reading, Targets

T = TypeVar("T")
logger = logging.getLogger(__name__)
STEP = 0.1
# The clocks of all nodes are first read within so many seconds.
CLOCKS_WITHIN = 3.0
# Before it is said that one cannot be read.
CLOCK_TRIES = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between readings, and deadlines."""

    ecc_every: float = 0.5
    ecc_deadline: float = 2.0
    node_every: float = 2.0
    node_deadline: float = 5.0
    clock_every: float = 30.0
    """Of every node's clock."""


class Poller:
    """Runs one task per target; what they read goes to `note`."""

    def __init__(
        self, ecc: EccPort, nodes: NodePort, note: Callable[[Reading], None], clock: Clock, pace: Pace | None = None
    ) -> None:
        self._ecc = ecc
        self._nodes = nodes
        self._note = note
        self._clock = clock
        self._pace = pace or Pace()
        self._tasks: dict[EccTarget | NodeTarget, tuple[asyncio.Task[None], ...]] = {}
        self._read_at: dict[Key, datetime] = {}
        self._origin = clock.monotonic()

    def watch(self, targets: Targets) -> None:
        """Watch exactly these from now on; those watched before go on undisturbed, spread over the period."""
        wanted: set[EccTarget | NodeTarget] = {*targets.ecc_servers, *targets.nodes}
        for gone in self._tasks.keys() - wanted:
            for task in self._tasks.pop(gone):
                task.cancel()
        pace, servers, nodes = self._pace, targets.ecc_servers, targets.nodes
        for number, server in enumerate(servers):
            if server not in self._tasks:
                offset = _offset(number, len(servers), pace.ecc_every)
                self._tasks[server] = (self._begin(server, partial(self._read_ecc, server), pace.ecc_every, offset),)
        for number, node in enumerate(nodes):
            if node not in self._tasks:
                offset = _offset(number, len(nodes), pace.node_every)
                clock_offset = _offset(number, len(nodes), CLOCKS_WITHIN)
                self._tasks[node] = (
                    self._begin(node, partial(self._read_node, node), pace.node_every, offset),
                    self._begin(node, partial(self._read_clock, node), pace.clock_every, clock_offset),
                )

    async def close(self) -> None:
        """End every task; close the ports at the same time, for a call may end only with its connection."""
        tasks = [task for tasks in self._tasks.values() for task in tasks]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self, target: EccTarget | NodeTarget, read: Callable[[], Awaitable[None]], every: float, offset: float
    ) -> asyncio.Task[None]:
        # What is read seldom is read first soon after it was added; were it due already, it would wait a period.
        origin = self._origin if every <= CLOCKS_WITHIN else self._clock.monotonic() + STEP
        return asyncio.create_task(self._steadily(read, every, origin + offset), name=f"read {target.address.name}")

    async def _steadily(self, read: Callable[[], Awaitable[None]], every: float, due: float) -> None:
        """Keep the phase: a reading that took longer than the period lets the missed ones go."""
        while True:
            behind = self._clock.monotonic() - due
            if behind > 0:
                due += every * math.ceil(behind / every)
            await self._clock.sleep(due - self._clock.monotonic())
            await read()
            due += every

    async def _read_ecc(self, target: EccTarget) -> None:
        read = self._ecc.get_state(target.address, self._pace.ecc_deadline)
        self._seen(Key(Kind.ECC, target.id), await _attempt(target.address.name, read))

    async def _read_node(self, target: NodeTarget) -> None:
        queries = [router.query for router in target.routers]
        read = self._nodes.read_routers(target.address, queries, self._pace.node_deadline)
        found = await _attempt(target.address.name, read)
        for router in target.routers:
            outcome = found if isinstance(found, Problem) else found[router.query.name]
            self._seen(
                Key(Kind.ROUTER, router.id), Problem(str(outcome)) if isinstance(outcome, GatewayError) else outcome
            )

    async def _read_clock(self, target: NodeTarget) -> None:
        if self._nodes.abilities(target.address).clock:
            read = self._read_clock_soon(target)
            self._seen(Key(Kind.NODE, target.id), await _attempt(f"the clock of {target.address.name}", read))

    async def _read_clock_soon(self, target: NodeTarget) -> NodeClock:
        """A node that does not answer just now is asked again soon: by its clock files are told to their runs."""
        for _ in range(CLOCK_TRIES):
            with suppress(GatewayError):
                return await self._nodes.read_clock(target.address, self._pace.node_deadline)
            await self._clock.sleep(CLOCKS_WITHIN)
        return await self._nodes.read_clock(target.address, self._pace.node_deadline)

    def _seen(self, key: Key, outcome: Outcome) -> None:
        now = self._clock.now()
        self._note(Reading(key, outcome, now, self._read_at.get(key)))
        if not isinstance(outcome, Problem):
            self._read_at[key] = now


async def _attempt(what: str, read: Awaitable[T]) -> T | Problem:
    try:
        return await read
    except GatewayError as error:
        return Problem(str(error))
    except Exception as error:  # a fault of ours must not end the watching, nor go unseen
        logger.exception("reading %s failed", what)
        return Problem(f"the monitor failed to read it: {error!r}")


def _offset(number: int, total: int, every: float) -> float:
    """Seconds into the period: spread over it, but in steps, for waking up costs more than a reading."""
    steps = max(1, round(every / STEP))
    return (number * steps // total) * every / steps
