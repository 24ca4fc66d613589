"""The run list as CSV: one line per run, one column per observable."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import QuerySet

from attpcdaq.runlog.listing import duration, with_data
from attpcdaq.runlog.models import Experiment, Observable, Run, ValueType

COLUMNS = (
    "experiment", "run", "state", "class", "title", "started [UTC]", "stopped [UTC]", "duration [s]", "operator",
    "data files", "data [bytes]", "verdict", "notes",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CHUNK = 200


class _Line:
    """A file for csv.writer that hands each line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(experiment: Experiment, runs: QuerySet[Run]) -> Iterator[str]:
    """Header and one line per run, made while they are sent; text that a spreadsheet would run is quoted with '."""
    observables = list(experiment.observables.all())
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield writer.writerow([*COLUMNS, *(guarded(str(each)) for each in observables)])
    rows = with_data(runs).select_related("experiment", "operator").prefetch_related("measurements")
    for run in rows.iterator(chunk_size=CHUNK):
        yield writer.writerow([*_run_cells(run), *_measured_cells(run, observables)])


def _run_cells(run: Run) -> Iterator[object]:
    yield guarded(run.experiment.name)
    yield run.number
    yield run.state
    yield run.run_class
    yield guarded(run.title)
    yield utc(run.started_at)
    yield utc(run.stopped_at)
    yield "" if (seconds := duration(run)) is None else round(seconds, 3)
    yield guarded(run.operator.get_username() if run.operator else "")
    yield run.data_files  # type: ignore[attr-defined]  # annotated by with_data
    yield run.data_bytes or 0  # type: ignore[attr-defined]
    yield guarded(run.verdict)
    yield guarded(run.notes)


def _measured_cells(run: Run, observables: list[Observable]) -> Iterator[str]:
    values = {each.observable_id: each.value for each in run.measurements.all()}
    for observable in observables:
        value = values.get(observable.pk, "")
        yield guarded(value) if observable.value_type == ValueType.TEXT else value


def guarded(text: str) -> str:
    """Text that a spreadsheet takes as text, not as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def utc(moment: datetime | None) -> str:
    """ISO 8601 in UTC with milliseconds; "" for none."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else ""
