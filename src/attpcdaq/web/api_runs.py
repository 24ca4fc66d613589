"""Runs as the API gives them."""

from typing import Any

from attpcdaq.runcontrol.seeing.timeline import Timeline
from attpcdaq.runlog.listing import duration, files_of
from attpcdaq.runlog.manifests import verdict_on
from attpcdaq.runlog.models import Run
from attpcdaq.runlog.values import number
from attpcdaq.web.api_run_schemas import FileOut, MeasurementOut, RunDetail, TimelineOut
from attpcdaq.web.api_schemas import RunOut


def run_out(run: Run) -> RunOut:
    """A run without its sheet (experiment and operator are loaded)."""
    return RunOut(**_fields(run))


def run_detail(run: Run, operation: Timeline) -> RunDetail:
    """A run with notes, configuration, files, measurements and how it was operated."""
    measured = run.measurements.select_related("observable")
    return RunDetail(
        **_fields(run),
        notes=run.notes,
        configuration=run.configuration,
        files=[
            FileOut(kind=file.kind, node=file.node, owner=file.owner, path=file.path, size=file.size)
            for file in files_of(run)
        ],
        measurements=[
            MeasurementOut(
                name=each.observable.name,
                unit=each.observable.unit,
                type=each.observable.value_type,
                value=number(each.observable, each.value),
            )
            for each in measured
        ],
        timeline=TimelineOut.from_orm(operation),
    )


def _fields(run: Run) -> dict[str, Any]:
    plain = (
        "number",
        "state",
        "run_class",
        "title",
        "requested_at",
        "started_at",
        "stopped_at",
        "closed_at",
        "verdict",
        "excluded",
        "adopted",
        "data_files",
        "data_bytes",
    )
    return {name: getattr(run, name) for name in plain} | {
        "experiment": run.experiment.name,
        "duration": duration(run),
        "operator": run.operator.get_username() if run.operator else None,
        "directory": run.directory,
        "data_verdict": verdict_on(run),
    }
