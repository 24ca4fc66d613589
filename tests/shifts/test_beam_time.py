"""Days that are over are worked out once, and never differ from what the rows say."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attpcdaq.live.models import Spell
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts import beam_time, gaps
from attpcdaq.shifts.reckoning import Reckoned, beam_time_of, reckoned
from tests.runlog.rows import KIM, make_experiment
from tests.shifts.rows import NOON, at, make_spell, make_timed_run

pytestmark = pytest.mark.django_db(transaction=True)
DAY = 86400.0
NOW = at(2.2 * DAY)


@pytest.fixture
def experiment() -> Experiment:
    experiment = make_experiment()
    make_spell(0, 3 * DAY)
    make_timed_run(experiment, 1, 100, 30_000)
    make_timed_run(experiment, 2, 40_000, 1.4 * DAY)
    return experiment


def anew(experiment: Experiment) -> Reckoned:
    return reckoned(beam_time_of(experiment, NOW), NOW, experiment)


def test_kept_or_anew_is_the_same_and_the_gap_over_midnight_is_one(experiment: Experiment) -> None:
    for _ in range(2):
        made = beam_time.of_experiment(experiment, NOW)
        assert made == anew(experiment)
    assert made.gaps[-1].end - made.gaps[-1].begin == timedelta(days=0.8)


def test_the_second_time_the_spells_of_the_past_are_not_read(experiment: Experiment) -> None:
    def spells_read() -> int:
        with CaptureQueriesContext(connection) as asked:
            beam_time.of_experiment(experiment, NOW)
        return sum('"causes"' in query["sql"] for query in asked)

    assert [spells_read(), spells_read()] == [2, 1]


def test_whatever_changes_in_the_past_is_seen(experiment: Experiment) -> None:
    beam_time.of_experiment(experiment, NOW)
    gaps.name_cause(experiment, 1, "beam", "", KIM, NOON)
    assert beam_time.of_experiment(experiment, NOW) == anew(experiment)
    gaps.name_cause(experiment, 1, "daq", "", KIM, at(5))
    assert beam_time.of_experiment(experiment, NOW) == anew(experiment)
    gaps.name_cause(experiment, 1, "", "", KIM, at(9))
    assert beam_time.of_experiment(experiment, NOW) == anew(experiment)
    make_spell(5_000, 6_000, "bad")
    assert beam_time.of_experiment(experiment, NOW) == anew(experiment)
    make_timed_run(experiment, 3, 1.5 * DAY, None)
    assert beam_time.of_experiment(experiment, NOW) == anew(experiment)
    Run.objects.filter(number=3).update(stopped_at=at(1.9 * DAY), state="closed")
    assert beam_time.of_experiment(experiment, NOW) == anew(experiment)
    Spell.objects.filter(began_at=at(5_000)).delete()
    assert beam_time.of_experiment(experiment, NOW) == anew(experiment)
