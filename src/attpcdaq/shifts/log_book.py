"""The electronic log book of a shift, a day or an experiment: what goes on its pages, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from attpcdaq.live.models import Event
from attpcdaq.runlog.models import Experiment, Measurement, Run
from attpcdaq.shifts import beam_time, notes, reckoning
from attpcdaq.shifts.hand_over import events_that_matter, run_lines, runs_of
from attpcdaq.shifts.models import Note, Shift
from attpcdaq.shifts.reckoning import Reckoned, midnight, reckoned
from attpcdaq.shifts.spans import Interval


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run with its sheet and its notes."""

    run: Run
    seconds: int | None
    measured: tuple[tuple[str, str], ...]
    """Observable with its unit, and the value."""
    without: tuple[str, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class LogBook:
    """What is exported; `notes` are those that belong to no run of it."""

    title: str
    name: str
    """For a file, without ending."""
    made_at: datetime
    reckoned: Reckoned
    shifts: tuple[Shift, ...]
    runs: tuple[RunPage, ...]
    notes: tuple[Note, ...]
    events: tuple[Event, ...]
    more_events: int

    @property
    def within(self) -> Interval:
        return self.reckoned.within


def of_shift(shift: Shift, now: datetime) -> LogBook:
    """Of one shift, to `now` while it is on."""
    begin = timezone.localtime(shift.began_at)
    title, name = f"Shift of {shift.crew}, {begin:%-d %B %Y}", f"shift_{begin:%Y-%m-%d_%H%M}"
    return _made(title, name, reckoning.of_shift(shift, now), now, shift=shift)


def of_day(day: date, experiment: Experiment | None, now: datetime) -> LogBook:
    """Of a day by the clocks of the laboratory; every run of it counts, of whatever experiment."""
    begin = midnight(day)
    within = Interval(begin, max(begin, min(midnight(day, days=1), now)))
    made = reckoned(within, now, experiment, theirs_too=True)
    return _made(f"{day:%A, %-d %B %Y}", f"day_{day:%Y-%m-%d}", made, now)


def of_experiment(experiment: Experiment, now: datetime) -> LogBook:
    """Of a whole beam time."""
    made = beam_time.of_experiment(experiment, now)
    return _made(f"Experiment {experiment.name}", experiment.name, made, now, experiment=experiment)


def _made(
    title: str,
    name: str,
    made: Reckoned,
    now: datetime,
    *,
    shift: Shift | None = None,
    experiment: Experiment | None = None,
) -> LogBook:
    within = made.within
    runs = [run for run in runs_of(within) if experiment is None or run.experiment_id == experiment.pk]
    pages = _pages(runs)
    theirs = {run.pk for run in runs}
    events, more = events_that_matter(within)
    return LogBook(
        title=title,
        name=name,
        made_at=now,
        reckoned=made,
        shifts=(shift,) if shift else tuple(_shifts(within)),
        runs=pages,
        notes=tuple(note for note in notes.of_time(within, shift) if note.run_id not in theirs),
        events=events,
        more_events=more,
    )


def _shifts(within: Interval) -> "QuerySet[Shift]":
    rows = Shift.objects.filter(began_at__lt=within.end).exclude(ended_at__lte=within.begin)
    return rows.order_by("began_at", "id")


def _pages(runs: Sequence[Run]) -> tuple[RunPage, ...]:
    ids = [run.pk for run in runs]
    measured = Measurement.objects.select_related("observable").order_by("observable__position", "id")
    written = Note.objects.order_by("at", "id")
    rows = Run.objects.filter(pk__in=ids).prefetch_related(
        Prefetch("measurements", measured), Prefetch("crew_notes", written)
    )
    full = {run.pk: run for run in rows}
    return tuple(_page(line.run, full[line.run.pk], line.without) for line in run_lines(runs))


def _page(run: Run, full: Run, without: tuple[str, ...]) -> RunPage:
    seconds = None
    if run.started_at is not None and run.stopped_at is not None:
        seconds = int((run.stopped_at - run.started_at).total_seconds())
    values = tuple((str(each.observable), each.value) for each in full.measurements.all())
    return RunPage(run, seconds, values, without, tuple(full.crew_notes.all()))
