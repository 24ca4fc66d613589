"""One reading of the status for everybody in a process who asks for it in the same moment."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from attpcdaq.live.models import Event
from attpcdaq.live.prepared import Prepared
from attpcdaq.runcontrol.seeing.views import Snapshot

SECONDS = 0.2
# One that commits late has a smaller id than the newest: so many of them are compared.
EVENTS_COMPARED = 20
PATIENCE_SECONDS = 1.0

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A reading, the events that were surely in it, and when it began (monotonic seconds)."""

    key: Key
    at: float
    snapshot: Snapshot


def latest_events() -> Key:
    """The ids that say whether anything happened since."""
    return tuple(row[0] for row in _LATEST.rows())


_LATEST = Prepared(lambda: Event.objects.values_list("id")[:EVENTS_COMPARED])


class Shared:
    """Whatever changed has left an event, so the same latest events mean the same status but for its ages."""

    def __init__(self, make: Callable[[datetime], Snapshot], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: Kept | None = None

    def get(self, events: Key | None = None) -> Snapshot:
        """The status now, at most SECONDS old and never without what had been committed before.

        `events`: the latest ones, where the asker has just read them.
        """
        if connection.in_atomic_block:
            return self._make(timezone.now())  # what this transaction wrote is nobody else's yet
        waited = self._lock.acquire(timeout=PATIENCE_SECONDS)
        try:
            return self._fresh(events)
        finally:
            if waited:
                self._lock.release()

    def _fresh(self, events: Key | None) -> Snapshot:
        at, kept = self._monotonic(), self._kept
        key = latest_events() if events is None else events
        if kept is not None and key and kept.key == key and at - kept.at <= SECONDS:
            return kept.snapshot
        made = self._make(timezone.now())
        self._kept = Kept(key, at, made)
        return made
