"""Which faults strike when: drawn from the seed alone, so that the same seed gives the same schedule."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

OPERATIONS = (*("Start", "Stop") * 3, "Configure", "Prepare", "Describe", "Breakup")


Card = TypeVar("Card")


class Kind(StrEnum):
    """What can be made to happen; docs/chaos.md tells of each."""

    ECC_REFUSES = "ECC server refuses"
    BOARD_FAILS = "board fails"
    CALL_HANGS = "call hangs in the ECC server"
    CALL_IS_SLOW = "call is slow"
    CALL_LOST = "call is lost"
    ANSWER_LOST = "answer is lost"
    ECC_LIES = "ECC server lies success"
    ECC_WEDGES = "ECC server wedges"
    ECC_DIES = "ECC server dies and comes back"
    ECC_DIES_IN_CALL = "ECC server dies in a call"
    ECC_GONE = "ECC server dies for good"
    ECC_FREEZES = "ECC server freezes"
    BOARD_DIES = "board dies"
    LATE_FRAMES = "late frames after Stop"
    ROUTER_RESTARTS = "data router restarts"
    ROUTER_DIES = "data router dies"
    ROUTER_SILENT = "data router writes nothing"
    DISK_FULL = "disk full"
    NODE_DIES = "node dies"
    NODE_HANGS = "node hangs"
    NODE_LOSES = "node loses answers"
    WEB_KILLED = "web killed"
    WORKER_KILLED = "worker killed"
    WORKER_KILLED_WRITING = "worker killed between statements"
    WORKER_KILLED_CALLING = "worker killed at a call"
    WORKER_STALLS = "worker stands still"
    MONITOR_STALLS = "monitor stands still"
    FILES_WORKER_KILLED = "files worker killed"
    MONITOR_KILLED = "monitor killed"
    MONITOR_KILLED_WRITING = "monitor killed between statements"
    NO_WORKER = "no worker for long"
    NOBODY = "worker and monitor away for long"
    BROKER_STOPPED = "broker stopped"
    BROKER_STALLED = "broker stalled"
    BROKER_FORGETS = "broker killed with its messages"
    MESSAGES_LOST = "messages lost"
    MESSAGES_TWICE = "messages delivered twice"
    MESSAGES_LATE = "messages late"
    DATABASE_AWAY = "database away"
    CLOCK_FORWARD = "clock steps forward"
    CLOCK_BACK = "clock steps back"
    NETWORK_SLOW = "network slow"


class Script(StrEnum):
    """What the crew does in a cycle."""

    PLAIN = "one Start, one Stop"
    START_TWICE = "two press Start"
    START_TWENTY = "twenty press Start"
    STOP_TWICE = "two press Stop"
    STOP_AT_ONCE = "Stop right after Start"
    IMPATIENT = "Stop and Start in turns"
    BREAKUP = "Go to Idle while running"
    REPAIR = "single servers stopped and started"
    FOREIGN = "somebody else starts the boards"
    EXCLUDE = "one board excluded"
    UP_AND_DOWN = "Go to Idle, Stop while going to Ready"


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: `at` seconds after the cycle's first click, for `seconds`, on the part that `which` picks."""

    kind: Kind
    at: float
    seconds: float
    which: float
    operation: str
    size: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """One cycle."""

    number: int
    script: Script
    running: float
    strikes: tuple[Strike, ...]
    wait: float
    """Between the clicks of scripts that have several."""

    def __str__(self) -> str:
        strikes = "; ".join(f"{s.kind} at {s.at:.2f} for {s.seconds:.1f} s ({s.operation})" for s in self.strikes)
        return f"cycle {self.number}: {self.script}, {self.running:.1f} s; {strikes or 'no fault'}"


def schedules(seed: int, block: int, first: int, count: int) -> list[Schedule]:
    """The schedules of one block of cycles: every kind comes up before any comes up again."""
    rng = random.Random(f"{seed}:{block}")
    kinds, scripts = Deck(rng, list(Kind)), Deck(rng, _scripts())
    return [_schedule(rng, number, kinds, scripts) for number in range(first, first + count)]


def _scripts() -> list[Script]:
    return [Script.PLAIN] * 8 + [Script.STOP_AT_ONCE] * 2 + [script for script in Script if script is not Script.PLAIN]


class Deck(Generic[Card]):
    """Cards dealt until none is left, then shuffled anew."""

    def __init__(self, rng: random.Random, cards: list[Card]) -> None:
        self._rng, self._cards = rng, cards
        self._left: list[Card] = []

    def deal(self) -> Card:
        if not self._left:
            self._left = list(self._cards)
            self._rng.shuffle(self._left)
        return self._left.pop()


def _schedule(rng: random.Random, number: int, kinds: Deck[Kind], scripts: Deck[Script]) -> Schedule:
    count = rng.choices((0, 1, 2, 3), (8, 46, 31, 15))[0]
    running = rng.uniform(0.5, 4.0)
    strikes = [_strike(rng, kinds.deal(), running) for _ in range(count)]
    if any(strike.kind in SILENCING for strike in strikes):
        running = UNMISTAKABLE
    return Schedule(
        number=number,
        script=scripts.deal(),
        running=running,
        strikes=tuple(sorted(strikes, key=lambda strike: strike.at)),
        wait=rng.uniform(0.0, 1.5),
    )


# No data come: the run goes on for so long that the page must have said it.
SILENCING = frozenset({Kind.ROUTER_SILENT, Kind.DISK_FULL})
UNMISTAKABLE = 22.0
# Longer than a command may wait: what was pressed meanwhile must not fire when they are back.
LONG = frozenset({Kind.NO_WORKER, Kind.NOBODY, Kind.BROKER_STALLED})
# These wait for their operation, so they stay for most of a cycle.
WAITING = (
    Kind.ECC_REFUSES,
    Kind.BOARD_FAILS,
    Kind.CALL_IS_SLOW,
    Kind.CALL_LOST,
    Kind.ANSWER_LOST,
    Kind.ECC_LIES,
    Kind.ECC_DIES_IN_CALL,
    Kind.LATE_FRAMES,
)
MORE = {**dict.fromkeys(WAITING, 6.0), **dict.fromkeys(SILENCING, UNMISTAKABLE)}


def _strike(rng: random.Random, kind: Kind, running: float) -> Strike:
    """Most of them while a Start or a Stop is likely to be under way, the others at any time."""
    first, last = rng.choices(((-0.2, 0.8), (running + 0.3, running + 1.7), (-0.2, 7.0)), (35, 35, 30))[0]
    return Strike(
        kind=kind,
        at=round(rng.uniform(first, last), 3),
        seconds=round(rng.uniform(0.5, 8.0) * (3 if kind in LONG else 1) + MORE.get(kind, 0.0), 2),
        which=rng.random(),
        operation=rng.choice(OPERATIONS),
        size=rng.random(),
    )
