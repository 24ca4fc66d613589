"""Threads of the monitor. They are daemons: a database that hangs must not hold up the end of the process."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from django.db import Error, connection
from django.utils import timezone

T = TypeVar("T")
V = TypeVar("V")
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Carries a blocking call out where the database may be used."""
logger = logging.getLogger(__name__)


class Worker:
    """One thread that carries out blocking calls one after the other."""

    def __init__(self, name: str) -> None:
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def call(self, work: Callable[[], T]) -> T:
        """Result of `work`, carried out in the thread; its exceptions come back too."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def order() -> None:
            try:
                settle = partial(_settle, answer, answer.set_result, work())
            except Exception as error:  # for who waits for it
                settle = partial(_settle, answer, answer.set_exception, error)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle)

        self._orders.put(order)
        return await answer

    def stop(self) -> None:
        """End after the call under way."""
        self._orders.put(None)

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            order()
        connection.close()


def reconnecting(work: Callable[[], T]) -> Callable[[], T]:
    """A connection that was lost is opened again by the next call."""

    def done() -> T:
        try:
            return work()
        except Error:
            connection.close()
            raise

    return done


def _settle(answer: "asyncio.Future[T]", settle: Callable[[V], None], value: V) -> None:
    if not answer.done():  # who waited may have gone
        settle(value)


def both(first: Callable[[datetime], None], second: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """One after the other; the second also when the first fails, which is raised all the same."""

    def done(now: datetime) -> None:
        try:
            first(now)
        finally:
            second(now)

    return done


class Sweeper:
    """Calls `sweep` in its own thread every `every` seconds, so that it never delays reading."""

    def __init__(self, sweep: Callable[[datetime], None], every: float = 0.5) -> None:
        self._sweep = sweep
        self._every = every
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._work, name="sweep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No further round."""
        self._stopping.set()

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._sweep(timezone.now())
                self._failing = False
            except Exception as error:  # a fault of one round must not end the sweeping
                self._report(error)
        connection.close()

    def _report(self, error: Exception) -> None:
        if not self._failing:
            logger.error("sweeping failed; it is tried again every %g s", self._every, exc_info=error)
        self._failing = True
        if isinstance(error, Error):
            connection.close()
