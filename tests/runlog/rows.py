"""Experiments and runs for the tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from attpcdaq.audit.people import Requester
from attpcdaq.runlog.models import Experiment, Run, RunState

KIM, LEE = Requester("kim"), Requester("lee")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def make_experiment(name: str = "e20009", *, is_active: bool = True) -> Experiment:
    return Experiment.objects.create(name=name, is_active=is_active)


def make_run(experiment: Experiment, number: int, **fields: Any) -> Run:
    """A closed run of an hour, unless told otherwise."""
    begin = NOON + timedelta(hours=2 * number)
    closed = {
        "state": RunState.CLOSED,
        "requested_at": begin,
        "started_at": begin,
        "stopped_at": begin + timedelta(hours=1),
        "closed_at": begin + timedelta(hours=1),
    }
    return Run.objects.create(experiment=experiment, number=number, **(closed | fields))
