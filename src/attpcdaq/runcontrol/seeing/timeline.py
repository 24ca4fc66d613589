"""How a run was operated: its phases, every command with every call that it made, and restarts, with their times."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from attpcdaq.runcontrol.models import Action, Command, CommandState, Restart, Step
from attpcdaq.runlog.manifests import manifest_of
from attpcdaq.runlog.models import Run, RunState
from get_protocol.state_machine import Transition

BADLY = (CommandState.FAILED, CommandState.EXPIRED)
"""Steps have states of the same names."""
ENDS_A_RUN = (Action.STOP, Action.BREAKUP, Action.UNDO, Action.GO_IDLE)


@dataclass(frozen=True, slots=True)
class Phase:
    """What the run was doing from one moment to another; `end` is None while it is at it."""

    name: str
    begin: datetime
    end: datetime | None

    @property
    def seconds(self) -> float | None:
        return seconds_between(self.begin, self.end)


@dataclass(frozen=True, slots=True)
class Call:
    """One call to one ECC server within a command; without `sent_at` it was never made."""

    stage: int
    server: str
    transition: str
    state: str
    message: str
    sent_at: datetime | None
    finished_at: datetime | None

    @property
    def seconds(self) -> float | None:
        return seconds_between(self.sent_at, self.finished_at)

    @property
    def ended_badly(self) -> bool:
        return self.state in BADLY


@dataclass(frozen=True, slots=True)
class Order:
    """A command or a restart and what came of it."""

    kind: str
    """An action of a command, or `restart`."""
    label: str
    by: str
    state: str
    message: str
    requested_at: datetime
    finished_at: datetime | None
    calls: tuple[Call, ...] = ()

    @property
    def seconds(self) -> float | None:
        return seconds_between(self.requested_at, self.finished_at)

    @property
    def ended_badly(self) -> bool:
        return self.state in BADLY

    @property
    def bad_calls(self) -> tuple[Call, ...]:
        return tuple(call for call in self.calls if call.ended_badly)


@dataclass(frozen=True, slots=True)
class Timeline:
    """From when it was asked for until it was closed, or until now."""

    begin: datetime
    end: datetime
    phases: tuple[Phase, ...]
    orders: tuple[Order, ...]


def seconds_between(begin: datetime | None, end: datetime | None) -> float | None:
    """Never negative: clocks of several computers may have written the two."""
    return None if begin is None or end is None else max((end - begin).total_seconds(), 0.0)


def timeline(run: Run, now: datetime) -> Timeline:
    """The operation of a run as far as it has come; three queries, however long it was."""
    commands = _commands(run, now)
    orders = [*map(_of_command, commands), *_restarts(run, now)]
    orders.sort(key=lambda order: order.requested_at)
    # A run that failed has ended while its commands still put things right.
    ends = [order.finished_at for order in orders if order.finished_at and not run.is_open]
    end = max([run.closed_at or now, run.requested_at, *ends])
    return Timeline(run.requested_at, end, tuple(_phases(run, commands)), tuple(orders))


def _commands(run: Run, now: datetime) -> list[Command]:
    """Those of the run, and those to single servers while it was open."""
    meanwhile = Q(run=None, requested_at__gte=run.requested_at, requested_at__lte=run.closed_at or now)
    rows = Command.objects.filter(Q(run=run) | meanwhile).prefetch_related("steps")
    return list(rows.order_by("requested_at"))


def _of_command(command: Command) -> Order:
    targets = f" of {', '.join(command.targets)}" if command.targets else ""
    return Order(
        kind=command.action,
        label=f"{command.get_action_display()}{targets}",
        by=command.requested_by,
        state=command.state,
        message=command.message,
        requested_at=command.requested_at,
        finished_at=command.finished_at,
        calls=tuple(map(_call, command.steps.all())),
    )


def _call(step: Step) -> Call:
    name = Transition(step.transition).name.capitalize()
    return Call(step.stage, step.server_name, name, step.state, step.message, step.sent_at, step.finished_at)


def _restarts(run: Run, now: datetime) -> list[Order]:
    rows = Restart.objects.filter(requested_at__gte=run.requested_at, requested_at__lte=run.closed_at or now)
    return [
        Order(
            kind="restart",
            label=f"Restart of {row.subject}",
            by=row.requested_by,
            state=row.state,
            message=row.message,
            requested_at=row.requested_at,
            finished_at=row.finished_at,
        )
        for row in rows
    ]


def _phases(run: Run, commands: list[Command]) -> list[Phase]:
    found = [Phase("Starting", run.requested_at, run.started_at or run.stopped_at or run.closed_at)]
    if run.started_at:
        stopping = _stop_asked(run, commands)
        found.append(Phase("Running", run.started_at, stopping or run.stopped_at))
        if stopping:
            found.append(Phase("Stopping", stopping, run.stopped_at))
    if run.stopped_at and run.state != RunState.FAILED:
        found.append(Phase("Moving files", run.stopped_at, run.closed_at))
    manifest = manifest_of(run)
    if manifest is not None:
        found.append(Phase("Checking files", manifest.asked_at, manifest.made_at))
    return found


def _stop_asked(run: Run, commands: list[Command]) -> datetime | None:
    """When what stopped it was asked for; None while nobody did, or when its boards stopped by themselves."""
    until = run.stopped_at or datetime.max.replace(tzinfo=run.requested_at.tzinfo)
    stops = [each for each in commands if each.action in ENDS_A_RUN and each.targets is None and each.run_id == run.pk]
    asked = [each.requested_at for each in stops if (run.started_at or until) <= each.requested_at <= until]
    return max(asked, default=None)
