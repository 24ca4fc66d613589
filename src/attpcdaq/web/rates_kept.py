"""The panels of rates as they were last drawn: all who look at one share the drawing."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.utils.safestring import SafeString

from attpcdaq.live.models import RouterSample

# So long a drawing is shown although newer samples have come (its steps are 10 s); and in any case time moves on.
SECONDS = 4.0
OLDEST = 10.0
MOST = 16


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn when (monotonic s), and the newest sample of that moment."""

    html: SafeString
    newest: int
    at: float


class Kept:
    """Drawings by name; one thread draws, the others wait for it and are shown the same."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._drawings: dict[str, Drawing] = {}

    def get(self, name: str, draw: Callable[[], SafeString]) -> SafeString:
        """The drawing of this name, drawn anew if it is too old and something has come since."""
        if connection.in_atomic_block:
            return draw()  # what this transaction wrote is nobody else's yet
        with self._lock:
            return self._fresh(name, draw)

    def _fresh(self, name: str, draw: Callable[[], SafeString]) -> SafeString:
        now, kept = self._monotonic(), self._drawings.get(name)
        age = OLDEST if kept is None else now - kept.at
        if kept is not None and age < SECONDS:
            return kept.html
        newest = RouterSample.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        if kept is not None and kept.newest == newest and age < OLDEST:
            return kept.html
        made = Drawing(draw(), newest, now)
        self._drawings.pop(name, None)
        self._drawings[name] = made
        while len(self._drawings) > MOST:
            self._drawings.pop(next(iter(self._drawings)))
        return made.html
