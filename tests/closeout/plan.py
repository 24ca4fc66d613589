"""What goes wrong at the end of which run: drawn from the seed alone, so that the same seed gives the same faults."""

import random
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.faults import Deck

BLOCK = 5
UTC_OFFSETS = (-480, -300, -240, 60, 120, 330)


class Kind(StrEnum):
    """What can be made to happen; docs/closeout.md tells of each."""

    LATE_BEFORE_THE_MOVE = "late frames before the files are moved"
    LATE_AFTER_THE_MOVE = "late frames after the files were moved"
    LATE_AFTER_CLOSED = "late frames after the run was closed"
    LATE_IN_NEXT_RUN = "late frames during the next run"
    LATE_ONE_BY_ONE = "late frames one by one"
    ROUTER_RESTARTS_AFTER = "data router restarted after a run"
    ROUTER_RESTARTS_DURING = "data router restarted during a run"
    ROUTER_DIES_WRITING = "data router dies in the middle of a frame"
    ROLL_OVER = "files roll over"
    OUT_OF_ORDER = "event numbers out of order"
    DISK_FULL = "disk full during a run"
    NO_ROOM_TO_MOVE = "no room for a new directory"
    KILLED_CLOSING = "files worker killed while closing"
    KILLED_AGAIN = "files worker killed while closing, and again"
    STALLED_CLOSING = "files worker stands still while closing"
    TWO_CLOSING = "files worker stands still while closing, another takes over"
    KILLED_GATHERING = "files worker killed while late frames are gathered"
    AWAY_GATHERING = "node away while late frames are gathered"
    NOBODY_CLOSING = "worker and monitor killed while closing"
    NODE_AWAY = "node away while closing"
    NODE_HANGS = "node hangs while closing"
    LOST_IN_RENAMES = "connection lost in the middle of renames"
    ANSWERS_LOST = "answers of a node lost while closing"
    DATABASE_AWAY = "database away while closing"
    MESSAGES_LOST = "messages lost"
    CLOCK_SET = "node's clock set"
    LOCAL_TIME_CHANGED = "node's local time changed by an hour"
    STRANGE_FILES = "files that no router made"


class Habit(StrEnum):
    """What holds for all runs of a block."""

    TIME_RESET = "external time reset: runs are appended"
    CLOCK_WRONG = "node's clock wrong"
    ELSEWHERE = "nodes in another time zone"


class Phase(StrEnum):
    """From when on a fault counts its time."""

    RUNNING = "running"
    STOP = "stop"
    CLOSING = "closing"
    NEXT = "next run is running"


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: `at` seconds after the phase began, for `seconds`, on the part that `which` picks."""

    kind: Kind
    phase: Phase
    at: float
    seconds: float
    which: float
    size: float

    def __str__(self) -> str:
        where = f"{self.which:.2f}/{self.size:.2f}"
        return f"{self.kind} ({self.phase} + {self.at:.2f} for {self.seconds:.1f} s, {where})"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run: how long it runs, how soon after it the next one is asked for, and what strikes."""

    number: int
    running: float
    gap: float
    strikes: tuple[Strike, ...]

    def __str__(self) -> str:
        strikes = "; ".join(map(str, self.strikes))
        return f"run {self.number}: {self.running:.1f} s, then {self.gap:.1f} s; {strikes or 'no fault'}"


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """Runs that follow each other in one world."""

    number: int
    seed: str
    habits: frozenset[Habit]
    offset: float
    """Seconds by which one node's clock is wrong, with the habit for it."""
    utc_offset: int
    """Minutes that local time on the nodes is ahead of UTC."""
    runs: tuple[RunPlan, ...]

    def __str__(self) -> str:
        habits = "; ".join(sorted(self.habits)) or "nothing special"
        times = f"clock {self.offset:+.2f} s, UTC {self.utc_offset:+d} min"
        return "\n".join([f"block {self.number}: {habits}; {times}", *(f"  {run}" for run in self.runs)])


@dataclass(frozen=True, slots=True)
class Timing:
    """When a kind strikes: phase, and the least and the most of `at` and `seconds`."""

    phase: Phase
    at: tuple[float, float]
    seconds: tuple[float, float]


# A link is held from before the end of the run; `seconds` count from the Stop (or from when the next run is running).
LATE: dict[Kind, Timing] = {
    Kind.LATE_BEFORE_THE_MOVE: Timing(Phase.STOP, (0.2, 1.5), (0.2, 1.0)),
    Kind.LATE_AFTER_THE_MOVE: Timing(Phase.STOP, (0.2, 2.0), (1.5, 8.0)),
    Kind.LATE_AFTER_CLOSED: Timing(Phase.STOP, (0.2, 2.0), (6.0, 60.0)),
    Kind.LATE_IN_NEXT_RUN: Timing(Phase.NEXT, (0.2, 2.0), (0.0, 4.0)),
    Kind.LATE_ONE_BY_ONE: Timing(Phase.STOP, (0.5, 2.0), (0.5, 20.0)),
    Kind.KILLED_GATHERING: Timing(Phase.STOP, (0.2, 2.0), (6.0, 30.0)),
    Kind.AWAY_GATHERING: Timing(Phase.STOP, (0.2, 2.0), (6.0, 30.0)),
}
TIMINGS: dict[Kind, Timing] = {
    **LATE,
    Kind.ROUTER_RESTARTS_AFTER: Timing(Phase.STOP, (0.0, 6.0), (0.0, 0.0)),
    Kind.ROUTER_RESTARTS_DURING: Timing(Phase.RUNNING, (0.5, 3.0), (0.0, 0.0)),
    Kind.ROUTER_DIES_WRITING: Timing(Phase.RUNNING, (0.5, 3.5), (0.2, 1.0)),
    Kind.ROLL_OVER: Timing(Phase.RUNNING, (0.0, 2.0), (60.0, 60.0)),
    Kind.OUT_OF_ORDER: Timing(Phase.RUNNING, (0.5, 3.0), (0.5, 3.0)),
    Kind.DISK_FULL: Timing(Phase.RUNNING, (0.5, 3.0), (0.5, 4.0)),
    Kind.NO_ROOM_TO_MOVE: Timing(Phase.STOP, (0.0, 0.5), (1.0, 12.0)),
    Kind.KILLED_CLOSING: Timing(Phase.CLOSING, (0.0, 0.0), (0.2, 6.0)),
    Kind.KILLED_AGAIN: Timing(Phase.CLOSING, (0.0, 0.0), (0.2, 3.0)),
    Kind.STALLED_CLOSING: Timing(Phase.CLOSING, (0.0, 1.2), (1.0, 12.0)),
    Kind.TWO_CLOSING: Timing(Phase.CLOSING, (0.0, 1.2), (1.0, 12.0)),
    Kind.NOBODY_CLOSING: Timing(Phase.CLOSING, (0.0, 1.2), (0.5, 12.0)),
    Kind.NODE_AWAY: Timing(Phase.CLOSING, (0.0, 1.2), (1.0, 40.0)),
    Kind.NODE_HANGS: Timing(Phase.CLOSING, (0.0, 1.2), (1.0, 25.0)),
    Kind.LOST_IN_RENAMES: Timing(Phase.STOP, (0.0, 0.1), (5.0, 15.0)),
    Kind.ANSWERS_LOST: Timing(Phase.CLOSING, (0.0, 1.0), (3.0, 10.0)),
    Kind.DATABASE_AWAY: Timing(Phase.CLOSING, (0.0, 1.2), (0.2, 5.0)),
    Kind.MESSAGES_LOST: Timing(Phase.RUNNING, (0.0, 2.0), (5.0, 15.0)),
    Kind.CLOCK_SET: Timing(Phase.RUNNING, (0.5, 12.0), (0.0, 0.0)),
    Kind.LOCAL_TIME_CHANGED: Timing(Phase.RUNNING, (0.5, 12.0), (0.0, 0.0)),
    Kind.STRANGE_FILES: Timing(Phase.RUNNING, (0.5, 12.0), (0.0, 0.0)),
}


def blocks(seed: int, runs: int) -> list[BlockPlan]:
    """As many blocks as that many runs need: the same for the same seed, however many there are."""
    found = [block(seed, number) for number in range(-(-runs // BLOCK))]
    last = found[-1].runs[: runs - BLOCK * (len(found) - 1)]
    return [*found[:-1], _only(found[-1], last)]


def _only(plan: BlockPlan, runs: tuple[RunPlan, ...]) -> BlockPlan:
    return BlockPlan(plan.number, plan.seed, plan.habits, plan.offset, plan.utc_offset, runs)


def block(seed: int, number: int) -> BlockPlan:
    """The plan of one block: every kind of fault comes up before any comes up again in the blocks around it."""
    rng = random.Random(f"closeout:{seed}:{number}")
    habits = frozenset(habit for habit in Habit if rng.random() < 0.35)
    wrong = rng.choice((-1, 1)) * 10 ** rng.uniform(-1.5, 2.2)
    deck = _kinds_of(seed, number)
    return BlockPlan(
        number=number,
        seed=f"{seed}:{number}",
        habits=habits,
        offset=round(wrong, 3) if Habit.CLOCK_WRONG in habits else 0.0,
        utc_offset=rng.choice(UTC_OFFSETS) if Habit.ELSEWHERE in habits else 0,
        runs=tuple(_run(rng, number * BLOCK + i, deck) for i in range(BLOCK)),
    )


STRIKES_A_BLOCK = 2 * BLOCK


def _kinds_of(seed: int, number: int) -> list[Kind]:
    """The kinds of this block: a slice of a row in which each comes up before any comes up again."""
    deck = Deck(random.Random(f"closeout:{seed}"), list(Kind))
    dealt = [deck.deal() for _ in range(STRIKES_A_BLOCK * (number + 1))]
    return dealt[STRIKES_A_BLOCK * number :]


def _run(rng: random.Random, number: int, kinds: list[Kind]) -> RunPlan:
    """None to four faults; the kinds of a block go to its runs as they come."""
    mine = [kinds.pop() for _ in range(min(rng.choices((0, 1, 2, 3, 4), (10, 25, 30, 20, 15))[0], len(kinds)))]
    running = rng.choice((rng.uniform(0.0, 1.0), rng.uniform(1.0, 6.0), rng.uniform(1.0, 6.0), rng.uniform(3.0, 9.0)))
    gap = rng.choice((0.0, rng.uniform(0.0, 3.0), rng.uniform(3.0, 20.0)))
    strikes = sorted((_strike(rng, kind) for kind in mine), key=lambda one: one.kind)
    return RunPlan(number, round(running, 3), round(gap, 3), tuple(strikes))


def _strike(rng: random.Random, kind: Kind) -> Strike:
    timing = TIMINGS[kind]
    at, seconds = round(rng.uniform(*timing.at), 3), round(rng.uniform(*timing.seconds), 3)
    return Strike(kind, timing.phase, at, seconds, rng.random(), rng.random())
