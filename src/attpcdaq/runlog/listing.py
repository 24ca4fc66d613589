"""The run list: which runs, in which order, and what they add up to; a run by its experiment and number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast

from django.db.models import Case, Count, F, FloatField, Func, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import Expression
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from attpcdaq.runlog.manifests import CHECKING, with_verdicts
from attpcdaq.runlog.models import Experiment, Manifest, Run, RunClass, RunFile, RunState

NEWEST: Final = "-run"
LARGEST_NUMBER = 2**31 - 1
"""The database's whole numbers end there."""


class Seconds(Func):
    """Seconds to the first moment from the second, made by the database itself; SQLite's are good to a millisecond."""

    arity = 2
    output_field = FloatField()
    template = "EXTRACT(EPOCH FROM (%(expressions)s))"
    arg_joiner = " - "

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[str | int, ...]]:
        template = "(julianday(%(expressions)s)) * 86400.0"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)


class Epoch(Func):
    """Seconds since 1970 of a moment, made by the database itself, to a millisecond: quicker than a thousand dates."""

    arity = 1
    output_field = FloatField()
    template = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(
            compiler, connection, template="ROUND((julianday(%(expressions)s) - 2440587.5) * 86400.0, 3)"
        )


def _rank(field: str, values: Iterable[str]) -> Expression:
    """The place of a field's value among these, for an order that is not the alphabet's."""
    return Case(*(When(**{field: value}, then=Value(rank)) for rank, value in enumerate(values)), default=Value(99))


BEGAN = Coalesce("started_at", "requested_at")
DURATION = Seconds("stopped_at", "started_at")
WORST_FIRST = ("incomplete", "not_proven", "", "remarks", "complete")
ORDERS: dict[str, Expression | F] = {
    "run": F("number"),
    "state": _rank("state", RunState.values),
    "verdict": _rank("manifest__verdict", WORST_FIRST),
    "class": _rank("run_class", RunClass.values),
    "title": Lower("title"),
    "start": BEGAN,
    "duration": DURATION,
    "files": F("data_files"),
    "data": F("data_bytes"),
    "problem": Lower("verdict"),
}
"""What the list can be sorted by; "-run" is the other way round."""
SORTS = tuple(sign + name for name in ORDERS for sign in ("", "-"))
VERDICTS = [*Manifest.Verdict.choices, (CHECKING, "Being checked")]


class NoSuchRunError(LookupError):
    """There is no run of this number, or no such experiment; the text names what was asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list; empty means any. `text` is looked for in title, notes, verdict, operator and number.

    `since` and `until` are days where the detector stands, both included; `sort` is one of SORTS.
    """

    run_class: str = ""
    state: str = ""
    text: str = ""
    verdict: str = ""
    since: date | None = None
    until: date | None = None
    sort: str = NEWEST


@dataclass(frozen=True, slots=True)
class Total:
    """Runs of one class, the seconds they took data, and their data in bytes."""

    label: str
    runs: int
    seconds: float
    bytes: int = 0


def find_experiment(name: str) -> Experiment | None:
    """The experiment of this name, or the one whose data lie in a directory of this name: it was called so once."""
    if not name.isprintable():
        return None
    found = Experiment.objects.filter(Q(name=name) | Q(directory=name))
    return min(found, key=lambda row: row.name != name, default=None)


def find_run(experiment: str, number: int) -> Run:
    """The run with its experiment, operator and manifest; NoSuchRunError."""
    rows = Run.objects.select_related("experiment", "operator", "manifest")
    found = find_experiment(experiment) if 0 < number <= LARGEST_NUMBER else None
    run = rows.filter(experiment=found, number=number).first() if found else None
    if run is None:
        raise NoSuchRunError(f"There is no run {number} of {experiment[:80]!r}.")
    return run


def matching(experiment: Experiment, wanted: Wanted) -> QuerySet[Run]:
    """The experiment's runs that fit, in the order wanted."""
    runs = Run.objects.filter(experiment=experiment)
    for name in ("run_class", "state"):
        if value := getattr(wanted, name):
            runs = runs.filter(**{name: value})
    if wanted.verdict:
        runs = runs.filter(manifest__verdict="" if wanted.verdict == CHECKING else wanted.verdict)
    if wanted.text:
        runs = runs.filter(_holds(wanted.text))
    return _in_order(_between(runs, wanted), wanted.sort)


def _holds(text: str) -> Q:
    found = Q(title__icontains=text) | Q(notes__icontains=text) | Q(verdict__icontains=text)
    found |= Q(operator__username__icontains=text)
    is_number = text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= LARGEST_NUMBER
    return found | Q(number=int(text)) if is_number else found


def _between(runs: QuerySet[Run], wanted: Wanted) -> QuerySet[Run]:
    if not (wanted.since or wanted.until):
        return runs
    runs = runs.annotate(began=BEGAN)
    if wanted.since:
        runs = runs.filter(began__gte=_begin_of(wanted.since))
    if wanted.until and wanted.until < date.max:
        runs = runs.filter(began__lt=_begin_of(wanted.until + timedelta(days=1)))
    return runs


def _begin_of(day: date) -> datetime:
    """Its midnight where the detector stands."""
    # The first and the last days that can be written have no midnight in UTC everywhere.
    day = min(max(day, date(1970, 1, 1)), date(9999, 1, 1))
    return timezone.make_aware(datetime.combine(day, time.min))


def _in_order(runs: QuerySet[Run], sort: str) -> QuerySet[Run]:
    key = ORDERS[sort.removeprefix("-")]
    order = key.desc(nulls_last=True) if sort.startswith("-") else key.asc(nulls_last=True)
    return runs.order_by("-number" if sort == NEWEST else "number" if sort == "run" else order, "-number")


def by_number(runs: QuerySet[Run], wanted: Wanted) -> QuerySet[Run]:
    """The order of an export: as the list, but the first run first where nobody asked for another order."""
    return runs.order_by("number") if wanted.sort == NEWEST else runs


def loaded(ids: Sequence[int], *, whole: bool = False) -> list[Run]:
    """These runs in this order; unless whole, without the large fields that a line of the list does not show."""
    rows = with_verdicts(Run.objects.filter(pk__in=ids)).select_related("experiment", "operator").defer("quiet")
    found = {run.pk: run for run in (rows if whole else rows.defer("configuration", "quiet", "excluded", "notes"))}
    return [found[pk] for pk in ids if pk in found]


def totals(runs: QuerySet[Run]) -> tuple[Total, ...]:
    """Beam time and data by class, in the order of the classes; a run that is still going has no time yet."""
    sums = {"count": Count("id"), "seconds": Sum(DURATION), "size": Sum("data_bytes")}
    rows = cast(Iterable[dict[str, Any]], runs.order_by().values("run_class").annotate(**sums))
    found = {row["run_class"]: row for row in rows}
    return tuple(
        Total(str(label), row["count"], round(row["seconds"] or 0.0, 3), int(row["size"] or 0))
        for value, label in RunClass.choices
        if (row := found.get(value))
    )


def files_of(run: Run) -> list[RunFile]:
    """The run's files, data before configuration, by node and path."""
    return list(run.files.order_by("-kind", "node", "path"))


def duration(run: Run) -> float | None:
    """Seconds between seen running and seen stopped; None when one of them is not there."""
    if run.started_at is None or run.stopped_at is None:
        return None
    return (run.stopped_at - run.started_at).total_seconds()
