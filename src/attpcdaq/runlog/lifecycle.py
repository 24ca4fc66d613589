"""A run is a state machine too: numbers are given out and states changed here, each by one atomic statement."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce, Greatest

from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import OPEN_STATES, Experiment, Run, RunState

NEXT: dict[str, frozenset[str]] = {
    # Straight to running: boards that were found Running are adopted.
    RunState.REQUESTED: frozenset({RunState.STARTING, RunState.RUNNING, RunState.STOPPING, RunState.FAILED}),
    RunState.STARTING: frozenset({RunState.RUNNING, RunState.STOPPING, RunState.FAILED}),
    RunState.RUNNING: frozenset({RunState.STOPPING}),
    RunState.STOPPING: frozenset({RunState.CLOSING}),
    RunState.CLOSING: frozenset({RunState.CLOSED}),
}


def request_run(
    experiment: Experiment,
    *,
    title: str,
    run_class: str,
    operator: AbstractBaseUser | None,
    configuration: dict[str, Any],
    now: datetime,
    excluded: dict[str, dict[str, str]] | None = None,
    adopted: bool = False,
) -> Run:
    """Open the next run of `experiment` (inside a transaction). IntegrityError when another run is open.

    The number is used up whatever becomes of the run.
    """
    Experiment.objects.filter(pk=experiment.pk).update(
        last_run_number=F("last_run_number") + 1,
        # From the first run on data lie there, whatever the experiment is called later.
        directory=Case(When(directory="", then=F("name")), default=F("directory")),
    )
    experiment.refresh_from_db(fields=["name", "directory", "last_run_number"])
    number = experiment.last_run_number
    run = Run.objects.create(
        experiment=experiment,
        number=number,
        title=title,
        run_class=run_class,
        operator_id=operator.pk if operator else None,
        configuration=configuration,
        excluded=excluded or {},
        adopted=adopted,
        requested_at=now,
    )
    add_event("run", f"Run {number} requested", subject=str(run), at=now)
    return run


def advance(run_id: int, to: str, now: datetime, **fields: Any) -> bool:
    """Compare-and-set to the state `to`; False when the run was not in a state that leads there."""
    before = [state for state, following in NEXT.items() if to in following]
    if to == RunState.RUNNING:
        fields.setdefault("started_at", now)
    if to == RunState.CLOSING:
        # A clock that stepped back meanwhile must not keep the run from ending.
        earliest = F("started_at") + timedelta(milliseconds=1)
        fields.setdefault("stopped_at", Greatest(Coalesce(earliest, now), now))
    if to in (RunState.CLOSED, RunState.FAILED):
        fields.setdefault("closed_at", now)
    changed = Run.objects.filter(pk=run_id, state__in=before).update(state=to, **fields)
    if changed:
        run = Run.objects.select_related("experiment").get(pk=run_id)
        text = f"Run {run.number} is {RunState(to).label.lower()}" + (f": {run.verdict}" if run.verdict else "")
        severity = "error" if to == RunState.FAILED else "warning" if run.verdict else "info"
        add_event("run", text, subject=str(run), severity=severity, at=now)
    return bool(changed)


@transaction.atomic
def add_verdict(run_id: int, text: str) -> None:
    """Add a sentence to what went wrong with a run; the same one is not said twice."""
    # Held so that a Stop, which refers to this row, can be written meanwhile.
    run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
    if text not in run.verdict:
        Run.objects.filter(pk=run_id).update(verdict=f"{run.verdict} {text}".strip())


def open_run() -> Run | None:
    """The one run that is open, if any."""
    return Run.objects.filter(state__in=OPEN_STATES).select_related("experiment").first()


def open_run_id() -> int | None:
    """The row of the open run, for who asks every second."""
    return Run.objects.filter(state__in=OPEN_STATES).order_by().values_list("pk", flat=True).first()
