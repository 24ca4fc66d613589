"""The suite as it is run by `make chaos`, in its short form; and that its schedule is the seed's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.faults import Kind, Script, schedules

ROOT = Path(__file__).resolve().parents[2]
SHORT = 40


def chaos(*options: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """The suite in processes of its own, with a database of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ATTPCDAQ_", "DJANGO_"))}
    command = [sys.executable, "-m", "tests.chaos", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds)


def test_the_short_form_finds_nothing_broken() -> None:
    done = chaos("--cycles", str(SHORT), "--seed", "1", "--workers", "2", seconds=600)
    last = done.stdout.rstrip().splitlines()[-1]
    assert last == f"chaos: cycles={SHORT} false=0 lost=0 duplicate=0 late=0 stuck=0 seed=1", done.stdout + done.stderr
    assert done.returncode == 0


def test_the_checker_sees_what_is_tampered_with() -> None:
    done = chaos("--sabotage", seconds=300)
    said = [line for line in done.stdout.splitlines() if line.endswith((": reported", ": MISSED"))]
    assert said == [f"{kind}: reported" for kind in ("false", "lost", "duplicate", "late", "stuck")], done.stderr
    assert done.returncode == 0


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
