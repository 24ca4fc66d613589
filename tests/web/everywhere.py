"""Rows such that there is something at every address."""

from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.observables import add
from attpcdaq.shifts.models import Shift
from attpcdaq.testing.builders import build_detector
from tests.runlog.rows import NOON, make_experiment, make_run


def something_at_every_address() -> None:
    """A CoBo, a run and an observable, under the names in `test_audited_routes.SAMPLES`."""
    build_detector(cobos=1)
    experiment = make_experiment()
    make_run(experiment, 1)
    Shift.objects.create(pk=1, experiment=experiment, crew="kim", began_at=NOON, began_by="kim")
    add(experiment, DAQ, "Pressure", "number", "torr", "")
