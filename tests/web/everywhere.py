"""Rows such that there is something at every address."""

from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.observables import add
from attpcdaq.testing.builders import build_detector
from tests.runlog.rows import make_experiment, make_run


def something_at_every_address() -> None:
    """A CoBo, a run and an observable, under the names in `test_audited_routes.SAMPLES`."""
    build_detector(cobos=1)
    experiment = make_experiment()
    make_run(experiment, 1)
    add(experiment, DAQ, "Pressure", "number", "torr", "")
