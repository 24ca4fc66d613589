"""What a command means for the run: begun, seen running, rolled back, seen stopped."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from attpcdaq.live import lease
from attpcdaq.live.models import ECCState
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.doing import claims, endings
from attpcdaq.runcontrol.doing.endings import may_have_frames
from attpcdaq.runcontrol.doing.step import Outcome
from attpcdaq.runcontrol.doing.superseding import stop_came, supersede_others
from attpcdaq.runcontrol.models import ACTIVE_STATES, Action, Command, CommandState, Step
from attpcdaq.runcontrol.proving import configs_kept
from attpcdaq.runcontrol.seeing.gather import MONITOR_TOO_OLD
from attpcdaq.runlog.lifecycle import add_verdict, advance, open_run
from attpcdaq.runlog.models import Run, RunState
from attpcdaq.topology.models import Role
from get_protocol.state_machine import State, Transition

Outcomes = Mapping[int, Outcome]
# A node that burnt must not keep its run open for ever; a network that hiccups must not end one.
SILENT_FOR_GOOD = timedelta(seconds=60)
STOPPED_EARLY = "A Stop came before all boards were seen Running."
NOT_YET_RUNNING = (RunState.REQUESTED, RunState.STARTING)


class RunOverError(Exception):
    """The run of a Start has ended before its boards were told to start."""


def before_stage(command: Command, stage: Sequence[Step], now: datetime) -> None:
    """The calls of `stage` are about to leave: a frame may be taken from here on, or the boards are being stopped."""
    if command.action == Action.STOP:
        supersede_others(command, now)
    if command.targets is not None:
        return
    if command.opens_run and stage[0].transition == Transition.START:
        _starting(command, now)
    elif stage[0].transition == Transition.STOP and (run := _run_of(command)) is not None and _may_run(run):
        _stopping(run.pk, now)


@transaction.atomic
def _stopping(run_id: int, now: datetime) -> None:
    """Who holds the run's row keeps no board from being stopped: run_to_close says it again afterwards."""
    if Run.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=run_id).exists():
        advance(run_id, RunState.STOPPING, now)


def _starting(command: Command, now: datetime) -> None:
    assert command.run_id is not None
    if advance(command.run_id, RunState.STARTING, now):
        return
    if not Run.objects.filter(pk=command.run_id, state=RunState.STARTING).exists():
        raise RunOverError("its run is not open any more")


def _run_of(command: Command) -> Run | None:
    """The run that a command for the whole system is about: its own, or whichever is open now.

    A Stop is asked for without a lock, so a run may have been opened while it was written down.
    """
    return Run.objects.filter(commands=command).first() if command.opens_run else open_run()


def _may_run(run: Run) -> bool:
    """Whether its boards may have been told to start."""
    return run.state not in NOT_YET_RUNNING or may_have_frames(run.pk)


def run_to_close(
    command: Command, mine: UUID, stops: Sequence[Step], outcomes: Outcomes, now: datetime
) -> tuple[int | None, str]:
    """The run that ends with these Stops, and what its verdict must say; None when it goes on, or is none."""
    claims.check(command.pk, mine)
    run = None if command.targets is not None else _run_of(command)
    if run is None or not _may_run(run):
        _fail_unstarted(command, run, now)
        return None, ""
    advance(run.pk, RunState.STOPPING, now)
    if not Run.objects.filter(pk=run.pk, state=RunState.STOPPING).exists():
        return None, ""
    missing = [step for step in stops if not (step.pk in outcomes and outcomes[step.pk].ok)]
    unread = [step for step in missing if step.pk not in outcomes or outcomes[step.pk].state is None]
    if len(_silent_servers(unread, now)) < len(missing):
        return None, ""
    names = ", ".join(step.server_name for step in missing)
    return run.pk, f"Not seen stopped, for nothing answered any more: {names}." if missing else ""


def _fail_unstarted(command: Command, run: Run | None, now: datetime) -> None:
    """A run of which no board was told anything, when nobody is at work on it any more."""
    if run is None or command.opens_run:
        return
    if not Command.objects.filter(run=run, action=Action.START, state__in=ACTIVE_STATES).exists():
        add_verdict(run.pk, endings.SUPERSEDED)
        advance(run.pk, RunState.FAILED, now)


def _silent_servers(steps: Sequence[Step], now: datetime) -> set[int]:
    """Those that nobody could read for so long that a run need not wait for them any more."""
    written_at = lease.written_at()
    if written_at is None or written_at <= now - MONITOR_TOO_OLD:
        return set()
    answered = ECCState.objects.filter(seen_at__gt=now - SILENT_FOR_GOOD).values_list("pk", flat=True)
    return {step.ecc_server_id for step in steps if step.ecc_server_id is not None} - set(answered)


@transaction.atomic
def close_run(
    run_id: int, verdict: str, stopped_at: datetime, now: datetime, quiet: Mapping[str, object] | None = None
) -> None:
    """The run has stopped, and its files may be moved; `quiet` is what their directories held (closing.quiet)."""
    if verdict:
        add_verdict(run_id, verdict)
    run = Run.objects.get(pk=run_id)
    configs_kept.of_run(run)
    if run.started_at is None and not run.verdict:
        add_verdict(run_id, "It was stopped before all boards were seen Running.")
    if advance(run_id, RunState.CLOSING, stopped_at, files_asked_at=now, quiet=quiet or {}):
        transaction.on_commit(partial(publish.publish_close_out, run_id))


def settle(
    command: Command,
    mine: UUID,
    steps: Sequence[Step],
    way_back: Sequence[Step],
    outcomes: Outcomes,
    seen_at: datetime,
) -> list[Step]:
    """After the last stage: the run is running, or has failed, or these steps of Stop lead back."""
    claims.check(command.pk, mine)
    if not command.opens_run or command.run_id is None or way_back:
        return list(way_back)
    if all(step.pk in outcomes and outcomes[step.pk].ok for step in steps):
        advance(command.run_id, RunState.RUNNING, seen_at, started_at=seen_at)
        configs_kept.of_open_run()
        return []
    superseded = stop_came(command)
    add_verdict(command.run_id, STOPPED_EARLY if superseded else f"Start failed. {failures(steps, outcomes)}")
    told = [step for step in steps if step.transition == Transition.START and _was_told(step, outcomes)]
    if not told:
        advance(command.run_id, RunState.FAILED, seen_at)
        return []
    advance(command.run_id, RunState.STOPPING, seen_at)
    # Who was told nothing cannot run: a server that is away must not keep the others' files waiting.
    return _way_back(command, told)


def _was_told(step: Step, outcomes: Outcomes) -> bool:
    outcome = outcomes.get(step.pk)
    return step.sent_at is not None or (outcome is not None and (outcome.sent or outcome.ok))


@transaction.atomic
def _way_back(command: Command, started: Sequence[Step]) -> list[Step]:
    """New steps that stop what may be running, the MuTAnT first."""
    next_stage = max(step.stage for step in command.steps.all()) + 1
    groups = [[step for step in started if has_mutant(step)], [step for step in started if not has_mutant(step)]]
    return [
        Step.objects.create(
            command=command,
            stage=next_stage + number,
            ecc_server=step.ecc_server,
            server_name=step.server_name,
            transition=Transition.STOP,
            goal=State.READY,
        )
        for number, group in enumerate(group for group in groups if group)
        for step in group
    ]


def is_way_back(step: Step, steps: Sequence[Step]) -> bool:
    """Whether a step stops what the same command has started."""
    starts = (other for other in steps if other.transition == Transition.START)
    return step.transition == Transition.STOP and any(start.stage < step.stage for start in starts)


def has_mutant(step: Step) -> bool:
    """Whether its ECC server drives the MuTAnT."""
    server = step.ecc_server
    return server is not None and any(source.role == Role.MUTANT for source in server.data_sources.all())


def conclude(command: Command, mine: UUID, bad: str, now: datetime) -> None:
    """The end of the command; `bad` says what went wrong, empty when nothing did."""
    if bad and stop_came(command):
        bad = "A Stop came first."
    endings.finish(command.pk, mine, CommandState.FAILED if bad else CommandState.DONE, bad, now)


def failures(steps: Sequence[Step], outcomes: Outcomes) -> str:
    """Every server that failed and what it said."""
    failed = (step for step in steps if step.pk in outcomes and not outcomes[step.pk].ok)
    return " ".join(f"{step.server_name}: {outcomes[step.pk].message}" for step in failed)
