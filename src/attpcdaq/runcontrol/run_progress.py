"""What a command means for the run: begun, seen running, rolled back, seen stopped."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from attpcdaq.live.models import ECCState, MonitorBeat
from attpcdaq.runcontrol import publish, record
from attpcdaq.runcontrol.gather import MONITOR_TOO_OLD
from attpcdaq.runcontrol.models import Command, CommandState, Step
from attpcdaq.runcontrol.step import Outcome
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import Run, RunState
from attpcdaq.topology.models import Role
from get_protocol.state_machine import Transition

Outcomes = Mapping[int, Outcome]
# A node that burnt must not keep its run open for ever; a network that hiccups must not end one.
SILENT_FOR_GOOD = timedelta(seconds=60)
STOPPED_EARLY = "A Stop came before all boards were seen Running."


def begin(command: Command, steps: Sequence[Step], now: datetime) -> None:
    """The first call is about to leave: from here on a frame may be taken, or the boards are being stopped."""
    if command.run_id is None or command.targets is not None:
        return
    if command.opens_run:
        advance(command.run_id, RunState.STARTING, now)
    elif any(step.transition == Transition.STOP for step in steps):
        advance(command.run_id, RunState.STOPPING, now)


def after_stage(
    command: Command, steps: Sequence[Step], stage: Sequence[Step], outcomes: Outcomes, now: datetime
) -> bool:
    """Whether the next stage may begin: after a Stop always, otherwise only when all of this one succeeded."""
    if stage[0].transition != Transition.STOP:
        return all(outcomes[step.pk].ok for step in stage)
    stops = [step for step in steps if step.transition == Transition.STOP]
    if stage[0].stage == stops[-1].stage:
        _stopped(command, stops, outcomes, now)
    return True


def _stopped(command: Command, stops: Sequence[Step], outcomes: Outcomes, now: datetime) -> None:
    """All boards were seen not running: the run has stopped, and its files may be looked at."""
    if command.run_id is None or command.targets is not None:
        return
    run = Run.objects.filter(pk=command.run_id, state=RunState.STOPPING).first()
    if run is None:
        return
    missing = [step for step in stops if not outcomes[step.pk].ok]
    silent = _silent_servers([step for step in missing if outcomes[step.pk].state is None], now)
    if len(silent) < len(missing):
        return
    if missing:
        names = ", ".join(step.server_name for step in missing)
        add_verdict(run.pk, f"Not seen stopped, for nothing answered any more: {names}.")
    if run.started_at is None and not run.verdict:
        add_verdict(run.pk, "It was stopped before all boards were seen Running.")
    if advance(run.pk, RunState.CLOSING, now, files_asked_at=now):
        transaction.on_commit(partial(publish.publish_close_out, run.pk))


def _silent_servers(steps: Sequence[Step], now: datetime) -> set[int]:
    """Those that nobody could read for so long that a run need not wait for them any more."""
    if not MonitorBeat.objects.filter(at__gt=now - MONITOR_TOO_OLD).exists():
        return set()
    answered = ECCState.objects.filter(seen_at__gt=now - SILENT_FOR_GOOD).values_list("pk", flat=True)
    return {step.ecc_server_id for step in steps if step.ecc_server_id is not None} - set(answered)


def settle(command: Command, steps: Sequence[Step], outcomes: Outcomes, seen_at: datetime) -> list[list[Step]]:
    """After the last stage: the run is running, or has failed, or these stages of Stop lead back."""
    if not command.opens_run or command.run_id is None:
        return []
    if all(step.pk in outcomes and outcomes[step.pk].ok for step in steps):
        advance(command.run_id, RunState.RUNNING, seen_at, started_at=seen_at)
        return []
    superseded = _is_superseded(command)
    add_verdict(command.run_id, STOPPED_EARLY if superseded else f"Start failed. {failures(steps, outcomes)}")
    if not any(outcome.sent or outcome.ok for outcome in outcomes.values()):
        advance(command.run_id, RunState.FAILED, seen_at)
        return []
    if superseded:
        return []  # that Stop sees to the run
    advance(command.run_id, RunState.STOPPING, seen_at)
    # Who was told nothing cannot run: a server that is away must not keep the others' files waiting.
    told = [step for step in steps if step.pk in outcomes and (outcomes[step.pk].sent or outcomes[step.pk].ok)]
    return _way_back(command, told)


def _way_back(command: Command, started: Sequence[Step]) -> list[list[Step]]:
    """New steps that stop what may be running, the MuTAnT first."""
    mutant: list[Step] = []
    cobos: list[Step] = []
    for step in started:
        server = step.ecc_server
        if server is not None:
            roles = {source.role for source in server.data_sources.all()}
            (mutant if Role.MUTANT in roles else cobos).append(step)
    next_stage = max(step.stage for step in command.steps.all()) + 1
    groups = [group for group in (mutant, cobos) if group]
    return [[_stop_step(command, step, next_stage + n) for step in group] for n, group in enumerate(groups)]


def _stop_step(command: Command, started: Step, stage: int) -> Step:
    return Step.objects.create(
        command=command,
        stage=stage,
        ecc_server=started.ecc_server,
        server_name=started.server_name,
        transition=Transition.STOP,
    )


def conclude(
    command: Command, steps: Sequence[Step], way_back: Sequence[Sequence[Step]], outcomes: Outcomes, now: datetime
) -> None:
    """The end of the command, in words; after a way back the run is seen stopped first."""
    stops = [step for group in way_back for step in group]
    if stops:
        _stopped(command, stops, outcomes, now)
    bad = failures([*steps, *stops], outcomes)
    if bad and _is_superseded(command):
        record.finish(command.pk, CommandState.FAILED, "A Stop came first.", now)
    elif bad:
        record.finish(command.pk, CommandState.FAILED, bad, now)
    else:
        record.finish(command.pk, CommandState.DONE, "", now)


def _is_superseded(command: Command) -> bool:
    return Command.objects.filter(pk=command.pk, superseded=True).exists()


@transaction.atomic
def break_off(command_id: UUID, why: str, now: datetime) -> None:
    """End a command whose executor failed or is gone. A run of which nothing was sent ends with it."""
    if not record.finish(command_id, CommandState.FAILED, why, now):
        return
    command = Command.objects.get(pk=command_id)
    if not command.opens_run or command.run_id is None:
        return
    add_verdict(command.run_id, why)
    if not command.steps.filter(sent_at__isnull=False).exists():
        advance(command.run_id, RunState.FAILED, now)


def drop_start(run_id: int, why: str, now: datetime) -> None:
    """The run of a Start that nobody had begun: no board was told anything."""
    add_verdict(run_id, why)
    advance(run_id, RunState.FAILED, now)


def failures(steps: Sequence[Step], outcomes: Outcomes) -> str:
    """Every server that failed and what it said."""
    failed = (step for step in steps if step.pk in outcomes and not outcomes[step.pk].ok)
    return " ".join(f"{step.server_name}: {outcomes[step.pk].message}" for step in failed)
