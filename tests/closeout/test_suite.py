"""The campaign as `make closeout` runs it, in its short form; and that its plan is the seed's."""

from functools import partial

import pytest

from tests.chaos.command_line import assert_ends_with, assert_sabotage_is_seen, campaign_of_its_own
from tests.closeout.plan import BLOCK, Habit, Kind, blocks
from tests.closeout.ways import WAYS

SHORT = 12


closeout = partial(campaign_of_its_own, "tests.closeout")


def test_the_short_form_finds_nothing_broken() -> None:
    last = f"closeout: runs={SHORT} misfiled=0 lost=0 overwritten=0 seed=1"
    assert_ends_with("tests.closeout", "--runs", str(SHORT), "--seed", "1", "--workers", "2", last=last)


def test_the_checker_sees_what_is_tampered_with() -> None:
    assert_sabotage_is_seen("tests.closeout", WAYS)


def test_the_same_seed_gives_the_same_faults() -> None:
    first, again, other = (str(blocks(seed, 40)) for seed in (7, 7, 8))
    assert first == again != other


def test_more_runs_begin_with_the_same_ones() -> None:
    few, many = blocks(7, 2 * BLOCK - 1), blocks(7, 6 * BLOCK)
    assert [run for plan in few for run in plan.runs] == [run for plan in many for run in plan.runs][: 2 * BLOCK - 1]


def test_every_fault_and_every_habit_comes_up() -> None:
    plans = blocks(1, 200)
    assert {strike.kind for plan in plans for run in plan.runs for strike in run.strikes} == set(Kind)
    assert {habit for plan in plans for habit in plan.habits} == set(Habit)
    assert [run.number for plan in plans for run in plan.runs] == list(range(200))


@pytest.mark.parametrize("options", [("--runs", "0"), ("--runs", "many"), ("--workers", "-1")])
def test_numbers_that_are_none_are_refused(options: tuple[str, str]) -> None:
    done = closeout(*options, seconds=60)
    assert done.returncode == 2
    assert f"argument {options[0]}:" in done.stderr
