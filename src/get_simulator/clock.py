"""Where the time comes from: the pure parts are given it as a number of POSIX seconds."""

import time
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time in POSIX seconds and never goes back."""

    def now(self) -> float: ...


class SystemClock:
    """The machine's time, carried on by the monotonic clock: steps of the machine's clock are not seen."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()
