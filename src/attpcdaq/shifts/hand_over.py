"""The hand-over page, made from what happened: runs, running and lost time, open problems, notes, events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from attpcdaq.live.models import Event, Severity
from attpcdaq.runlog.manifests import with_verdicts
from attpcdaq.runlog.models import Run
from attpcdaq.runlog.sheets import missing_of
from attpcdaq.shifts import notes, reckoning
from attpcdaq.shifts.models import Note, Shift
from attpcdaq.shifts.problems import Problem, problems_now
from attpcdaq.shifts.reckoning import Reckoned
from attpcdaq.shifts.spans import Interval

EVENTS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run of that time; `without`: what is missing on its sheet."""

    run: Run
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Everything of one shift."""

    shift: Shift
    reckoned: Reckoned
    runs: tuple[RunLine, ...]
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]
    events: tuple[Event, ...]
    """Warnings and errors, the oldest first."""
    more_events: int


def hand_over(shift: Shift, now: datetime) -> HandOver:
    """Of a shift that is on: as it is at `now`; of one that has ended: what was open when it did."""
    reckoned = reckoning.of_shift(shift, now)
    if shift.ended_at is None:
        open_now = problems_now(now, since=shift.began_at)
    else:
        open_now = tuple(Problem(**stored) for stored in shift.problems)
    events, more = events_that_matter(reckoned.within)
    return HandOver(
        shift,
        reckoned,
        run_lines(runs_of(reckoned.within)),
        tuple(notes.of_time(reckoned.within, shift)),
        open_now,
        events,
        more,
    )


def runs_of(within: Interval) -> list[Run]:
    """Those that were open then, the first first; also one that failed."""
    over = Q(stopped_at=None, closed_at=None) | Q(stopped_at__gt=within.begin) | Q(closed_at__gt=within.begin)
    rows = Run.objects.filter(over, requested_at__lt=within.end).select_related("experiment", "operator")
    return list(with_verdicts(rows).order_by("requested_at", "id"))


def run_lines(runs: Sequence[Run]) -> tuple[RunLine, ...]:
    """Each with what its sheet lacks."""
    without = missing_of(runs)
    return tuple(RunLine(run, without[run.pk]) for run in runs)


def events_that_matter(within: Interval) -> tuple[tuple[Event, ...], int]:
    """Warnings and errors of that time, the first of them, and how many more there were."""
    rows = Event.objects.filter(
        at__gte=within.begin, at__lte=within.end, severity__in=(Severity.WARNING, Severity.ERROR)
    ).exclude(text="")
    found = tuple(rows.order_by("at", "id")[: EVENTS_SHOWN + 1])
    more = rows.count() - EVENTS_SHOWN if len(found) > EVENTS_SHOWN else 0
    return found[:EVENTS_SHOWN], more
