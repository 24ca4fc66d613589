"""What a command means for the run: begun, seen running, rolled back, seen stopped."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from attpcdaq.runcontrol import publish, record
from attpcdaq.runcontrol.models import Action, Command, CommandState, Step
from attpcdaq.runcontrol.step import Outcome
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import RunState
from attpcdaq.topology.models import Role
from get_protocol.state_machine import Transition

Outcomes = Mapping[int, Outcome]


def begin(command: Command, now: datetime) -> None:
    """The first call of a Start is about to leave: from here on a frame may be taken."""
    if _opens_run(command) and command.run_id:
        advance(command.run_id, RunState.STARTING, now)


def _opens_run(command: Command) -> bool:
    return command.action == Action.START and command.targets is None


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
    if command.run_id is None or command.targets is not None or not all(outcomes[step.pk].ok for step in stops):
        return
    if advance(command.run_id, RunState.CLOSING, now, files_asked_at=now):
        transaction.on_commit(partial(publish.publish_close_out, command.run_id))


def settle(command: Command, steps: Sequence[Step], outcomes: Outcomes, seen_at: datetime) -> list[list[Step]]:
    """After the last stage: the run is running, or has failed, or these stages of Stop lead back."""
    if not _opens_run(command) or command.run_id is None:
        return []
    if all(step.pk in outcomes and outcomes[step.pk].ok for step in steps):
        advance(command.run_id, RunState.RUNNING, seen_at, started_at=seen_at)
        return []
    if Command.objects.filter(pk=command.pk, superseded=True).exists():
        return []  # the Stop that came first sees to the run
    add_verdict(command.run_id, f"Start failed. {failures(steps, outcomes)}")
    if not any(outcome.sent or outcome.ok for outcome in outcomes.values()):
        advance(command.run_id, RunState.FAILED, seen_at)
        return []
    advance(command.run_id, RunState.STOPPING, seen_at)
    return _way_back(command, [step for step in steps if step.pk in outcomes])


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
    superseded = Command.objects.filter(pk=command.pk, superseded=True).exists()
    if superseded:
        record.finish(command.pk, CommandState.FAILED, "A Stop came first.", now)
    elif bad:
        record.finish(command.pk, CommandState.FAILED, bad, now)
    else:
        record.finish(command.pk, CommandState.DONE, "", now)


def failures(steps: Sequence[Step], outcomes: Outcomes) -> str:
    """Every server that failed and what it said."""
    failed = (step for step in steps if step.pk in outcomes and not outcomes[step.pk].ok)
    return " ".join(f"{step.server_name}: {outcomes[step.pk].message}" for step in failed)
