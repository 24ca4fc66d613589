"""Why there was no run, as the crew says: a cause for the time after a run, or before an experiment's first one."""

from datetime import datetime

from django.db import transaction

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts.causes import label_of
from attpcdaq.shifts.models import Gap, LossCause
from attpcdaq.shifts.texts import one_line

TOPIC = "shift"


def name_cause(
    experiment: Experiment,
    after: int | None,
    cause: str,
    comment: str,
    by: Requester,
    now: datetime,
    *,
    was: str | None = None,
) -> Gap | None:
    """Say why no data were taken after the run number `after` (None: before the first run); no cause takes it back.

    `was`: the cause that the writer saw, refused when somebody has named another one since. BadCommand, CommandRefused.
    """
    if cause and cause not in LossCause.values:
        raise BadCommand("cause", f"{cause[:40]!r} is not one of {', '.join(LossCause.values)}, or empty.")
    comment = one_line("comment", comment, 200, needed=False)
    with transaction.atomic():
        # Held, so that of two who name it at once the second is told of the first.
        Experiment.objects.select_for_update(no_key=True).get(pk=experiment.pk)
        run = _run(experiment, after)
        before = Gap.objects.filter(experiment=experiment, after=run).first()
        if was is not None and was != (before.cause if before else "") != cause:
            raise CommandRefused((_meanwhile(before),))
        if comment and not cause and comment != (before.comment if before else ""):
            raise BadCommand("cause", f"choose one, or what you wrote is kept nowhere: {comment!r}.")
        return _write(experiment, run, before, cause, comment, by, now)


def _run(experiment: Experiment, after: int | None) -> Run | None:
    if after is None:
        return None
    run = Run.objects.filter(experiment=experiment, number=after).first()
    if run is None or run.started_at is None:
        raise BadCommand("after", f"there is no run {after} of {experiment} that took data.")
    if run.stopped_at is None:
        raise CommandRefused((f"Run {after} has not stopped yet: there is no gap after it.",))
    return run


def _meanwhile(gap: Gap | None) -> str:
    if gap is None:
        return "Somebody has taken the cause back meanwhile: look at the page again."
    return f"{gap.by} has named {label_of(gap.cause)!r} meanwhile: look at the page again."


def _write(
    experiment: Experiment, run: Run | None, before: Gap | None, cause: str, comment: str, by: Requester, now: datetime
) -> Gap | None:
    old = _said(before.cause, before.comment) if before else "nothing"
    subject = f"{experiment} after run {run.number}" if run else f"{experiment} before the first run"
    gap = None
    if cause:
        said = {"cause": cause, "comment": comment, "by": by.name, "at": now}
        gap, _ = Gap.objects.update_or_create(experiment=experiment, after=run, defaults=said)
    elif before:
        before.delete()
    new = _said(cause, comment) if cause else "nothing"
    if old != new:
        add_event(TOPIC, f"No data: {new} ({by.name})" if cause else "", subject=subject, at=now)
    record(by, "cause of lost time", Outcome.DONE, subject=subject, text=f"{old} -> {new}", at=now)
    return gap


def _said(cause: str, comment: str) -> str:
    return f"{label_of(cause)}: {comment}" if comment else label_of(cause)
