"""The parts of a production system as things that can be killed, sent away for a while, and come back."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.production import Production, running_production
from tests.e2e.system import System
from tests.services.postgresql import SURVIVING, PostgreSQL, running_postgresql
from tests.services.processes import Process, listens
from tests.services.rabbitmq import RabbitMQ, running_rabbitmq

KINDS = ("web", "worker", "monitor", "broker", "database")
BACK_WITHIN = 60.0


@dataclass(frozen=True)
class Part:
    """Processes that live and die together; it is there once it `answers`."""

    name: str
    processes: tuple[Process, ...]
    answers: Callable[[], bool]

    def kill(self) -> None:
        for process in self.processes:
            process.kill()

    def start(self) -> None:
        """Begin to start it again, as a restart policy does."""
        for process in self.processes:
            process.start()

    def start_what_ended(self) -> None:
        """What came up while another part was away may have given up: a restart policy starts it again."""
        for process in self.processes:
            if process.exit_status() is not None:
                process.start()

    def last_words(self) -> str:
        return "\n".join(f"{self.name}: {process.last_words()}" for process in self.processes)

    def freeze(self) -> None:
        for process in self.processes:
            process.freeze()

    def thaw(self) -> None:
        for process in self.processes:
            process.thaw()

    def wait_until_back(self) -> float:
        """Return when it is there; seconds on our clock when that was."""
        self.processes[0].wait_until(self.answers, BACK_WITHIN)
        return time.monotonic()

    def restart(self) -> float:
        self.start()
        return self.wait_until_back()


@dataclass(frozen=True)
class Real:
    """A production system and its parts; `database_url` is for checkers who read the run log by themselves."""

    system: System
    parts: dict[str, Part]
    password: str
    database_url: str
    directory: Path


def parts_of(production: Production, postgresql: PostgreSQL, rabbitmq: RabbitMQ) -> dict[str, Part]:
    """By kind; a worker is there when it says so, and so is the monitor; the others when they accept connections."""
    running = production.processes
    ports = [int(address.rsplit(":", 1)[1]) for address in production.addresses.values()]
    web, monitor = (running["web"], running["events"]), running["monitor"]
    workers = (running["celery"], running["celery-files"])
    all_of = (
        Part("web", web, lambda: all(map(listens, ports))),
        Part("worker", workers, lambda: all(worker.says(" ready.") for worker in workers)),
        Part("monitor", (monitor,), lambda: monitor.says("monitor: reading")),
        Part("broker", (rabbitmq.process,), rabbitmq.answers),
        Part("database", (postgresql.process,), postgresql.answers),
    )
    return {part.name: part for part in all_of}


@contextmanager
def running_real(
    directory: Path,
    way: Callable[[str, int], int] = lambda kind, port: port,
    **more: Any,
) -> Iterator[Real]:
    """A production system with database and broker of its own, reached by the `way` that is made to their ports."""
    with running_postgresql(SURVIVING) as postgresql, running_rabbitmq() as rabbitmq:
        url = postgresql.create_database(f"chaos{uuid.uuid4().hex}")
        led = url.replace(f":{postgresql.port}/", f":{way('database', postgresql.port)}/")
        broker = rabbitmq.url().replace(f":{rabbitmq.port}/", f":{way('broker', rabbitmq.port)}/")
        with running_production(directory, led, broker, **more) as production:
            parts = parts_of(production, postgresql, rabbitmq)
            yield Real(production.system, parts, production.password, url, directory)
