"""The thread in which a process says every few seconds that it is at work: to the database, and by touching a file."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from attpcdaq.live import beats, database_troubles
from attpcdaq.live.beats import Numbers

logger = logging.getLogger(__name__)
LEAVE_WITHIN = 0.5


def always() -> bool:
    """A process that is at work as long as it lives."""
    return True


class Beater:
    """Beats for every service that `counts` names, with its numbers, while `at_work` says so.

    `alive` is touched first: a container is not to be ended because the database is away. It never raises and never
    holds up who started it.
    """

    def __init__(
        self,
        counts: Callable[[], Mapping[str, Numbers]],
        *,
        at_work: Callable[[], bool] = always,
        alive: Path | None = None,
        every: float = beats.EVERY,
        now: Callable[[], datetime] = timezone.now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts = counts
        self._at_work = at_work
        self._alive = alive or settings.ALIVE_FILE
        self._every = every
        self._now = now
        self._monotonic = monotonic
        self._began = monotonic()
        self._away = self._leaving = False
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._work, name="beat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def soon(self) -> None:
        """Beat now: what is counted has changed in a way that is not to stand wrong until the next beat."""
        self._due.set()

    def stop(self) -> None:
        """No further beat; the rows of this process go where the database lets them within half a second."""
        self._leaving = True
        self._due.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_WITHIN)

    def _work(self) -> None:
        while not self._leaving:
            self.turn()
            self._due.wait(self._every)
            self._due.clear()
        with suppress(Error):
            for service in self._counts():
                beats.forget(service)
        connection.close()

    def turn(self) -> None:
        """One beat."""
        try:
            if self._at_work():
                self._touch()
                for service, numbers in self._counts().items():
                    beats.beat(service, numbers, self._started_at(), now=self._now)
                self._say_back()
        except Exception as error:  # a thread that ended would look like a process that did
            self._say_away(error)

    def _started_at(self) -> datetime:
        """By the clock as it is now: one that was set right since makes no process young or old."""
        return self._now() - timedelta(seconds=self._monotonic() - self._began)

    def _touch(self) -> None:
        if self._alive is not None:
            self._alive.touch()

    def _say_away(self, error: Exception) -> None:
        if isinstance(error, Error):
            trouble = database_troubles.note(error)
            with suppress(Error):
                connection.close()
            if not self._away:
                logger.error("%s It is tried again every %g s. (%s)", trouble.text, self._every, str(error).strip())
        elif not self._away:
            logger.error("this process cannot say that it is at work", exc_info=error)
        self._away = True

    def _say_back(self) -> None:
        if self._away:
            logger.warning("the database takes again what this process says of itself")
        self._away = False
        database_troubles.settle()
