"""Experiments: made, renamed, and one of them made the active one."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import EXPERIMENT_NAME, OPEN_STATES, Experiment, Run


class ExperimentRefusedError(Exception):
    """What was asked of an experiment may not be; the text says why and what is allowed."""


def check_name(name: str) -> str:
    """The name when it may become a directory; ExperimentRefusedError says what is allowed."""
    try:
        EXPERIMENT_NAME(name)
    except ValidationError as error:
        raise ExperimentRefusedError(f"Experiment name {_shown(name)}: {error.messages[0]}") from None
    return name


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:77] + "...")


def create(name: str, by: Requester) -> Experiment:
    """A new experiment, not yet active. Names that differ only in case are the same directory on some nodes."""
    check_name(name)
    try:
        with transaction.atomic():
            _check_free(name)
            experiment = Experiment.objects.create(name=name)
            record(by, "create experiment", Outcome.DONE, subject=name)
            add_event("setup", f"Experiment {name} created by {by.name}", subject=name)
    except IntegrityError:
        raise ExperimentRefusedError(f"There is an experiment {name} already; choose another name.") from None
    return experiment


def _check_free(name: str, but: Experiment | None = None) -> None:
    """No other experiment may have it as its name or as its directory: a name leads to one directory for good."""
    others = Experiment.objects.exclude(pk=but.pk) if but else Experiment.objects.all()
    if same := others.filter(name__iexact=name).first():
        raise ExperimentRefusedError(f"There is an experiment {same.name} already; choose another name.")
    if same := others.filter(directory__iexact=name).first():
        raise ExperimentRefusedError(
            f"The data of {same.name} lie in the directory {same.directory}; choose another name."
        )


@transaction.atomic
def rename(name: str, new: str, by: Requester) -> Experiment:
    """Call an experiment by another name; where its data lie stays from its first run on. Refused while one is open.

    Data of an experiment without runs will lie under the new name.
    """
    experiment = Experiment.objects.select_for_update().filter(name=name).first()
    if experiment is None:
        raise ExperimentRefusedError(_unknown(name))
    if check_name(new) == name:
        return experiment
    _check_free(new, but=experiment)
    if run := experiment.runs.filter(state__in=OPEN_STATES).select_related("experiment").first():
        state = run.get_state_display().lower()
        raise ExperimentRefusedError(f"{run} is {state}: the experiment can be renamed when it is closed.")
    Experiment.objects.filter(pk=experiment.pk).update(name=new)
    experiment.name = new
    stays = f"; its data stay in {experiment.directory}/" if experiment.directory else ""
    add_event("setup", f"Experiment {name} is now called {new} ({by.name}){stays}", subject=new)
    record(by, "rename experiment", Outcome.DONE, subject=new, text=f"{name} -> {new}{stays}")
    return experiment


def _unknown(name: str) -> str:
    known = ", ".join(Experiment.objects.order_by("id").values_list("name", flat=True)) or "none"
    return f"There is no experiment {_shown(name)}; known: {known}."


@transaction.atomic
def activate(name: str, by: Requester) -> Experiment:
    """Make an experiment the active one; refused while a run is open."""
    # All rows are held: run numbers are given out by an update of the same rows.
    experiments = {row.name: row for row in Experiment.objects.select_for_update().order_by("id")}
    if name not in experiments:
        raise ExperimentRefusedError(_unknown(name))
    if experiments[name].is_active:
        return experiments[name]
    if run := Run.objects.filter(state__in=OPEN_STATES).first():
        state = run.get_state_display().lower()
        raise ExperimentRefusedError(f"{run} is {state}: the experiment can be changed when it is closed.")
    before = next((row.name for row in experiments.values() if row.is_active), "none")
    Experiment.objects.filter(is_active=True).update(is_active=False)
    Experiment.objects.filter(name=name).update(is_active=True)
    experiments[name].is_active = True
    add_event("run", f"Experiment {name} is active ({by.name})", subject=name)
    record(by, "activate experiment", Outcome.DONE, subject=name, text=f"{before} -> {name}")
    return experiments[name]


def active() -> Experiment | None:
    """The experiment whose runs are numbered now."""
    return Experiment.objects.filter(is_active=True).first()
