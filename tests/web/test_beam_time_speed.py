"""A beam time is asked for in as many queries however many runs it has, and only what is shown is added up."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attpcdaq.runlog.models import Experiment
from attpcdaq.shifts.models import Gap
from attpcdaq.shifts.reckoning import beam_time_of, reckoned
from attpcdaq.web.shift_gaps import gap_lines, gaps_of
from tests.runlog.rows import make_experiment
from tests.shifts.rows import NOON, make_spell, make_timed_run
from tests.web.people import browser, operator

pytestmark = pytest.mark.django_db
PATH = "/shifts/beam-time/?experiment=e20009"


def take_runs(experiment: Experiment, first: int, last: int) -> None:
    """Of eight minutes each, every ten minutes, the last 20 minutes ago."""
    for number in range(first, last):
        begin = (timezone.now() - NOON).total_seconds() - 600.0 * (last - number)
        make_timed_run(experiment, number, begin - 600, begin - 120)
        make_spell(begin - 600, begin)


def queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(PATH).status_code == 200
    return len(asked)


def test_more_runs_are_no_more_queries() -> None:
    client, experiment = browser(operator()), make_experiment()
    take_runs(experiment, 1, 5)
    client.get(PATH)
    few = queries(client)
    take_runs(experiment, 5, 60)
    assert queries(client) == few


def test_lines_of_some_gaps_are_those_of_all() -> None:
    experiment = make_experiment()
    take_runs(experiment, 1, 9)
    run = experiment.runs.order_by("number")[2]
    Gap.objects.create(experiment=experiment, after=run, cause="beam", by="kim", at=timezone.now())
    now = timezone.now() + timedelta(minutes=1)
    made = reckoned(beam_time_of(experiment, now), now, experiment)
    every = gap_lines(made)
    assert len(every) == 8
    assert gap_lines(made, gaps_of(made)[3:5]) == every[3:5]
    assert [line.cause for line in every] == ["", "", "beam", "", "", "", "", ""]
