"""A worker's beats: one service for each queue that it takes from, only while it is connected and its loop turns."""

import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from celery import bootsteps, signals

STANDS_AFTER = 12.0
"""Seconds after which a loop that did not turn stands still."""


class Ended:
    """How many tasks ended, by outcome and name; a task belongs to the queue on which it came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}

    def count(self, outcome: str, task: Any) -> None:
        queue = str((getattr(task.request, "delivery_info", None) or {}).get("routing_key"))
        with self._lock:
            self._counts.setdefault(queue, Counter())[f"{outcome}.{task.name.rpartition('.')[2]}"] += 1

    def of(self, queue: str) -> dict[str, float]:
        """The counts of one queue, as numbers of its beat."""
        with self._lock:
            return dict(self._counts.get(queue, {}))


ENDED = Ended()


@signals.task_success.connect
def count_done(sender: Any, **kwargs: Any) -> None:
    ENDED.count("done", sender)


@signals.task_failure.connect
def count_failed(sender: Any, **kwargs: Any) -> None:
    ENDED.count("failed", sender)


class Beating(bootsteps.StartStopStep):
    """Begins when the consumer has its connection, rests when it lost it."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._consumer: Any = None
        self._beater: Any = None
        self._turned_at = 0.0

    def start(self, consumer: Any) -> None:
        from attpcdaq.live.beater import Beater  # not above: the settings' application is not there yet

        self._consumer = consumer
        self.turned()
        if self._beater is None:
            self._beater = Beater(self.counts, at_work=self.is_at_work)
            signals.worker_shutdown.connect(self.leave)
            self._beater.start()

    def stop(self, consumer: Any) -> None:
        self._consumer = None

    def leave(self, **kwargs: Any) -> None:
        """The worker ends as it should."""
        self._beater.stop()

    def turned(self) -> None:
        """Called in the worker's loop."""
        self._turned_at = time.monotonic()

    def is_at_work(self) -> bool:
        """Whether there is a connection, and the loop did what it was asked to do at the beat before."""
        consumer = self._consumer
        if consumer is None:
            return False
        consumer.call_soon(self.turned)
        return time.monotonic() - self._turned_at < STANDS_AFTER

    def counts(self) -> dict[str, dict[str, float]]:
        """Its services and what each has done."""
        return {f"celery-{queue}": ENDED.of(queue) for queue in self._queues()}

    def _queues(self) -> Iterable[str]:
        from attpcdaq.config.celery import app

        return sorted(app.amqp.queues.consume_from)


class Migrated(bootsteps.StartStopStep):
    """Keeps a worker from taking anything before the tables are those of this program."""

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:
        from celery.worker import state

        from attpcdaq.live import schema

        schema.wait_until_it_fits(state.maybe_shutdown)
