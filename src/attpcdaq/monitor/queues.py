"""How many messages wait in each queue: asked of the broker in a thread of its own, which may hang as it likes."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from amqp.exceptions import NotFound
from kombu import Connection

from attpcdaq.config.celery import CONTROL, FILES, app

logger = logging.getLogger(__name__)
ASK_EVERY = 5.0


def _ours() -> Connection:
    # Without heartbeats, which nobody would send between two questions.
    connection: Connection = app.connection_for_read(heartbeat=0)
    return connection


class QueueWatch:
    """`numbers` is what it was told last: `broker` 1 or 0, and the depth of each queue there is."""

    def __init__(self, every: float = ASK_EVERY, broker: Callable[[], Connection] = _ours) -> None:
        self._every = every
        self._broker = broker
        self._connection: Connection | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="queues", daemon=True)
        self.numbers: dict[str, float] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self.ask()
            self._stopping.wait(self._every)
        self.let_go()

    def ask(self) -> None:
        """One question for each queue; a broker that is away is the answer too."""
        try:
            if self._connection is None:
                self._connection = self._broker()
            connection = self._connection
            depths = {
                f"queue.{name}": depth for name in (CONTROL, FILES) if (depth := _depth(connection, name)) is not None
            }
        except Exception as error:  # whatever kombu's transports raise
            if self.numbers.get("broker") != 0:
                logger.warning("the broker cannot be reached: %s", str(error).strip() or type(error).__name__)
            self.numbers = {"broker": 0}
            self.let_go()
            return
        if self.numbers.get("broker") == 0:
            logger.warning("the broker is back")
        self.numbers = {"broker": 1, **depths}

    def let_go(self) -> None:
        """Connect anew for the next question."""
        gone, self._connection = self._connection, None
        if gone is not None:
            gone.collect()


def _depth(connection: Connection, queue: str) -> int | None:
    """Messages that wait there; None where nobody has made the queue yet."""
    channel: Any = connection.channel()
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except NotFound:
        return None
    finally:
        channel.close()
