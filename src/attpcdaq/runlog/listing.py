"""The run list: which runs, newest first, and what they add up to."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum

from attpcdaq.runlog.models import Experiment, Run, RunClass, RunFile

BEAM_TIME = ExpressionWrapper(F("stopped_at") - F("started_at"), output_field=DurationField())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list; empty means any. `text` is looked for in title, notes, verdict and number."""

    run_class: str = ""
    state: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """Runs of one class and the seconds they took data."""

    label: str
    runs: int
    seconds: float


def matching(experiment: Experiment, wanted: Wanted) -> QuerySet[Run]:
    """The experiment's runs, newest first."""
    runs = Run.objects.filter(experiment=experiment).order_by("-number")
    if wanted.run_class:
        runs = runs.filter(run_class=wanted.run_class)
    if wanted.state:
        runs = runs.filter(state=wanted.state)
    if wanted.text:
        found = Q(title__icontains=wanted.text) | Q(notes__icontains=wanted.text) | Q(verdict__icontains=wanted.text)
        found |= Q(number=int(wanted.text)) if wanted.text.isascii() and wanted.text.isdigit() else Q()
        runs = runs.filter(found)
    return runs


def with_data(runs: QuerySet[Run]) -> QuerySet[Run]:
    """The same with `data_files` and `data_bytes` of each."""
    data = Q(files__kind=RunFile.Kind.DATA)
    return runs.annotate(data_files=Count("files", filter=data), data_bytes=Sum("files__size", filter=data))


def totals(runs: QuerySet[Run]) -> tuple[Total, ...]:
    """Beam time by class, in the order of the classes; a run that is still going does not count yet."""
    rows = runs.order_by().values("run_class").annotate(runs=Count("id"), time=Sum(BEAM_TIME))
    found = {row["run_class"]: row for row in rows}
    return tuple(
        Total(str(label), found[value]["runs"], (found[value]["time"] or timedelta()).total_seconds())
        for value, label in RunClass.choices
        if value in found
    )


def files_of(run: Run) -> list[RunFile]:
    """The run's files, data before configuration, by node and path."""
    return list(run.files.order_by("-kind", "node", "path"))


def duration(run: Run) -> float | None:
    """Seconds between seen running and seen stopped; None when one of them is not there."""
    if run.started_at is None or run.stopped_at is None:
        return None
    return (run.stopped_at - run.started_at).total_seconds()
