"""What the monitor says of itself in its beats: readings, whether it writes, whether it stands by, the queues."""

import time
from collections.abc import Awaitable, Callable, Collection

from attpcdaq.live.beats import Numbers
from attpcdaq.monitor.holding import Holding
from attpcdaq.monitor.queues import QueueWatch
from attpcdaq.monitor.readings import Batch, Key, Reading

STANDS_AFTER = 12.0
"""Seconds after which an event loop that did not turn stands still."""


class Pulse:
    """Felt by the loop and by the writing; read by the thread that beats."""

    def __init__(self, holding: Holding, queues: QueueWatch, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._holding = holding
        self._queues = queues
        self._monotonic = monotonic
        self._readings = 0
        self._wrote_at = self._turned_at = monotonic()

    def turned(self) -> None:
        """The event loop goes round."""
        self._turned_at = self._monotonic()

    def is_at_work(self) -> bool:
        """Whether the event loop went round lately, whatever the database does."""
        return self._monotonic() - self._turned_at < STANDS_AFTER

    def counting(self, note: Callable[[Reading], None]) -> Callable[[Reading], None]:
        """`note`, and every reading counted."""

        def noted(reading: Reading) -> None:
            self._readings += 1
            note(reading)

        return noted

    def feeling(
        self, write: Callable[[Batch], Awaitable[Collection[Key]]]
    ) -> Callable[[Batch], Awaitable[Collection[Key]]]:
        """`write`, and when it succeeded last; called when a term begins."""
        self._wrote_at = self._monotonic()

        async def written(batch: Batch) -> Collection[Key]:
            done = await write(batch)
            self._wrote_at = self._monotonic()
            return done

        return written

    def numbers(self) -> dict[str, Numbers]:
        """Of its beat: `unwritten` are the seconds since something was written last, while it should write."""
        if not self._holding.has_own_beat:
            return {}
        term = self._holding.term
        own: dict[str, float] = (
            {"standby": 1} if term is None else {"term": term.number, "unwritten": self._unwritten()}
        )
        return {"monitor": {**own, "readings": self._readings, **self._queues.numbers}}

    def _unwritten(self) -> float:
        return round(self._monotonic() - self._wrote_at, 1)
