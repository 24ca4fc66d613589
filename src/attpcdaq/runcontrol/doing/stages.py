"""One stage: the same call to several ECC servers at the same time, each recorded as it goes."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import Error
from django.db.models import Max, Q

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.runcontrol.doing import record
from attpcdaq.runcontrol.doing.claims import ClaimLostError
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.doing.step import IsAlone, MaySend, Order, Outcome, believed, nothing_sent, run_step
from attpcdaq.runcontrol.doing.together import Together
from attpcdaq.runcontrol.limits import LOOK_COUNTS_FOR
from attpcdaq.runcontrol.models import Step, StepState
from attpcdaq.runcontrol.planning.limits import limit_of
from attpcdaq.runcontrol.planning.stages import FORWARD
from attpcdaq.topology import wiring
from attpcdaq.topology.models import ECCServer
from get_protocol.config_set import ConfigId
from get_protocol.errors import LocalProtocolError
from get_protocol.state_machine import State, Transition

logger = logging.getLogger(__name__)
MUTANT_STOP_LIMIT = 4.0
# A Start that was noted as sent may still be on its way; a server that is not Running by then will not be.
BELIEVED_AFTER = 3.0
TAKE_OVER_AFTER = 0.5
LOOK_EVERY = 0.05
SECOND_TRY_NEEDS = 1.0
NO_CONFIG = ConfigId("none", "none", "none")


@dataclass(frozen=True, slots=True)
class Book:
    """What the steps of one stage share: claim and outside, and the writing of what they do."""

    mine: UUID
    outside: Outside
    leaving: Together[Step, str]
    finished: Together[tuple[Step, Outcome], None]


async def run_stage(steps: Sequence[Step], mine: UUID, outside: Outside) -> dict[int, Outcome]:
    """Every step of a stage at once; step id -> outcome, each recorded as it comes. ClaimLostError."""
    if not steps:
        return {}
    orders = await sync_to_async(_orders)(steps)
    book = Book(
        mine,
        outside,
        Together(lambda leaving: record.mark_sent(mine, leaving, outside.now())),
        Together(lambda finished: record.finish_steps(mine, finished, outside.now())),
    )
    outcomes = await _all(_run_recorded(step, order, book) for step, order in zip(steps, orders, strict=True))
    return {step.pk: outcome for step, outcome in zip(steps, outcomes, strict=True)}


async def _all(steps: Iterable[Coroutine[None, None, Outcome]]) -> list[Outcome]:
    """Their outcomes; where the execution itself is at its end (no database, no claim), all are given up."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run_recorded(step: Step, order: Order | str, book: Book) -> Outcome:
    async def may_send() -> str:
        return await _may_send(step, book)

    if isinstance(order, str):
        outcome = Outcome(False, order)
    else:
        is_alone = _alone_with(step, order, book.outside) if order.transition is Transition.STOP else believed
        outcome = await _in_words(_tried(step, order, book, may_send, is_alone))
    await book.finished.do((step, outcome))
    return outcome


async def _tried(step: Step, order: Order, book: Book, may_send: MaySend, is_alone: IsAlone) -> Outcome:
    """The step, tried a second time where a refusal is a matter of moments; the state is read first, as always."""

    async def may_send_again() -> str:
        return await sync_to_async(record.look_around)(book.mine, [step])

    began = book.outside.monotonic()
    first = await run_step(order, book.outside, may_send, is_alone)
    left = order.limit - (book.outside.monotonic() - began)
    if not (order.again and first.refused and left > SECOND_TRY_NEEDS):
        return first
    second = await run_step(replace(order, limit=left), book.outside, may_send_again, is_alone)
    return second if second.sent or second.ok else first


async def _in_words(step: Awaitable[Outcome]) -> Outcome:
    """A fault of ours in one step does not take the others with it."""
    try:
        return await step
    except (Error, ClaimLostError):
        raise
    except Exception as error:
        logger.exception("a step broke")
        return Outcome(False, f"Internal error: {error!r}", sent=True)


async def _may_send(step: Step, book: Book) -> str:
    """One outstanding call per ECC server; a Stop takes the other's place when its end is not recorded soon."""
    give_up = book.outside.monotonic() + TAKE_OVER_AFTER
    while True:
        looked = book.outside.monotonic()
        forbidden = await book.leaving.do(step)
        if not forbidden:
            return await _fresh(step, looked, book)
        if forbidden != record.OUTSTANDING or step.transition != Transition.STOP:
            return forbidden
        if book.outside.monotonic() >= give_up:
            await sync_to_async(record.take_over)(step, book.outside.now())
        await book.outside.sleep(LOOK_EVERY)


async def _fresh(step: Step, looked: float, book: Book) -> str:
    """Look around again until the look is young enough to act on."""
    while book.outside.monotonic() - looked > LOOK_COUNTS_FOR:
        looked = book.outside.monotonic()
        forbidden = await sync_to_async(record.look_around)(book.mine, [step])
        if forbidden:
            return forbidden
    return ""


def _alone_with(step: Step, order: Order, outside: Outside) -> IsAlone:
    """A Stop that read "Ready" while a Start is still on its way to the server would believe it."""
    # The rest of its time is for the Stop itself.
    give_up = outside.monotonic() + min(BELIEVED_AFTER, 0.75 * order.limit)

    async def is_alone() -> bool:
        if not await sync_to_async(record.outstanding(step).exists)():
            return True
        if outside.monotonic() < give_up:
            return False
        await sync_to_async(record.take_over)(step, outside.now())
        return True

    return is_alone


def _orders(steps: Sequence[Step]) -> list[Order | str]:
    longest = MUTANT_STOP_LIMIT if _mutant_is_waited_for(steps) else math.inf
    return [_order(step, longest) for step in steps]


def _mutant_is_waited_for(steps: Sequence[Step]) -> bool:
    """Whether this stage stops the MuTAnT while CoBos wait for it (design: 4 s at the most)."""
    first = steps[0]
    if first.transition != Transition.STOP:
        return False
    later = Step.objects.filter(command=first.command_id, transition=Transition.STOP, stage__gt=first.stage)
    return later.exists()


def _order(step: Step, longest: float) -> Order | str:
    """What to send within `longest` seconds at the most, or why it cannot be sent."""
    server, transition = step.ecc_server, Transition(step.transition)
    if server is None:
        return f"The ECC server {step.server_name} is not set up any more."
    try:
        # The others ignore the configID, and so must not fail for want of one (facts 1.3).
        config = wiring.config_id(server) or (None if transition in FORWARD else NO_CONFIG)
        links = wiring.data_links(server) if transition is Transition.CONFIGURE else ()
    except (GatewayError, LocalProtocolError) as error:
        return nothing_sent(error)
    if config is None:
        return "No configuration is chosen for it. Nothing was sent."
    goal = None if step.goal is None else State(step.goal)
    limit = min(limit_of(transition, server.deadlines), longest)
    again = transition is Transition.CONFIGURE and _has_old_links(server)
    return Order(wiring.ecc_address(server), transition, config, links, limit, goal, again)


def _has_old_links(server: ECCServer) -> bool:
    """Its boards were configured and never let go of since, as when its process was restarted.

    They give their old data connections up only now, and a router that has not seen that yet refuses the new ones.
    """
    done = Step.objects.filter(server_name=server.name, state=StepState.CONFIRMED, sent_at__isnull=False)
    latest = done.aggregate(
        configured=Max("pk", filter=Q(transition=Transition.CONFIGURE)),
        let_go=Max("pk", filter=Q(transition=Transition.BREAKUP)),
    )
    return (latest["configured"] or 0) > (latest["let_go"] or 0)
