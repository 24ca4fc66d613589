"""The run list as CSV and JSON: one line per run, with all that is measured, made while it is sent."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from attpcdaq.runlog.listing import duration, loaded
from attpcdaq.runlog.manifests import verdict_on
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run, ValueType
from attpcdaq.runlog.values import number

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CHUNK = 500
Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column that every run has: its title with unit, its name in JSON, and its value."""

    title: str
    name: str
    value: Callable[[Run], Cell]


def _seconds(run: Run) -> float | None:
    seconds = duration(run)
    return None if seconds is None else round(seconds, 3)


COLUMNS = (
    Column("experiment", "experiment", lambda run: run.experiment.name),
    Column("run", "number", lambda run: run.number),
    Column("state", "state", lambda run: run.state),
    Column("class", "run_class", lambda run: run.run_class),
    Column("title", "title", lambda run: run.title),
    Column("started [UTC]", "started_at", lambda run: run.started_at),
    Column("stopped [UTC]", "stopped_at", lambda run: run.stopped_at),
    Column("duration [s]", "duration", _seconds),
    Column("operator", "operator", lambda run: run.operator.get_username() if run.operator else ""),
    Column("data files", "data_files", lambda run: run.data_files),
    Column("data [bytes]", "data_bytes", lambda run: run.data_bytes),
    Column("verdict", "verdict", lambda run: run.verdict),
    Column("notes", "notes", lambda run: run.notes),
    Column("data verdict", "data_verdict", verdict_on),
    Column("taken without", "without", lambda run: ", ".join(run.excluded)),
    Column("directory", "directory", lambda run: run.directory),
)


def columns_of(experiment: Experiment, runs: QuerySet[Run]) -> list[Observable]:
    """The observables that have a column: those in use, and of the retired ones those with a value in these runs."""
    rows = list(experiment.observables.all())
    retired = [row for row in rows if row.retired_at]
    values = Measurement.objects.filter(observable__in=retired, run__in=runs.order_by()).order_by()
    kept = set(values.values_list("observable_id", flat=True).distinct()) if retired else set()
    return [row for row in rows if row.retired_at is None or row.pk in kept]


def lines(runs: QuerySet[Run]) -> Iterator[tuple[Run, dict[int, str]]]:
    """The runs in their order, each with what is measured of it: id of the observable -> value as written."""
    ids = list(runs.values_list("pk", flat=True))
    for begin in range(0, len(ids), CHUNK):
        some = ids[begin : begin + CHUNK]
        values: dict[int, dict[int, str]] = {pk: {} for pk in some}
        measured = Measurement.objects.filter(run__in=some).order_by()
        for run_id, observable_id, value in measured.values_list("run_id", "observable_id", "value"):
            values[run_id][observable_id] = value
        yield from ((run, values[run.pk]) for run in loaded(some, whole=True))


class _Line:
    """A file for csv.writer that hands each line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(experiment: Experiment, runs: QuerySet[Run]) -> Iterator[str]:
    """Header and one line per run; text that a spreadsheet would run is quoted with '."""
    observables = columns_of(experiment, runs)
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield writer.writerow([*(column.title for column in COLUMNS), *(guarded(str(each)) for each in observables)])
    for run, values in lines(runs):
        cells = (_as_text(column.value(run)) for column in COLUMNS)
        yield writer.writerow([*cells, *_measured(values, observables)])


def _as_text(cell: Cell) -> str:
    if isinstance(cell, str):
        return guarded(cell)
    return utc(cell) if isinstance(cell, datetime) or cell is None else str(cell)


def _measured(values: dict[int, str], observables: Sequence[Observable]) -> Iterator[str]:
    for observable in observables:
        value = values.get(observable.pk, "")
        yield guarded(value) if observable.value_type == ValueType.TEXT else value


def json_parts(experiment: Experiment, runs: QuerySet[Run], asked: dict[str, str]) -> Iterator[str]:
    """One JSON object in parts: experiment, what was asked for, observables, and the runs with typed values."""
    observables = columns_of(experiment, runs)
    about = {
        "experiment": experiment.name,
        "directory": experiment.data_directory,
        "asked": asked,
        "observables": [described(each) for each in observables],
    }
    yield json.dumps(about)[:-1] + ', "runs": ['
    between = "\n"
    for run, values in lines(runs):
        yield between + json.dumps(_as_json(run) | {"measurements": measured(values, observables)})
        between = ",\n"
    yield "\n]}\n"


def described(observable: Observable) -> dict[str, Any]:
    """What is to be known of a column of values."""
    return {
        "name": observable.name,
        "unit": observable.unit,
        "type": observable.value_type,
        "comment": observable.comment,
        "retired": observable.retired_at is not None,
    }


def _as_json(run: Run) -> dict[str, Any]:
    cells = ((column.name, column.value(run)) for column in COLUMNS)
    plain = {name: (utc(cell) if isinstance(cell, datetime) else cell) for name, cell in cells}
    times = {name: utc(getattr(run, name)) or None for name in ("requested_at", "closed_at")}
    return plain | times | {"without": {name: why.get("reason", "") for name, why in run.excluded.items()}}


def measured(values: dict[int, str], observables: Sequence[Observable]) -> dict[str, int | float | str]:
    """Name -> value as the analysis wants it, of those that have one."""
    return {each.name: number(each, values[each.pk]) for each in observables if each.pk in values}


def guarded(text: str) -> str:
    """Text that a spreadsheet takes as text, not as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def utc(moment: datetime | None) -> str:
    """ISO 8601 in UTC with milliseconds; "" for none."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else ""
