"""The broker: kombu's publishing ends here, and this suite decides when a message arrives, how often, or never."""

import asyncio
import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kombu.exceptions import OperationalError
from kombu.transport import memory

from tests.chaos.processes import outside_all

TASKS = "attpcdaq.runcontrol.tasks."


@dataclass(frozen=True, slots=True)
class Message:
    """A task's short name and its arguments."""

    task: str
    args: tuple[Any, ...]

    @property
    def queue(self) -> str:
        """As the product routes it."""
        from attpcdaq.config.celery import CONTROL, app

        return str(app.conf.task_routes.get(TASKS + self.task, {}).get("queue", CONTROL))


@dataclass
class Broker:
    """Messages on their way. `deliver` takes one to the workers, False when none is there."""

    random: random.Random
    deliver: Callable[[Message], bool]
    stopped: bool = False
    stalled: bool = False
    losing: float = 0.0
    doubling: float = 0.0
    delay: float = 0.0
    published: int = 0
    _fresh: list[Message] = field(default_factory=list)
    _waiting: list[Message] = field(default_factory=list)

    def take(self, message: Message) -> None:
        """Called in the publishing thread; raises as kombu does when the broker is away."""
        self.published += 1
        if self.stopped:
            raise OperationalError("connection refused (by order of the chaos suite)")
        self._fresh.append(message)

    def collect(self) -> None:
        """Called by the loop: send what was published on its way."""
        fresh, self._fresh = self._fresh, []
        for message in fresh:
            if self.random.random() < self.losing:
                continue
            for _ in range(2 if self.random.random() < self.doubling else 1):
                self.post(message)

    def post(self, message: Message) -> None:
        """On its way; also for what a worker that died had not finished."""

        async def travel() -> None:
            await asyncio.sleep(self.random.uniform(0.001, 0.02) + self.random.uniform(0, self.delay))
            if self.stopped or self.stalled or not self.deliver(message):
                self._waiting.append(message)

        outside_all(travel, "message")

    def restart(self, *, forgets: bool) -> None:
        """It is back; quorum queues keep their messages, a broken disk does not."""
        self.stopped = self.stalled = False
        waiting, self._waiting = self._waiting, []
        for message in [] if forgets else waiting:
            self.post(message)

    def worker_came(self) -> None:
        """Whatever could not be delivered is tried again."""
        if not (self.stopped or self.stalled):
            self.restart(forgets=False)


current: list[Broker] = []


class Channel(memory.Channel):
    """Hands every message to the broker of this suite."""

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        task = message["headers"]["task"].rpartition(".")[2]
        args = json.loads(base64.b64decode(message["body"]))[0]
        current[-1].take(Message(task, tuple(args)))


class Transport(memory.Transport):
    """Kombu in memory with these channels."""

    Channel = Channel


def connect_celery() -> None:
    """Let the product's Celery application publish into this broker."""
    from attpcdaq.config.celery import app

    app.conf.update(broker_url="memory://", broker_transport="tests.chaos.broker:Transport")
