"""Doing, stage by stage: the same code in a worker, in the monitor when no worker takes a Stop, and in tests."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.runcontrol import record, run_progress
from attpcdaq.runcontrol.beating import beating
from attpcdaq.runcontrol.live_wait import live_shows
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runcontrol.outside import Outside, real_outside
from attpcdaq.runcontrol.step import Order, Outcome, gather_outcomes, run_step
from attpcdaq.runcontrol.together import Together
from attpcdaq.topology import wiring
from get_protocol.config_set import ConfigId
from get_protocol.errors import LocalProtocolError
from get_protocol.state_machine import Transition

logger = logging.getLogger(__name__)
# Seconds after which a step is given up; generous beside facts 2.3, since real boards are slower.
LIMITS: dict[Transition, float] = {
    Transition.DESCRIBE: 30.0,
    Transition.PREPARE: 60.0,
    Transition.CONFIGURE: 120.0,
    Transition.START: 30.0,
    Transition.STOP: 30.0,
    Transition.BREAKUP: 30.0,
    Transition.UNDO: 30.0,
}
MUTANT_STOP_LIMIT = 4.0
TAKE_OVER_AFTER = timedelta(seconds=1)
NO_CONFIG = ConfigId("none", "none", "none")
# Only these read the configID; the others ignore it, and so must not fail for want of one (facts 1.3).
READS_CONFIG = frozenset({Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE})
EARLIER_FAILED = "An earlier step failed. Nothing was sent."


def execute(command_id: UUID, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Carry out a queued command; False when somebody else has it, or its time has passed."""
    return async_to_sync(_execute)(command_id, make_outside)


async def _execute(command_id: UUID, make_outside: Callable[[], Outside]) -> bool:
    outside = make_outside()
    try:
        if not await sync_to_async(record.claim)(command_id, outside.now()):
            return False
        async with beating(partial(record.heartbeat, command_id), outside):
            try:
                await _carry_out(command_id, outside)
            except Exception as error:
                # What even this cannot record (the database is away), the sweeper ends.
                logger.exception("%s broke off", command_id)
                why = f"It broke off: {error!r}. The state shown is what the hardware says."
                await sync_to_async(run_progress.break_off)(command_id, why, outside.now())
        return True
    finally:
        await outside.close()


async def _carry_out(command_id: UUID, outside: Outside) -> None:
    command, steps = await sync_to_async(_load)(command_id)
    await sync_to_async(run_progress.begin)(command, steps, outside.now())
    outcomes: dict[int, Outcome] = {}
    for _, group in groupby(steps, key=lambda step: step.stage):
        stage = list(group)
        outcomes |= await run_stage(stage, outside)
        if not await sync_to_async(run_progress.after_stage)(command, steps, stage, outcomes, outside.now()):
            await sync_to_async(record.skip_waiting)(command.pk, EARLIER_FAILED, outside.now())
            break
    seen_at = outside.now()
    await live_shows(steps, outcomes, outside)
    to_stop = await sync_to_async(run_progress.settle)(command, steps, outcomes, seen_at)
    for stops in to_stop:
        outcomes |= await run_stage(stops, outside)
    await sync_to_async(run_progress.conclude)(command, steps, to_stop, outcomes, outside.now())


def _load(command_id: UUID) -> tuple[Command, list[Step]]:
    command = Command.objects.select_related("run").get(pk=command_id)
    steps = command.steps.select_related("ecc_server__config_set").order_by("stage", "id")
    return command, list(steps)


@dataclass(frozen=True, slots=True)
class Book:
    """What the steps of one stage share: the outside, and the writing of what they do."""

    outside: Outside
    leaving: Together[Step, str]
    finished: Together[tuple[Step, Outcome], None]


async def run_stage(steps: Sequence[Step], outside: Outside) -> dict[int, Outcome]:
    """Every step of a stage at once; step id -> outcome, each recorded as it comes."""
    orders = await sync_to_async(_orders)(steps)
    book = Book(
        outside,
        Together(lambda leaving: record.mark_sent(leaving, outside.now())),
        Together(lambda finished: record.finish_steps(finished, outside.now())),
    )
    outcomes = await gather_outcomes(
        [_run_recorded(step, order, book) for step, order in zip(steps, orders, strict=True)]
    )
    return {step.pk: outcome for step, outcome in zip(steps, outcomes, strict=True)}


async def _run_recorded(step: Step, order: Order | str, book: Book) -> Outcome:
    async def may_send() -> str:
        return await _may_send(step, book)

    if step.transition == Transition.STOP:
        await _let_others_end(step, book.outside)
    outcome = Outcome(False, order) if isinstance(order, str) else await run_step(order, book.outside, may_send)
    await book.finished.do((step, outcome))
    return outcome


async def _may_send(step: Step, book: Book) -> str:
    """One outstanding call per ECC server; a Stop waits for the other, or takes its place."""
    while True:
        forbidden = await book.leaving.do(step)
        if forbidden != record.OUTSTANDING or step.transition != Transition.STOP:
            return forbidden
        await _let_others_end(step, book.outside)


async def _let_others_end(step: Step, outside: Outside) -> None:
    """A Stop that read "Ready" while a Start is still on its way to the server would believe it."""
    give_up = outside.now() + TAKE_OVER_AFTER
    while await sync_to_async(record.outstanding(step).exists)():
        if outside.now() >= give_up:
            await sync_to_async(record.take_over)(step, outside.now())
            return
        await outside.sleep(0.05)


def _orders(steps: Sequence[Step]) -> list[Order | str]:
    limited = _mutant_is_waited_for(steps)
    return [_order(step, MUTANT_STOP_LIMIT if limited else None) for step in steps]


def _mutant_is_waited_for(steps: Sequence[Step]) -> bool:
    """Whether this stage stops the MuTAnT while CoBos wait for it (design: 4 s at the most)."""
    first = steps[0]
    if first.transition != Transition.STOP:
        return False
    later = Step.objects.filter(command=first.command_id, transition=Transition.STOP, stage__gt=first.stage)
    return later.exists()


def _order(step: Step, limit: float | None) -> Order | str:
    """What to send, or why it cannot be sent."""
    server, transition = step.ecc_server, Transition(step.transition)
    if server is None:
        return f"The ECC server {step.server_name} is not set up any more."
    try:
        config = wiring.config_id(server) or (None if transition in READS_CONFIG else NO_CONFIG)
        links = wiring.data_links(server) if transition is Transition.CONFIGURE else ()
    except (GatewayError, LocalProtocolError) as error:
        return f"{error} Nothing was sent."
    if config is None:
        return "No configuration is chosen for it. Nothing was sent."
    return Order(wiring.ecc_address(server), transition, config, links, limit or LIMITS[transition])
