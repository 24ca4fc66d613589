"""What is missing on a sheet: required values, from the moment on when they were required."""

from typing import Any

import pytest
from django.utils import timezone

from attpcdaq.runlog.models import Observable, Run
from attpcdaq.runlog.observables import change, retire
from attpcdaq.runlog.sheets import Edit, missing, missing_of, save
from tests.runlog.rows import KIM, make_experiment, make_run
from tests.runlog.sheet_rows import closed_run, key


@pytest.fixture
def run(db: None) -> Run:
    return closed_run()


def require(name: str, run: Run) -> None:
    change(Observable.objects.get(experiment=run.experiment, name=name), KIM, required=True)


def test_a_required_value_is_missing_until_it_is_there(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state="running", closed_at=None)
    run.refresh_from_db()
    assert missing(run) == ()
    require("Pressure", run)
    assert missing(run) == ("Pressure",)
    save(run, {"title": Edit("", "alphas")}, KIM)
    assert missing(run) == ("Pressure",)
    save(run, {key("Pressure"): Edit("", "3")}, KIM)
    assert missing(run) == ()


def test_runs_that_were_over_before_do_not_miss_it(run: Run) -> None:
    require("Pressure", run)
    now = timezone.now()
    later = make_run(run.experiment, 2, requested_at=now, started_at=None, stopped_at=None, closed_at=now)
    failed = make_run(run.experiment, 3, state="failed", started_at=None, stopped_at=None, closed_at=now)
    other = make_run(make_experiment("other", is_active=False), 1, closed_at=now)
    assert missing_of([run, later, failed, other]) == {run.pk: (), later.pk: ("Pressure",), failed.pk: (), other.pk: ()}


def test_what_is_retired_is_not_missing(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(closed_at=None)
    run.refresh_from_db()
    require("Pressure", run)
    retire(Observable.objects.get(name="Pressure"), KIM)
    assert missing(run) == ()


def test_what_is_missing_of_many_runs_costs_two_questions(run: Run, django_assert_num_queries: Any) -> None:
    require("Pressure", run)
    runs = [run, *(make_run(run.experiment, number, closed_at=timezone.now()) for number in range(2, 30))]
    with django_assert_num_queries(2):
        assert [names for names in missing_of(runs).values() if names] == [("Pressure",)] * 28
