"""Rows of the database as evidence: read as they are, with times in simulated seconds."""

from datetime import datetime

from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.models import Run, RunFile
from attpcdaq.topology.models import DataSource
from tests.chaos.evidence import CommandRow, RunRow, StepRow
from tests.chaos.virtual_time import Clock


def run_rows(clock: Clock, after: int) -> list[RunRow]:
    """Runs whose row came after the one with this id."""
    wired = dict(DataSource.objects.values_list("sender_id", "ecc_server__name"))
    found = Run.objects.filter(pk__gt=after).select_related("experiment").prefetch_related("files").order_by("pk")
    return [_run_row(run, clock, wired) for run in found]


def _run_row(run: Run, clock: Clock, wired: dict[str, str]) -> RunRow:
    data = frozenset((file.node, file.path) for file in run.files.all() if file.kind == RunFile.Kind.DATA)
    return RunRow(
        pk=run.pk,
        number=run.number,
        state=run.state,
        verdict=run.verdict,
        directory=run.directory,
        requested=clock.seconds(run.requested_at),
        started=_seconds(clock, run.started_at),
        stopped=_seconds(clock, run.stopped_at),
        closed=_seconds(clock, run.closed_at),
        over=_seconds(clock, run.closed_at),
        boards={board: server for board, server in wired.items() if server not in run.excluded},
        adopted=run.adopted,
        files=data,
    )


def command_rows(clock: Clock, known: frozenset[str]) -> list[CommandRow]:
    """Commands that were not there before."""
    found = Command.objects.exclude(pk__in=known).prefetch_related("steps").order_by("requested_at")
    return [_command_row(command, clock) for command in found]


def _command_row(command: Command, clock: Clock) -> CommandRow:
    steps = (
        StepRow(s.server_name, s.transition, s.state, _seconds(clock, s.sent_at), _seconds(clock, s.finished_at))
        for s in command.steps.all()
    )
    return CommandRow(
        pk=str(command.pk),
        action=command.action,
        state=command.state,
        requested=clock.seconds(command.requested_at),
        lifetime=(command.expires_at - command.requested_at).total_seconds(),
        finished=_seconds(clock, command.finished_at),
        revivals=command.revivals,
        steps=tuple(steps),
        whole=command.targets is None,
    )


def _seconds(clock: Clock, moment: datetime | None) -> float | None:
    return None if moment is None else clock.seconds(moment)
