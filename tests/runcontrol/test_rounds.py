"""The sweeper rests while all rest, and misses nothing when something is under way."""

from datetime import datetime

from attpcdaq.runcontrol.watching.rounds import Rounds, is_quiet
from tests.runcontrol.rig import Rig


def looks(rig: Rig, rounds: int) -> list[bool]:
    """In which rounds it looked."""
    seen: list[datetime] = []
    look = Rounds(seen.append)
    found = []
    for _ in range(rounds):
        before = len(seen)
        look(rig.time.now())
        found.append(len(seen) > before)
    return found


def test_while_all_rest_every_other_round_is_left_out(rig: Rig) -> None:
    assert is_quiet()
    assert looks(rig, 6) == [False, True] * 3


def test_with_a_command_at_work_or_a_run_open_every_round_counts(ready: Rig) -> None:
    ready.request("start")
    assert looks(ready, 4) == [True] * 4


def test_while_a_run_is_running_every_round_counts(running: Rig) -> None:
    assert looks(running, 4) == [True] * 4


def test_a_command_that_comes_after_a_rest_is_looked_after_in_the_next_round(ready: Rig) -> None:
    seen: list[datetime] = []
    look = Rounds(seen.append)
    look(ready.time.now())
    ready.request("start")
    look(ready.time.now())
    look(ready.time.now())
    assert len(seen) == 2
