"""The checklist: what the DAQ tells of its runs and events, read with few questions."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attpcdaq.live.events import MOST_COUNTED
from attpcdaq.live.models import Event, RouterSample
from attpcdaq.runlog.models import Experiment, Manifest, Run
from attpcdaq.runlog.observables import add
from attpcdaq.shifts.checklist import Item
from attpcdaq.shifts.checks import RUNS_LOOKED_AT, items_now
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology.models import ECCServer
from tests.runlog.rows import KIM, NOON, make_experiment, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    build_detector(cobos=1)
    return make_experiment()


def item(key: str) -> Item:
    (found,) = [one for one in items_now() if one.key == key]
    return found


def judge_data(run: Run, verdict: str) -> None:
    Manifest.objects.create(run=run, verdict=verdict, asked_at=NOON)


def test_runs_whose_data_are_not_all_there_are_named(experiment: Experiment) -> None:
    verdicts = {1: "incomplete", 3: "complete", 4: "not_proven", 5: "incomplete", 6: "remarks"}
    for number in range(1, RUNS_LOOKED_AT + 3):
        run = make_run(experiment, number)
        if verdict := verdicts.get(number):
            judge_data(run, verdict)
    Run.objects.filter(number=5).update(state="failed")
    judge_data(make_run(make_experiment("e2", is_active=False), 50, state="closed"), "incomplete")
    assert item("data").text == "incomplete or not proven: run 4."


def test_sheets_that_lack_something_are_named(experiment: Experiment) -> None:
    make_run(experiment, 1)
    assert item("sheets").text == "complete."
    observable = add(experiment, KIM, "Pressure", "number", "torr", "")
    observable.required = True
    observable.save()
    make_run(experiment, 2)
    assert item("sheets").text == "required values are missing: runs 1, 2."


def test_the_last_run_that_took_data_is_compared_with(experiment: Experiment) -> None:
    server = ECCServer.objects.earliest("id")
    run = make_run(experiment, 1, configuration={server.name: {"config": str(server.config_set)}})
    make_run(experiment, 2, started_at=None, stopped_at=None, configuration={server.name: {"config": "x/y/z"}})
    assert item("same-configs").text == "as in run 1."
    Run.objects.filter(pk=run.pk).update(configuration={server.name: {"config": "a/b/c"}})
    assert item("same-configs").text == f"another one than in run 1: {server.name}."
    assert item("trigger-rate").text == "no events were seen in run 1."
    for seconds, rate in ((10, 100.0), (30, 200.0)):
        RouterSample.objects.create(
            router="r", node="n", run_id=run.pk, at=NOON, seconds=seconds, files=1, bytes=1, rate=1.0, event_rate=rate
        )
    assert item("trigger-rate").text == "175 events/s in run 1."


def test_events_are_counted_as_far_as_anybody_counts(experiment: Experiment) -> None:
    Event.objects.create(at=NOON, topic="ecc", severity="info", text="x")
    assert item("events").level == "ok"
    Event.objects.create(at=NOON, topic="ecc", severity="error", text="x")
    assert item("events").text == "1 is not."
    Event.objects.bulk_create(Event(at=NOON, topic="ecc", severity="warning", text="x") for _ in range(MOST_COUNTED))
    assert item("events").text == "more than 999 are not."


def test_without_an_experiment_there_are_no_runs() -> None:
    assert item("experiment").text == "none is active: choose one."
    assert item("data").text == "complete."


def test_the_large_fields_of_a_hundred_runs_are_not_read(experiment: Experiment) -> None:
    for number in range(1, 4):
        make_run(experiment, number, configuration={"x": {"config": "a/b/c"}})
    items_now()
    with CaptureQueriesContext(connection) as asked:
        items_now()
    of_runs = [each["sql"] for each in asked if '"configuration"' in each["sql"] and "LIMIT 100" in each["sql"]]
    assert of_runs == []
    assert len(asked) < 24
