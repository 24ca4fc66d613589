"""What was measured, run by run: for the table, for plots, for programs."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Max, Min, QuerySet

from attpcdaq.runlog.listing import BEGAN, DURATION, Epoch
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run, RunFile, ValueType
from attpcdaq.runlog.sheet_fields import key_of
from attpcdaq.runlog.values import reader

FEW_RUNS = 200
Found = int | float | str


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that every run may have a value of; `observable` is its row, None for what the DAQ knows itself."""

    key: str
    name: str
    unit: str = ""
    value_type: str = ValueType.NUMBER
    observable: int | None = None
    is_retired: bool = False

    @property
    def is_text(self) -> bool:
        """Whether the values are words."""
        return self.value_type == ValueType.TEXT

    def __str__(self) -> str:
        return f"{self.name} [{self.unit}]" if self.unit else self.name


def columns(experiment: Experiment, *, retired: bool) -> list[Observable]:
    """The observables of a table, those in use first; with the retired ones only where asked for."""
    rows = experiment.observables.order_by("position", "id")
    kept = [row for row in rows if row.retired_at is None]
    return kept + [row for row in rows if row.retired_at] if retired else kept


class RunLine(NamedTuple):
    """A run as a plot needs it: when it began (epoch, s), for how many seconds it took data, and how much (bytes)."""

    id: int
    number: int
    began: float
    seconds: float | None
    data: int | None


def lines(runs: QuerySet[Run], most: int) -> list[RunLine]:
    """The last `most` of these runs by number, the first first."""
    rows = runs.order_by("-number").annotate(epoch=Epoch(BEGAN), seconds=DURATION)
    fields = rows.values_list("id", "number", "epoch", "seconds", "data_files", "data_bytes")[:most]
    found = [
        RunLine(pk, place, began, seconds, size if files else None) for pk, place, began, seconds, files, size in fields
    ]
    return found[::-1]


def values_of(ids: Sequence[int], observables: Sequence[Observable]) -> dict[int, dict[int, str]]:
    """Run id -> observable id -> value as written, with one question to the database."""
    found: dict[int, dict[int, str]] = {pk: {} for pk in ids}
    wanted = {each.pk for each in observables}
    for run_id, observable_id, value in _measured(found, wanted):
        if run_id in found and observable_id in wanted:
            found[run_id][observable_id] = value
    return found


def _measured(runs: Collection[int], observables: Collection[int]) -> Iterable[tuple[int, int, str]]:
    """(run, observable, value) of these, and of others that lie near."""
    if not runs or not observables:
        return ()
    rows = Measurement.objects.order_by().values_list("run_id", "observable_id", "value")
    if len(runs) <= FEW_RUNS:
        return rows.filter(run__in=runs)
    # A range is asked for quicker than a thousand numbers.
    return rows.filter(observable__in=observables, run_id__gte=min(runs), run_id__lte=max(runs))


def quantities(experiment: Experiment) -> list[Quantity]:
    """Everything that can be plotted over the experiment's runs: its observables, then what the DAQ knows itself."""
    rows = experiment.observables.order_by("position", "id")
    fields = rows.values_list("id", "name", "unit", "value_type", "retired_at")
    measured = [Quantity(key_of(pk), name, unit, kind, pk, bool(at)) for pk, name, unit, kind, at in fields]
    return [*sorted(measured, key=lambda each: each.is_retired), *(each for each, _ in OF_A_RUN.values())]


def series(runs: Sequence[RunLine], wanted: Sequence[Quantity]) -> dict[str, dict[int, Found]]:
    """Quantity's key -> run id -> value, of the runs that have one. At most two questions, whatever is wanted."""
    ids = {run.id for run in runs}
    readers = {each.observable: reader(each.value_type) for each in wanted if each.observable}
    measured: dict[int, dict[int, Found]] = {pk: {} for pk in readers}
    for run_id, pk, value in _measured(ids, readers):
        if run_id in ids and pk in readers:
            measured[pk][run_id] = readers[pk](value)
    return {
        each.key: measured[each.observable] if each.observable else dict(OF_A_RUN[each.key][1](runs)) for each in wanted
    }


def _durations(runs: Sequence[RunLine]) -> Mapping[int, Found]:
    """Minutes."""
    return {run.id: round(run.seconds / 60, 2) for run in runs if run.seconds is not None}


def _bytes(runs: Sequence[RunLine]) -> Mapping[int, Found]:
    return {run.id: run.data for run in runs if run.data is not None}


def _events(runs: Sequence[RunLine]) -> Mapping[int, Found]:
    """From the first event number in a run's files to the last; only what was scanned."""
    ids = {run.id for run in runs}
    files = RunFile.objects.filter(run_id__gte=min(ids, default=0), run_id__lte=max(ids, default=0)).order_by()
    rows = files.filter(last_event__isnull=False).values_list("run_id")
    counted = rows.annotate(first=Min("first_event"), last=Max("last_event"))
    return {run_id: last - (first or 0) + 1 for run_id, first, last in counted if run_id in ids}


OF_A_RUN: dict[str, tuple[Quantity, Callable[[Sequence[RunLine]], Mapping[int, Found]]]] = {
    "duration": (Quantity("duration", "Duration", "min"), _durations),
    "data": (Quantity("data", "Data", "bytes", ValueType.INTEGER), _bytes),
    "events": (Quantity("events", "Events", value_type=ValueType.INTEGER), _events),
}
