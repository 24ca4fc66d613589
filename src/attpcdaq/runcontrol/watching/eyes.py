"""How long something has looked the same: silence is judged by what one process saw, not by comparing clocks."""

import time
from collections.abc import Callable, Hashable

# Nobody is blamed for the time in which nobody looked (the database was away, or this process was frozen).
COUNTS_AT_MOST = 1.0


class Eyes:
    """What one sweeper saw in its rounds; `monotonic` in seconds, never set by anybody."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._round = 0
        self._looked: float | None = None
        self._lost = 0.0
        self._seen: dict[Hashable, tuple[object, float, int]] = {}

    def open(self) -> None:
        """Begin a round; what was not asked for in the last one is forgotten."""
        now = self._monotonic()
        if self._looked is not None:
            self._lost += max(now - self._looked - COUNTS_AT_MOST, 0.0)
        self._looked = now
        self._round += 1
        self._seen = {key: seen for key, seen in self._seen.items() if seen[2] >= self._round - 1}

    def same_for(self, key: Hashable, value: object) -> float:
        """Seconds for which `key` has had this value in every round; 0 when it is new."""
        now = (self._looked or 0.0) - self._lost
        before = self._seen.get(key)
        since = before[1] if before is not None and before[0] == value else now
        self._seen[key] = (value, since, self._round)
        return now - since
