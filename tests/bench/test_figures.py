"""The benchmark's arithmetic and what it tells; the measuring itself is `make bench`."""

import json
from pathlib import Path

import pytest

from bench import figures
from bench.figures import Figure
from bench.goals import GOALS, Goal


def test_a_median_is_compared_with_its_goal() -> None:
    most, least = Goal("a", "a", "s", 1.0), Goal("b", "b", "per s", 1.0, at_least=True)
    assert [most.is_met(value) for value in (0.5, 1.0, 1.1)] == [True, True, False]
    assert [least.is_met(value) for value in (0.5, 1.0, 1.1)] == [False, True, True]
    assert Goal("c", "c", "s").is_met(9.0) is None


@pytest.mark.parametrize(("share", "expected"), [(0.95, 95), (0.5, 50), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_value_that_was_seen(share: float, expected: int) -> None:
    assert figures.percentile(range(1, 101), share) == expected


def test_the_table_shows_what_was_measured_beside_goal_and_old_system() -> None:
    lines = figures.table({"memory": Figure((410.0, 300.0, 420.0)), "get_state_cpu": Figure((0.5,))}).splitlines()
    assert lines[0].split() == ["what", "goal", "figure", "old", "system", "met?"]
    assert lines[2].split()[-7:] == ["<=", "1", "ms", "0.5", "ms", "15", "yes"]
    assert lines[3].split()[-7:] == ["<=", "400", "MB", "410", "MB", "900", "NO"]
    assert len(lines) == 4


def test_the_report_holds_the_same_and_the_machine(tmp_path: Path) -> None:
    figures.write(tmp_path / "report.json", {goal.key: Figure((1.0, 2.0, 4.0), "note") for goal in GOALS})
    report = json.loads((tmp_path / "report.json").read_text())
    assert [figure["key"] for figure in report["figures"]] == [goal.key for goal in GOALS]
    assert {figure["median"] for figure in report["figures"]} == {2.0}
    assert report["machine"]["cores"] >= 1


def test_every_goal_has_a_key_of_its_own() -> None:
    assert len({goal.key for goal in GOALS}) == len(GOALS)
