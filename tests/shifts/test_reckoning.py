"""Rows to accounts: runs and shifts over the borders, gaps and who named them, days, clocks that jump."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attpcdaq.live.models import Spell
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts import beam_time, reckoning
from attpcdaq.shifts.causes import Cause
from attpcdaq.shifts.models import Gap, Shift
from attpcdaq.shifts.reckoning import Sums
from attpcdaq.shifts.spans import Interval
from tests.runlog.rows import make_experiment
from tests.shifts.rows import NOON, at, make_shift, make_spell, make_timed_run

pytestmark = pytest.mark.django_db
SILENT = {"key": "no-data", "title": "No data arrive", "parts": ["router-cobo1"], "lost": True}


@pytest.fixture
def experiment() -> Experiment:
    return make_experiment()


def shown(sums: Sums) -> dict[str, int]:
    return {line.label: line.seconds for line in sums.lines if line.seconds}


def test_a_shift_with_runs_over_both_its_borders(experiment: Experiment) -> None:
    make_spell(-5000, 20000)
    make_timed_run(experiment, 1, -100, 600)
    make_timed_run(experiment, 2, 700, 2000)
    make_timed_run(experiment, 3, 3000, None)
    made = reckoning.of_shift(make_shift(0, 3600, experiment), at(4000))
    assert shown(made.sums) == {"Running": 600 + 1300 + 600, "No run, and nobody said why": 100 + 1000}
    assert [(gap.after_number, gap.end - gap.begin) for gap in made.gaps] == [
        (1, timedelta(seconds=100)),
        (2, timedelta(seconds=1000)),
    ]


def test_a_shift_that_is_on_counts_to_now_and_two_shifts_add_up(experiment: Experiment) -> None:
    make_spell(0, None)
    Spell.objects.update(seen_at=at(995))
    make_timed_run(experiment, 1, 100, None)
    first, second = make_shift(0, 500, experiment), make_shift(500, None, experiment)
    sums = [reckoning.of_shift(shift, at(1000)).sums for shift in (first, second)]
    assert [one.running for one in sums] == [400, 500]
    assert sum(one.length for one in sums) == 1000


def test_what_the_monitor_did_not_see_is_not_watched_also_in_a_run(experiment: Experiment) -> None:
    make_spell(0, 100, run_id=None)
    make_spell(400, None)
    Spell.objects.filter(ended_at=None).update(seen_at=at(700))
    make_timed_run(experiment, 1, 50, None)
    sums = reckoning.of_shift(make_shift(0, None, experiment), at(1000)).sums
    assert (sums.running, sums.not_watched, sums.unseen_runs) == (50 + 300, 600, 600)
    assert sums.length == 1000


def test_missing_data_and_troubles_are_the_daqs(experiment: Experiment) -> None:
    run = make_timed_run(experiment, 1, 0, 600)
    make_spell(0, 200, "ok", run_id=run.pk)
    make_spell(200, 260, "bad", run_id=run.pk, causes=[SILENT])
    make_spell(260, 600, "ok", run_id=run.pk)
    make_spell(600, 700, "bad", causes=[{"key": "wedged", "title": "It is wedged", "parts": [], "lost": False}])
    make_spell(700, 1000, "busy")
    Command.objects.create(
        action="start", state="failed", requested_by="kim", requested_at=at(800), finished_at=at(850),
        expires_at=at(900), published_at=at(800),
    )  # fmt: skip
    sums = reckoning.of_shift(make_shift(0, 1000, experiment), at(1000)).sums
    assert shown(sums) == {"Running": 540, "Data acquisition": 60 + 100 + 50, "Starting, stopping, configuring": 250}
    (daq,) = [line for line in sums.lines if line.cause == Cause.DAQ]
    assert daq.details == (("It is wedged", 100), ("No data arrive", 60), ("Start failed", 50))


def test_the_crew_names_a_gap(experiment: Experiment) -> None:
    make_spell(0, 3000)
    run = make_timed_run(experiment, 1, 500, 1000)
    make_timed_run(experiment, 2, 2000, 3000)
    said = {"experiment": experiment, "by": "kim", "at": NOON}
    Gap.objects.create(after=run, cause="beam", comment="cryo trip", **said)
    Gap.objects.create(after=None, cause="access", **said)
    sums = reckoning.of_shift(make_shift(0, 3000, experiment), at(3000)).sums
    assert shown(sums) == {"Running": 1500, "No beam": 1000, "Access to the vault": 500}


def test_runs_of_another_experiment(experiment: Experiment) -> None:
    other = make_experiment("test", is_active=False)
    make_spell(0, 3000)
    make_timed_run(other, 9, -50, 300)
    run = make_timed_run(experiment, 1, 500, 1000)
    make_timed_run(other, 10, 1200, 1500)
    make_timed_run(experiment, 2, 2000, 3000)
    Gap.objects.create(after=run, experiment=experiment, cause="tuning", by="kim", at=NOON)
    make_shift(0, 3000, experiment)
    made = beam_time.of_experiment(experiment, at(3000), None, date(2026, 11, 22))
    assert shown(made.sums) == {
        "Running": 1500,
        "Runs of another experiment": 300 + 300,
        "No run, and nobody said why": 200 + 500,
        "Set-up and tuning": 200,
    }
    assert [(gap.experiment_id == experiment.pk, gap.after_number) for gap in made.gaps] == [
        (True, None),
        (True, 1),
        (False, 10),
    ]
    theirs = reckoning.of_shift(Shift.objects.get(), at(3000))
    assert theirs.sums.running == 2100


def test_an_experiment_lasts_from_who_first_did_something_to_who_last_did(experiment: Experiment) -> None:
    assert reckoning.beam_time_of(experiment, NOON) == Interval(NOON, NOON)
    make_timed_run(experiment, 1, 500, 1000)
    make_shift(100, 800, experiment)
    assert reckoning.beam_time_of(experiment, at(5000)) == Interval(at(100), at(5000))
    Experiment.objects.update(is_active=False)
    experiment.refresh_from_db()
    assert reckoning.beam_time_of(experiment, at(5000)) == Interval(at(100), at(1000))


def test_days_add_up_to_the_whole_and_may_be_chosen(experiment: Experiment) -> None:
    day = 86400.0
    make_spell(0, 3 * day)
    make_timed_run(experiment, 1, 0, 2 * day)
    made = beam_time.of_experiment(experiment, at(3 * day))
    assert [one.day.day for one in made.days] == [22, 23, 24, 25]
    assert [one.sums.running for one in made.days] == [43200, 86400, 43200, 0]
    assert sum(one.sums.length for one in made.days) == made.sums.length == 3 * day
    second = beam_time.of_experiment(experiment, at(3 * day), date(2026, 11, 23), date(2026, 11, 23))
    assert (second.sums.running, second.sums.length, len(second.days)) == (86400, 86400, 1)
    nothing = beam_time.of_experiment(experiment, at(3 * day), date(2027, 1, 1), date(2026, 1, 1))
    assert (nothing.sums.length, nothing.segments) == (0, ())


def test_a_day_of_the_change_of_the_clocks(experiment: Experiment) -> None:
    with timezone.override(ZoneInfo("America/Detroit")):
        begin, end = reckoning.midnight(date(2026, 11, 1)), reckoning.midnight(date(2026, 11, 2))
        made = reckoning.reckoned(Interval(begin, end + timedelta(hours=1)), end, experiment)
    assert [one.sums.length for one in made.days] == [25 * 3600, 3600]


def test_a_clock_set_back_while_a_shift_is_on(experiment: Experiment) -> None:
    make_spell(0, 1000)
    make_spell(200, None)
    shift = make_shift(900, None, experiment)
    assert reckoning.of_shift(shift, at(300)).sums.length == 0
    make_timed_run(experiment, 1, 950, None)
    made = reckoning.of_shift(make_shift(0, 250, experiment, crew="early"), at(300))
    assert made.sums.length == 250


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 300), st.sampled_from(["ok", "bad", "busy"])), max_size=8),
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), max_size=5),
    st.lists(st.integers(0, 1000), min_size=1, max_size=4),
    st.integers(0, 1200),
)
def test_shifts_one_after_the_other_add_up_whatever_happened(
    experiment: Experiment, spells: list[tuple[int, int, str]], runs: list[tuple[int, int]], cuts: list[int], now: int
) -> None:
    for model in (Spell, Gap, Run, Shift):
        model.objects.all().delete()
    for begin, length, level in spells:
        make_spell(begin, begin + length, level)
    for number, (begin, length) in enumerate(runs):
        run = make_timed_run(experiment, number + 1, begin, begin + length)
        Gap.objects.create(experiment=experiment, after=run, cause="beam", by="kim", at=NOON)
    edges = sorted({0, 1000, *cuts})
    parts = [reckoning.reckoned(Interval(at(begin), at(end)), at(now), experiment) for begin, end in pairwise(edges)]
    whole = reckoning.reckoned(Interval(at(0), at(1000)), at(now), experiment)
    assert whole.sums.length == 1000 == whole.sums.running + whole.sums.lost + whole.sums.not_watched
    assert sum(line.seconds for line in whole.sums.lines) == 1000
    for name in ("running", "lost", "not_watched", "length", "unseen_runs"):
        assert sum(getattr(part.sums, name) for part in parts) == getattr(whole.sums, name), name
