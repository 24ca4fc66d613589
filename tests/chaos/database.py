"""The database of the harness: one SQLite file in memory, with outages and processes that die between statements."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.processes import PROCESS

MEMORY_DISK = Path("/dev/shm")


@dataclass
class Outages:
    """Whether the database answers just now."""

    away: bool = False
    statements: int = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        process = PROCESS.get()
        if process is None:
            return execute(sql, params, many, context)  # this suite's own questions
        self.statements += 1
        process.statement()
        if self.away:
            from django.db import OperationalError

            raise OperationalError("the database is away (by order of the chaos suite)")
        return execute(sql, params, many, context)


@contextmanager
def scratch() -> Iterator[str]:
    """A directory for databases, in memory where there is a disk in memory; it is gone afterwards."""
    place = MEMORY_DISK if MEMORY_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="attpcdaq-chaos-", dir=place) as directory:
        yield directory


def set_environment(directory: str) -> None:
    """What the product's settings need, before they are read: a database of this process alone."""
    mine = tempfile.mkdtemp(dir=directory)
    os.environ["ATTPCDAQ_SECRET_KEY"] = "only for the chaos suite, " * 2
    os.environ["ATTPCDAQ_DATABASE_URL"] = f"sqlite:///{mine}/db.sqlite3"
    os.environ["ATTPCDAQ_BROKER_URL"] = f"filesystem://{mine}/broker"
    os.environ["ATTPCDAQ_LOG_LEVEL"] = "ERROR"
    os.environ["DJANGO_SETTINGS_MODULE"] = "attpcdaq.config.settings"
    # One thread does everything, with the event loop running in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def make_database() -> None:
    """Django set up, and all tables."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
