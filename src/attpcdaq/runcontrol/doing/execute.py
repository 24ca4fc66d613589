"""Doing, stage by stage: the same code in a worker, in the monitor when no worker takes a Stop, and in tests."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async
from django.db import Error
from structlog.contextvars import bound_contextvars

from attpcdaq.runcontrol.closing.quiet import wait_for_quiet
from attpcdaq.runcontrol.doing import claims, endings, record, run_progress
from attpcdaq.runcontrol.doing.beating import beating
from attpcdaq.runcontrol.doing.carrying_on import taking_part
from attpcdaq.runcontrol.doing.live_wait import live_shows
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runcontrol.doing.stages import run_stage
from attpcdaq.runcontrol.doing.step import Outcome
from attpcdaq.runcontrol.models import Command, Step, StepState
from get_protocol.state_machine import State, Transition

logger = logging.getLogger(__name__)
EARLIER_FAILED = "An earlier step failed. Nothing was sent."


def execute(command_id: UUID, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Carry out a queued command; False when somebody else has it, or its time has passed."""
    return async_to_sync(carry_out)(command_id, make_outside)


async def carry_out(command_id: UUID, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        mine = await sync_to_async(claims.claim)(command_id, outside.now)
        if mine is None:
            return False
        with bound_contextvars(command=str(command_id)):
            async with beating(partial(claims.heartbeat, command_id, mine), outside):
                await _in_words(command_id, mine, outside)
        return True
    finally:
        await outside.close()


async def _in_words(command_id: UUID, mine: UUID, outside: Outside) -> None:
    """Whatever happens, the command ends in words, or is left to who comes next."""
    try:
        command, steps = await sync_to_async(_load)(command_id)
        with bound_contextvars(**_ids(command)):
            logger.info("%s for %s begins", command.get_action_display(), endings.whom(command.targets))
            await Execution(command, steps, mine, outside).run()
    except claims.ClaimLostError:
        logger.warning("%s is carried out by somebody else now", command_id)
    except Error:
        # The sweeper misses the heartbeat once the database is back, and somebody reads the hardware and goes on.
        logger.exception("%s: the database is away", command_id)
    except Exception as error:
        logger.exception("%s broke off", command_id)
        why = f"It broke off: {error!r}. The state shown is what the hardware says."
        await sync_to_async(endings.break_off)(command_id, mine, why, outside.now())


def _ids(command: Command) -> dict[str, str]:
    """What every log line of its execution says beside the command: the click that asked for it, and its run."""
    run = {"run": str(command.run)} if command.run else {}
    return {"request_id": command.request_id, **run} if command.request_id else run


def _load(command_id: UUID) -> tuple[Command, list[Step]]:
    command = Command.objects.select_related("run__experiment").get(pk=command_id)
    steps = command.steps.select_related("ecc_server__config_set").prefetch_related("ecc_server__data_sources")
    return command, list(steps.order_by("stage", "id"))


class Execution:
    """One execution of a command: what an earlier one recorded is believed, the rest is read and done."""

    def __init__(self, command: Command, steps: Sequence[Step], mine: UUID, outside: Outside) -> None:
        self._command = command
        self._mine = mine
        self._outside = outside
        self._way_back = [step for step in steps if run_progress.is_way_back(step, steps)]
        self._steps = [step for step in steps if step not in self._way_back]
        self._outcomes = {step.pk: outcome for step in steps if (outcome := _recorded(step)) is not None}
        self._growing = ""

    async def run(self) -> None:
        """Stage by stage to the end, in words. ClaimLostError."""
        # A Stop on the way to a Start (from Paused) ends no run, also when a later execution comes by it again.
        ending = [] if self._command.opens_run else self._steps
        stops = [step for step in ending if step.transition == Transition.STOP]
        for stage in _stages(self._steps):
            await self._run(stage)
            if stops and stage[0].stage == stops[-1].stage:
                await self._stopped(stops)
        if stops and self._growing and stops[-1] is not self._steps[-1]:
            # A board whose ECC server was restarted hears no Stop, but what followed has reached it (facts 2.4).
            await self._stopped(stops)
        seen_at = self._outside.now()
        await live_shows(self._steps, self._outcomes, self._outside)
        self._way_back = await sync_to_async(run_progress.settle)(
            self._command, self._mine, self._steps, self._way_back, self._outcomes, seen_at
        )
        for stage in _stages(self._way_back):
            await self._run(stage)
        if self._way_back:
            await self._stopped(self._way_back)
        await self._conclude()

    async def _run(self, stage: Sequence[Step]) -> None:
        """Carry out what has not been recorded yet, by those who may take part."""
        await sync_to_async(claims.check)(self._command.pk, self._mine)
        left = [step for step in stage if step.pk not in self._outcomes]
        lost = self._lost(stage[0].stage)
        going = taking_part(stage, lost, run_progress.has_mutant, opens_run=self._command.opens_run)
        out = [step for step in left if step not in going]
        if out:
            await sync_to_async(record.skip)(out, EARLIER_FAILED, self._outside.now())
        doing = [step for step in left if step in going]
        if doing:
            await sync_to_async(run_progress.before_stage)(self._command, doing, self._outside.now())
            self._outcomes |= await run_stage(doing, self._mine, self._outside)

    def _lost(self, stage: int) -> list[Step]:
        """Steps of earlier stages that failed or were left out."""
        earlier = (step for step in self._steps if step.stage < stage)
        return [step for step in earlier if not (step.pk in self._outcomes and self._outcomes[step.pk].ok)]

    async def _stopped(self, stops: Sequence[Step]) -> None:
        """All boards were seen not running, and no data come any more: the run has stopped."""
        seen_at = self._outside.now()
        run_id, verdict = await sync_to_async(run_progress.run_to_close)(
            self._command, self._mine, stops, self._outcomes, seen_at
        )
        if run_id is None:
            return
        quiet = await wait_for_quiet(self._outside, self._say)
        self._growing = f"Not stopped: {quiet.growing}" if quiet.growing else ""
        if quiet.growing:
            return
        unseen = f"Not seen whether files still grow: {quiet.unseen}" if quiet.unseen else ""
        await sync_to_async(run_progress.close_run)(
            run_id, " ".join(filter(None, (verdict, unseen))), seen_at, self._outside.now(), quiet.held
        )

    async def _say(self, text: str) -> None:
        await sync_to_async(record.say)(self._command.pk, self._mine, text, self._outside.now())

    async def _conclude(self) -> None:
        failed = run_progress.failures([*self._steps, *self._way_back], self._outcomes)
        bad = " ".join(filter(None, [failed, self._growing]))
        await sync_to_async(run_progress.conclude)(self._command, self._mine, bad, self._outside.now())


def _stages(steps: Sequence[Step]) -> list[list[Step]]:
    return [list(group) for _, group in groupby(steps, key=lambda step: step.stage)]


def _recorded(step: Step) -> Outcome | None:
    """What an earlier execution recorded: confirmed was read back, a failure was its end."""
    sent = step.sent_at is not None
    if step.state == StepState.CONFIRMED:
        return Outcome(True, step.message, None if step.goal is None else State(step.goal), sent)
    if step.state in (StepState.FAILED, StepState.EXPIRED):
        return Outcome(False, step.message, None, sent)
    return None
