"""Free notes of the crew, on a run or a shift: added, never changed."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runlog.models import Run
from attpcdaq.shifts.models import Note, Shift
from attpcdaq.shifts.spans import Interval
from attpcdaq.shifts.texts import lines

TOPIC = "shift"
NOWHERE = "No shift is on and no run is open: begin a shift, or write the note on the page of a run."
TWICE = 5.0
"""Seconds in which the same words by the same person are one note: a form that was sent twice."""


def add(text: str, by: Requester, now: datetime, *, run: Run | None, shift: Shift | None) -> Note:
    """Keep a note (1 to 20,000 characters) with its run, its shift, or both. BadCommand, CommandRefused for neither."""
    text = lines("text", text)
    if run is None and shift is None:
        raise CommandRefused((NOWHERE,))
    with transaction.atomic():
        _hold(run, shift)
        if before := _sent_before(text, by, now, run, shift):
            return before
        note = Note.objects.create(at=now, by=by.name, text=text, run=run, shift=shift)
        subject = str(run or shift)
        add_event(TOPIC, f"Note by {by.name}: {text[:200]}", subject=subject, at=now)
        record(by, "note", Outcome.DONE, subject=subject, text=text[:500], at=now)
    return note


def _hold(run: Run | None, shift: Shift | None) -> None:
    """Who sends the same twice at once follows himself."""
    if run is not None:
        Run.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)
    elif shift is not None:
        Shift.objects.select_for_update(no_key=True).get(pk=shift.pk)


def _sent_before(text: str, by: Requester, now: datetime, run: Run | None, shift: Shift | None) -> Note | None:
    last = Note.objects.filter(by=by.name, run=run, shift=shift).order_by("-id").first()
    same = last is not None and last.text == text and abs((now - last.at).total_seconds()) < TWICE
    return last if same else None


def of_run(run: Run) -> "QuerySet[Note]":
    """The oldest first."""
    return Note.objects.filter(run=run).select_related("run__experiment")


def of_time(within: Interval, shift: Shift | None = None) -> "QuerySet[Note]":
    """Written then, on whatever; of a shift also what was added to it later."""
    then = Q(at__gte=within.begin, at__lte=within.end)
    rows = Note.objects.filter(then | Q(shift=shift) if shift else then)
    return rows.select_related("run__experiment", "shift")
