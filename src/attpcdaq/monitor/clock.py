"""Time as a parameter of the monitor; testing.clock.ManualClock is its twin."""

import asyncio
import time
from datetime import datetime
from typing import Protocol

from django.utils import timezone


class Clock(Protocol):
    """The time of day, seconds that never go back, and waiting."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return timezone.now()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
