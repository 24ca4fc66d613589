"""What was measured, run by run."""

from datetime import timedelta
from typing import Any

import pytest

from attpcdaq.runlog.measurements import FEW_RUNS, columns, lines, quantities, series, values_of
from attpcdaq.runlog.models import Experiment, Measurement, Observable, Run, RunFile
from attpcdaq.runlog.observables import add, retire
from tests.runlog.rows import KIM, NOON, make_experiment, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    experiment = make_experiment()
    add(experiment, KIM, "Pressure", "number", "torr", "")
    add(experiment, KIM, "Counts", "integer", "", "")
    add(experiment, KIM, "Target", "text", "", "")
    return experiment


def one(name: str) -> Observable:
    return Observable.objects.get(name=name)


def measure(run: Run, **values: str) -> None:
    for name, value in values.items():
        Measurement.objects.create(run=run, observable=one(name), value=value)


def test_columns_are_those_in_use_first(experiment: Experiment) -> None:
    retire(one("Pressure"), KIM)
    assert [row.name for row in columns(experiment, retired=False)] == ["Counts", "Target"]
    assert [row.name for row in columns(experiment, retired=True)] == ["Counts", "Target", "Pressure"]
    assert [str(each) for each in quantities(experiment)][2:] == [
        "Pressure [torr]", "Duration [min]", "Data [bytes]", "Events",
    ]  # fmt: skip


@pytest.mark.parametrize("runs", [3, FEW_RUNS + 2])
def test_values_are_found_with_one_question_whatever_the_number(
    experiment: Experiment, runs: int, django_assert_num_queries: Any
) -> None:
    Run.objects.bulk_create(
        Run(experiment=experiment, number=number, state="closed", requested_at=NOON) for number in range(1, runs + 1)
    )
    first, *_, last = Run.objects.order_by("number")
    measure(first, Pressure="3.50", Target="CD2")
    measure(last, Counts="7")
    ids = [run.pk for run in Run.objects.exclude(number=2)]
    wanted = [one("Pressure"), one("Counts")]
    with django_assert_num_queries(1):
        found = values_of(ids, wanted)
    assert len(found) == runs - 1
    assert found[first.pk] == {wanted[0].pk: "3.50"}
    assert found[last.pk] == {wanted[1].pk: "7"}


def test_nothing_is_found_of_nothing(experiment: Experiment) -> None:
    assert values_of([], [one("Pressure")]) == {}
    assert series([], quantities(experiment)) == {each.key: {} for each in quantities(experiment)}


def test_series_are_numbers_texts_and_what_the_daq_knows(experiment: Experiment) -> None:
    first = make_run(experiment, 1, data_files=2, data_bytes=10**9)
    make_run(experiment, 2, started_at=None, stopped_at=None)
    measure(first, Pressure="3.50", Counts="+7", Target="CD2")
    for path, begin, end in (("a", 5, 90), ("b", 3, 80)):
        RunFile.objects.create(
            run=first, kind="data", node="n", owner="o", path=path, size=1, first_event=begin, last_event=end
        )
    runs = lines(Run.objects.all(), 10)
    found = series(runs, quantities(experiment))
    assert {key: values.get(first.pk) for key, values in found.items()} == {
        f"observable-{one('Pressure').pk}": 3.5,
        f"observable-{one('Counts').pk}": 7,
        f"observable-{one('Target').pk}": "CD2",
        "duration": 60.0,
        "data": 10**9,
        "events": 88,
    }
    assert all(len(values) == 1 for values in found.values())


def test_a_line_begins_when_the_run_was_requested_if_it_never_started(experiment: Experiment) -> None:
    make_run(experiment, 2, started_at=None, stopped_at=None, requested_at=NOON)
    make_run(experiment, 1, started_at=NOON + timedelta(hours=1), stopped_at=None)
    first, second = lines(Run.objects.all(), 10)
    assert (first.number, first.began, first.seconds) == (1, (NOON + timedelta(hours=1)).timestamp(), None)
    assert (second.number, second.began, second.data) == (2, NOON.timestamp(), None)
