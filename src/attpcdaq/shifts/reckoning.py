"""What a shift, a day or an experiment adds up to: from rows to accounts, in whole seconds that add up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts.accounting import Account, Segment, account, segments, whole_seconds
from attpcdaq.shifts.causes import LABELS
from attpcdaq.shifts.history import Between, known_of
from attpcdaq.shifts.models import Shift
from attpcdaq.shifts.spans import Interval

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9999, 12, 30)
"""Beyond them a day has no midnight in UTC everywhere, or none follows it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an account: `kind` is running, lost or not_watched; seconds; share of the whole, 0 to 1."""

    kind: str
    cause: str
    label: str
    seconds: int
    share: float
    details: tuple[tuple[str, int], ...] = ()
    """What was lost by, and for how many seconds."""


@dataclass(frozen=True, slots=True)
class Sums:
    """An account as tables show it; the lines add up to `length`, in seconds."""

    length: int
    running: int
    lost: int
    not_watched: int
    unseen_runs: int
    """Of what nobody watched: while a run was open."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of local time, or what of it was counted."""

    day: date
    begin: datetime
    end: datetime
    sums: Sums


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A time with everything that it adds up to."""

    within: Interval
    sums: Sums
    segments: tuple[Segment, ...]
    gaps: tuple[Between, ...]
    days: tuple[Day, ...]


def of_shift(shift: Shift, now: datetime) -> Reckoned:
    """From its begin to its end, or `now`; every run counts, of whatever experiment."""
    return reckoned(interval_of(shift, now), now, shift.experiment, theirs_too=True)


def interval_of(shift: Shift, now: datetime) -> Interval:
    """Of a shift that is on until `now`."""
    return Interval(shift.began_at, max(shift.ended_at or now, shift.began_at))


def beam_time_of(experiment: Experiment, now: datetime) -> Interval:
    """From when somebody first did something for it to when somebody last did; `now` while it is active."""
    runs = Run.objects.filter(experiment=experiment).aggregate(
        begin=Min("requested_at"), started=Min("started_at"), end=Max("stopped_at"), asked=Max("requested_at")
    )
    shifts = Shift.objects.filter(experiment=experiment).aggregate(begin=Min("began_at"), end=Max("ended_at"))
    begins = [at for at in (runs["begin"], runs["started"], shifts["begin"]) if at is not None]
    ends = [at for at in (runs["end"], runs["asked"], shifts["end"], shifts["begin"]) if at is not None]
    begin = min(begins, default=now)
    return Interval(begin, max(begin, now if experiment.is_active else max(ends, default=begin)))


def reckoned(within: Interval, now: datetime, experiment: Experiment | None, *, theirs_too: bool = False) -> Reckoned:
    """Everything that an interval adds up to, by day too."""
    known = known_of(within, now, experiment, theirs_too=theirs_too)
    borders = midnights(within)
    found = segments(within, known.history, borders)
    days = _days(within, found, borders)
    return Reckoned(within, sums_of(account(found)), tuple(found), known.gaps, days)


def joined(past: Reckoned, today: Reckoned) -> Reckoned:
    """Of two times that follow each other at a midnight: as if they had been worked out as one."""
    last, first = past.gaps[-1:], today.gaps[:1]
    gaps = past.gaps + today.gaps
    if last and first and last[0].end == first[0].begin and last[0].after == first[0].after:
        gaps = (*past.gaps[:-1], replace(last[0], end=first[0].end), *today.gaps[1:])
    found = past.segments + today.segments
    within = Interval(past.within.begin, today.within.end)
    return Reckoned(within, sums_of(account(found)), found, gaps, past.days + today.days)


def sums_of(total: Account) -> Sums:
    """In whole seconds, so that each column adds up on paper too."""
    causes = sorted(total.lost, key=_order)
    keys = [("running", ""), *(("lost", cause) for cause in causes), ("not_watched", "")]
    whole = whole_seconds([total.running, *(total.lost[cause] for cause in causes), total.not_watched])
    length = sum(whole)
    lines = tuple(
        Line(
            kind,
            cause,
            _label(kind, cause),
            seconds,
            seconds / length if length else 0.0,
            _details(total, cause, seconds),
        )
        for (kind, cause), seconds in zip(keys, whole, strict=True)
    )
    unseen = int(total.unseen_runs.total_seconds())
    return Sums(length, whole[0], sum(whole[1:-1]), whole[-1], unseen, lines)


def _details(total: Account, cause: str, seconds: int) -> tuple[tuple[str, int], ...]:
    """What a cause was made of, the most first; they add up to its seconds."""
    parts = sorted(
        ((detail, length) for (of, detail), length in total.details.items() if of == cause and cause),
        key=lambda part: (-part[1], part[0]),
    )
    if not any(detail for detail, _ in parts):
        return ()
    whole = whole_seconds([length for _, length in parts])
    whole[0] += seconds - sum(whole)
    return tuple((detail, shown) for (detail, _), shown in zip(parts, whole, strict=True))


def _label(kind: str, cause: str) -> str:
    return {"running": "Running", "not_watched": "Not watched"}.get(kind) or LABELS.get(cause, cause)


def _order(cause: str) -> int:
    names = list(LABELS)
    return names.index(cause) if cause in names else len(names)


def midnight(day: date, *, days: int = 0) -> datetime:
    """When a day begins, or one some `days` after it, by the clocks of the laboratory.

    In UTC, for local times differ as the hands of clocks do; a day at the ends of the calendar as one a bit within it.
    """
    day = min(max(day, FIRST_DAY), LAST_DAY) + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)


def midnights(within: Interval) -> list[datetime]:
    """Where days begin inside the interval."""
    day, last = timezone.localtime(within.begin).date(), timezone.localtime(within.end).date()
    found = []
    while day < last:
        day += timedelta(days=1)
        found.append(midnight(day))
    return [moment for moment in found if within.begin < moment < within.end]


def _days(within: Interval, found: Iterable[Segment], borders: Sequence[datetime]) -> tuple[Day, ...]:
    """An account of each day; the segments are cut at the borders."""
    begins = [within.begin, *borders]
    accounts = [Account() for _ in begins]
    number = 0
    for one in found:
        while number + 1 < len(begins) and one.begin >= begins[number + 1]:
            number += 1
        accounts[number].add(one)
    ends = [*borders, within.end]
    return tuple(
        Day(timezone.localtime(begin).date(), begin, end, sums_of(total))
        for begin, end, total in zip(begins, ends, accounts, strict=True)
    )
