"""What was measured, run by run: for the table, for plots, for programs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from attpcdaq.runlog.listing import BEGAN, DURATION
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run, RunFile, ValueType
from attpcdaq.runlog.sheet_fields import key_of
from attpcdaq.runlog.values import number

FEW_RUNS = 200
Found = int | float | str


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that every run may have a value of; `is_text` where the values are words."""

    key: str
    name: str
    unit: str = ""
    is_text: bool = False
    observable: Observable | None = None

    def __str__(self) -> str:
        return f"{self.name} [{self.unit}]" if self.unit else self.name


def columns(experiment: Experiment, *, retired: bool) -> list[Observable]:
    """The observables of a table, those in use first; with the retired ones only where asked for."""
    rows = experiment.observables.order_by("position", "id")
    kept = [row for row in rows if row.retired_at is None]
    return kept + [row for row in rows if row.retired_at] if retired else kept


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run as a plot needs it: when it began, for how many seconds it took data, and how much (bytes)."""

    id: int
    number: int
    began: datetime
    seconds: float | None
    data: int | None


def lines(ids: Sequence[int]) -> list[RunLine]:
    """These runs by number."""
    rows = Run.objects.filter(pk__in=ids).order_by("number").annotate(began=BEGAN, seconds=DURATION)
    fields = rows.values_list("id", "number", "began", "seconds", "data_files", "data_bytes")
    return [
        RunLine(pk, place, began, seconds, size if files else None) for pk, place, began, seconds, files, size in fields
    ]


def values_of(ids: Sequence[int], observables: Sequence[Observable]) -> dict[int, dict[int, str]]:
    """Run id -> observable id -> value as written, with one question to the database."""
    found: dict[int, dict[int, str]] = {pk: {} for pk in ids}
    wanted = {each.pk for each in observables}
    if not found or not wanted:
        return found
    rows = Measurement.objects.order_by().values_list("run_id", "observable_id", "value")
    if len(found) <= FEW_RUNS:
        near = rows.filter(run__in=found)
    else:
        # A range is asked for quicker than a thousand numbers; what lies between is left out here.
        near = rows.filter(observable__in=wanted, run_id__gte=min(found), run_id__lte=max(found))
    for run_id, observable_id, value in near:
        if run_id in found and observable_id in wanted:
            found[run_id][observable_id] = value
    return found


def quantities(experiment: Experiment) -> list[Quantity]:
    """Everything that can be plotted over the experiment's runs: its observables, then what the DAQ knows itself."""
    return [*map(of_observable, columns(experiment, retired=True)), *(each for each, _ in OF_A_RUN.values())]


def of_observable(row: Observable) -> Quantity:
    return Quantity(key_of(row.pk), row.name, row.unit, row.value_type == ValueType.TEXT, row)


def series(runs: Sequence[RunLine], wanted: Sequence[Quantity]) -> dict[str, dict[int, Found]]:
    """Quantity's key -> run id -> value, of the runs that have one. At most two questions, whatever is wanted."""
    observed = [each.observable for each in wanted if each.observable]
    measured = values_of([run.id for run in runs], observed) if observed else {}
    found: dict[str, dict[int, Found]] = {}
    for each in wanted:
        if row := each.observable:
            key = row.pk
            found[each.key] = {pk: number(row, values[key]) for pk, values in measured.items() if key in values}
        else:
            found[each.key] = dict(OF_A_RUN[each.key][1](runs))
    return found


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
    "data": (Quantity("data", "Data", "bytes"), _bytes),
    "events": (Quantity("events", "Events"), _events),
}
