"""When events happen, and which boards see them (pure)."""

import random
from collections.abc import Sequence

from get_simulator.board import TICKS_PER_SECOND, Board, Trigger
from get_simulator.pace import Pace

JITTER = 0.3
"""Intervals differ from the mean by up to this fraction."""


class TriggerSystem:
    """The MuTAnT triggers all boards while it runs; without one the boards run free, at the same rate."""

    def __init__(self, boards: Sequence[Board], pace: Pace, seed: int = 1) -> None:
        self._boards = boards
        self._pace = pace
        self._random = random.Random(seed)  # noqa: S311  physics, not secrets
        self._mutant = next((board for board in boards if board.is_mutant), None)
        self._next = 0.0
        self.events = 0

    def step(self, now: float) -> float:
        """Fire if the next event is due; returns the seconds until there is something to do again."""
        for board in self._boards:
            board.settle(now)
        rate = self._pace.event_rate
        if rate <= 0 or not any(board.active(now) for board in self._boards):
            self._next = 0.0
            return 0.05
        if not self._next:
            self._next = now + self._interval(rate)
        if any(board.busy(now) for board in self._boards):
            return 0.005
        if now >= self._next:
            self.fire(now)
            self._next = max(now, self._next + self._interval(rate))
        return min(self._next - now, 1.0 / rate)

    def fire(self, now: float) -> None:
        """One event now: boards that still send late frames see it even while the MuTAnT stands still."""
        self.events += 1
        master = self._mutant
        running = master is None or (master.sending and not master.paused)
        ticks = None if master is None else int((now - master.origin) * TICKS_PER_SECOND)
        trigger = Trigger(self.events, now, ticks, 0 if master is None else master.epoch)
        for board in self._boards:
            if running or now < board.late_until:
                board.take(trigger)

    def _interval(self, rate: float) -> float:
        return self._random.uniform(1 - JITTER, 1 + JITTER) / rate
