"""The rows of a time as the account takes them: spells, runs, gaps between runs, operations that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min, Q

from attpcdaq.live.models import Spell
from attpcdaq.live.spells import is_watched_on
from attpcdaq.runcontrol.models import Action, Command, CommandState
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts.accounting import History, Named, Taking, Watched
from attpcdaq.shifts.models import Gap
from attpcdaq.shifts.spans import Interval, Span, between

RUN_FIELDS = ("id", "number", "experiment_id", "started_at", "stopped_at")
SPELL_FIELDS = ("began_at", "seen_at", "ended_at", "level", "title", "causes", "run_id")
PLAIN = {level: Watched(level) for level in ("ok", "busy", "off")}
ENDED_BADLY = (CommandState.FAILED, CommandState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Between:
    """A time without a run. The crew names it by the run `after` which it comes (None: before the first run)."""

    begin: datetime
    end: datetime
    experiment_id: int | None
    after: int | None
    """Row of the run."""
    after_number: int | None
    named: Gap | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a time, and its gaps."""

    history: History
    gaps: tuple[Between, ...]


def known_of(within: Interval, now: datetime, experiment: Experiment | None, *, theirs_too: bool = False) -> Known:
    """Read in seven queries. Runs of other experiments count as running with `theirs_too`, else as lost."""
    runs = _runs(within, now)
    gaps = _gaps(runs, within, experiment)
    experiment_id = experiment.pk if experiment else None
    taking = [
        Span(one.begin, one.end, Taking(one.what[0], one.what[1], theirs_too or one.what[2] == experiment_id))
        for one in runs
    ]
    named = [Span(gap.begin, gap.end, Named(gap.named.cause, gap.named.comment)) for gap in gaps if gap.named]
    return Known(History(_watched(within, now), taking, named, _failed(within)), tuple(gaps))


def _watched(within: Interval, now: datetime) -> list[Span[Watched]]:
    """In the order in which they were written; of most of them only what is needed, for there are many."""
    rows = Spell.objects.filter(Q(ended_at=None) | Q(ended_at__gt=within.begin), began_at__lt=within.end).order_by("id")
    told = Q(level="bad") | Q(ended_at=None)
    found = [
        (pk, Span(began, _end_of(seen, ended, now), _how_it_was(level, title, causes, run_id)))
        for pk, began, seen, ended, level, title, causes, run_id in rows.filter(told).values_list("id", *SPELL_FIELDS)
    ]
    found += [
        (pk, Span(began, ended, PLAIN[level]))
        for pk, began, ended, level in rows.exclude(told).values_list("id", "began_at", "ended_at", "level")
        if ended is not None
    ]
    return [span for _, span in sorted(found, key=lambda each: each[0])]


def _end_of(seen_at: datetime, ended_at: datetime | None, now: datetime) -> datetime:
    """Of the spell that goes on: now, if somebody looked a moment ago."""
    if ended_at is not None:
        return ended_at
    return max(now, seen_at) if is_watched_on(seen_at, now) else seen_at


def _how_it_was(level: str, title: str, causes: Sequence[dict[str, Any]], run_id: int | None) -> Watched:
    if not causes:
        return Watched(level, title if level == "bad" else "", "", run_id)
    missing = next((str(cause["title"]) for cause in causes if cause["lost"]), "")
    return Watched(level, str(causes[0]["title"]), missing, run_id)


def _runs(within: Interval, now: datetime) -> list[Span[tuple[int, int, int]]]:
    """(row, number, experiment) of each run that took data then, and of the last one before."""
    rows = Run.objects.filter(started_at__isnull=False).order_by("id")
    here = Q(stopped_at=None) | Q(stopped_at__gt=within.begin)
    found = list(rows.filter(here, started_at__lt=within.end).values_list(*RUN_FIELDS))
    before = rows.filter(stopped_at__lte=within.begin).order_by("-stopped_at").values_list(*RUN_FIELDS).first()
    found = [before, *found] if before else found
    return [
        Span(started, max(stopped or now, started), (pk, number, experiment))
        for pk, number, experiment, started, stopped in found
        if started is not None
    ]


def _gaps(runs: Sequence[Span[tuple[int, int, int]]], within: Interval, experiment: Experiment | None) -> list[Between]:
    first = _first_start(experiment)
    found = [_gap(one, experiment, first) for one in between(runs, within)]
    after = [gap.after for gap in found if gap.after is not None]
    mine = Q(experiment=experiment, after=None) if experiment else Q(pk__in=())
    named = {gap.after_id: gap for gap in Gap.objects.filter(mine | Q(after_id__in=after))}
    return [Between(g.begin, g.end, g.experiment_id, g.after, g.after_number, named.get(g.after)) for g in found]


def _first_start(experiment: Experiment | None) -> datetime | None:
    """Of the experiment's first run that took data."""
    return Run.objects.filter(experiment=experiment).aggregate(at=Min("started_at"))["at"] if experiment else None


def _gap(one: Span[tuple[int, int, int] | None], experiment: Experiment | None, first: datetime | None) -> Between:
    """Before an experiment's first run it is a gap of that experiment, whatever was taken before."""
    experiment_id = experiment.pk if experiment else None
    is_before = experiment_id is not None and (first is None or one.begin < first)
    if one.what is None or (is_before and one.what[2] != experiment_id):
        return Between(one.begin, one.end, experiment_id, None, None)
    return Between(one.begin, one.end, one.what[2], one.what[0], one.what[1])


def _failed(within: Interval) -> list[Span[str]]:
    rows = Command.objects.filter(
        state__in=ENDED_BADLY, requested_at__lt=within.end, finished_at__gt=within.begin
    ).order_by("requested_at")
    return [
        Span(began, ended, f"{Action(action).label} failed")
        for began, ended, action in rows.values_list("requested_at", "finished_at", "action")
        if ended is not None
    ]
