"""Experiments: made, and one of them made the active one."""

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
            if same := Experiment.objects.filter(name__iexact=name).first():
                raise ExperimentRefusedError(f"There is an experiment {same.name} already; choose another name.")
            experiment = Experiment.objects.create(name=name)
            record(by, "create experiment", Outcome.DONE, subject=name)
    except IntegrityError:
        raise ExperimentRefusedError(f"There is an experiment {name} already; choose another name.") from None
    add_event("setup", f"Experiment {name} created by {by.name}", subject=name)
    return experiment


@transaction.atomic
def activate(name: str, by: Requester) -> Experiment:
    """Make an experiment the active one; refused while a run is open."""
    # All rows are held: run numbers are given out by an update of the same rows.
    experiments = {row.name: row for row in Experiment.objects.select_for_update().order_by("id")}
    if name not in experiments:
        known = ", ".join(experiments) or "none"
        raise ExperimentRefusedError(f"There is no experiment {_shown(name)}; known: {known}.")
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
