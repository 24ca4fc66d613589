"""Changing the setup or the experiment: only while nothing is under way, all of it or nothing."""

from django.db import transaction
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.control import check
from attpcdaq.runcontrol.asking.gate import hold_gate
from attpcdaq.runcontrol.models import ACTIVE_STATES, Command
from attpcdaq.runlog import experiments
from attpcdaq.runlog.models import OPEN_STATES, Experiment, Run
from attpcdaq.topology import setup_store
from attpcdaq.topology.setup import Change, Setup, changes
from attpcdaq.topology.setup_edit import Renaming


class SetupBusyError(Exception):
    """The setup may not change now; `reasons` say what is under way."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class SetupChangedError(SetupBusyError):
    """Somebody else changed it meanwhile."""

    def __init__(self) -> None:
        super().__init__(("The setup was changed meanwhile by somebody else: nothing was done. Look at it again.",))


def blockers() -> tuple[str, ...]:
    """Why the setup may not change now: an open run or an active command."""
    runs = (f"{run} is {run.get_state_display().lower()}" for run in Run.objects.filter(state__in=OPEN_STATES))
    commands = Command.objects.filter(state__in=ACTIVE_STATES)
    return (*runs, *(f"{command.get_action_display()} of {command.requested_by} is under way" for command in commands))


def planned(setup: Setup) -> tuple[Change, ...]:
    """What loading `setup` would change now."""
    return changes(setup_store.read(), setup)


@transaction.atomic
def load(
    setup: Setup, by: Requester, *, over: Setup | None = None, renaming: Renaming | None = None
) -> tuple[Change, ...]:
    """Make `setup` the setup and return what changed; SetupBusyError, and nothing done, while anything is under way.

    CommandRefused while somebody else is in charge. SetupChangedError when the setup is not `over` any more.
    """
    hold_gate()
    before = setup_store.read()
    if over is not None and before != over:
        raise SetupChangedError
    done = renamed(before, setup, renaming)
    if done and (reasons := blockers()):
        raise SetupBusyError(reasons)
    if done:
        check(by, timezone.now())
        setup_store.write(setup, renaming)
        add_event("setup", f"Setup changed by {by.name}: {_counted(done)}")
        record(by, "setup", Outcome.DONE, subject=_counted(done), text="\n".join(map(str, done)))
    return done


def renamed(before: Setup, setup: Setup, renaming: Renaming | None) -> tuple[Change, ...]:
    """Every change, a row that goes on under another name told as that."""
    if renaming is None:
        return changes(before, setup)
    return (renaming.change(), *changes(renaming.applied(before), setup))


def _counted(done: tuple[Change, ...]) -> str:
    words = {"add": "added", "rename": "renamed", "change": "changed", "remove": "removed"}
    counts = ((sum(change.verb == verb for change in done), word) for verb, word in words.items())
    return ", ".join(f"{count} {word}" for count, word in counts if count)


@transaction.atomic
def activate_experiment(name: str, by: Requester) -> Experiment:
    """Make an experiment the active one; no Start is decided on meanwhile. ExperimentRefusedError, CommandRefused."""
    hold_gate()
    check(by, timezone.now())
    return experiments.activate(name, by)


@transaction.atomic
def create_experiment(name: str, by: Requester) -> Experiment:
    """A new experiment; names are given out one after the other. ExperimentRefusedError."""
    hold_gate()
    return experiments.create(name, by)


@transaction.atomic
def rename_experiment(name: str, new: str, by: Requester) -> Experiment:
    """Call an experiment by another name; no run is requested meanwhile. ExperimentRefusedError."""
    hold_gate()
    return experiments.rename(name, new, by)
