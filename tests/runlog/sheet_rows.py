"""Runs with something to be measured."""

from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.models import Observable, Run, RunState
from attpcdaq.runlog.observables import add
from tests.runlog.rows import KIM, make_experiment, make_run


def closed_run() -> Run:
    """Three observables without limits."""
    experiment = make_experiment()
    add(experiment, KIM, "Pressure", "number", "torr", "")
    add(experiment, KIM, "Target", "text", "", "")
    add(experiment, KIM, "Attenuator", "integer", "", "")
    return make_run(experiment, 1)


def running_run() -> Run:
    """Limits, and a value that is required."""
    experiment = make_experiment()
    add(experiment, DAQ, "Pressure", "number", "torr", "at the outlet", required=True, minimum=0, maximum=800)
    add(experiment, DAQ, "Field", "integer", "V/cm", "", minimum=-500, maximum=0)
    add(experiment, DAQ, "Target", "text", "", "")
    run = make_run(experiment, 1)
    Run.objects.filter(pk=run.pk).update(closed_at=None, state=RunState.RUNNING)
    return run


def key(name: str) -> str:
    """Of its field in a run sheet."""
    return f"observable-{Observable.objects.get(name=name).pk}"
