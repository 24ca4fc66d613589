"""The suite as it is run by `make chaos`, in its short form; and that its schedule is the seed's."""

from functools import partial

import pytest

from tests.chaos.command_line import assert_ends_with, assert_sabotage_is_seen, campaign_of_its_own
from tests.chaos.faults import Kind, Script, schedules

SHORT = 40


chaos = partial(campaign_of_its_own, "tests.chaos")


def test_the_short_form_finds_nothing_broken() -> None:
    last = f"chaos: cycles={SHORT} false=0 lost=0 duplicate=0 late=0 stuck=0 seed=1"
    assert_ends_with("tests.chaos", "--cycles", str(SHORT), "--seed", "1", "--workers", "2", last=last)


def test_the_checker_sees_what_is_tampered_with() -> None:
    assert_sabotage_is_seen("tests.chaos", ("false", "lost", "duplicate", "late", "stuck"))


def test_the_same_seed_gives_the_same_schedule() -> None:
    first, again, other = (chaos("--schedule", "--cycles", "60", "--seed", seed, seconds=60) for seed in "778")
    assert first.stdout.count("\n") == 60
    assert first.stdout == again.stdout
    assert first.stdout != other.stdout


@pytest.mark.parametrize("block", [0, 7])
def test_every_kind_of_fault_comes_up_before_any_comes_up_again(block: int) -> None:
    plan = schedules(1, block, 0, 60)
    kinds = [strike.kind for one in plan for strike in one.strikes]
    assert set(kinds[: 2 * len(Kind)]) == set(Kind)
    assert {one.script for one in plan} == set(Script)


def test_a_number_of_cycles_that_is_none_is_refused() -> None:
    done = chaos("--cycles", "0", seconds=60)
    assert done.returncode == 2
    assert "--cycles: must be 1 or more, not 0" in done.stderr
