"""That each process of the product is at work: one row for each service and host, by the database's clock."""

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from attpcdaq.config.version import VERSION
from attpcdaq.live.models import ServiceBeat

Numbers = Mapping[str, float]
EVERY = 5.0
"""Seconds between the beats of a process."""
KEPT = timedelta(days=1)
CLOCK = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())::float8",
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
}


@dataclass(frozen=True, slots=True)
class Beat:
    """One process as it last said of itself; `age` in seconds by the database's clock, `skew` of its host's clock."""

    service: str
    host: str
    age: float
    skew: float = 0.0
    up_for: float = 0.0
    """Seconds from its start to its last beat."""
    version: str = VERSION
    numbers: Numbers = field(default_factory=dict)


def host_name() -> str:
    """This computer (or container) as the beats name it."""
    return socket.gethostname()[:100]


def beat(
    service: str,
    numbers: Numbers,
    started_at: datetime,
    *,
    host: str = "",
    now: Callable[[], datetime] = timezone.now,
) -> float:
    """Write that `service` is at work on this host, in two queries; returns by how many seconds `now` is ahead.

    The first time rows go of hosts that were not heard of for a day: containers get new names.
    DatabaseError when the database is away, full, not migrated.
    """
    skew = host_skew(now)
    said = {
        "pid": os.getpid(),
        "version": VERSION[:40],
        "started_at": started_at,
        "at": Now(),
        "skew": skew,
        "numbers": dict(numbers),
    }
    mine = ServiceBeat.objects.filter(service=service, host=host or host_name())
    if not mine.update(**said):
        ServiceBeat.objects.update_or_create(service=service, host=host or host_name(), defaults=said)
        ServiceBeat.objects.filter(service=service, at__lt=Now() - KEPT).delete()
    return skew


def host_skew(now: Callable[[], datetime] = timezone.now) -> float:
    """Seconds that this host's clock is surely ahead of the database's: what the question takes is no difference."""
    before = now()
    with connection.cursor() as cursor:
        cursor.execute(CLOCK[connection.vendor])
        theirs = datetime.fromtimestamp(cursor.fetchone()[0], UTC)
    return sorted([(before - theirs).total_seconds(), 0.0, (now() - theirs).total_seconds()])[1]


def read() -> tuple[Beat, ...]:
    """What every process last said, in one query."""
    return tuple(
        Beat(
            service=row.service,
            host=row.host,
            age=(row.read_at - row.at).total_seconds(),
            skew=row.skew,
            up_for=(row.at - row.started_at).total_seconds() + row.skew,
            version=row.version,
            numbers=row.numbers,
        )
        for row in ServiceBeat.objects.annotate(read_at=Now())
    )


def forget(service: str, host: str = "") -> None:
    """A process ended as it should: nobody misses it."""
    ServiceBeat.objects.filter(service=service, host=host or host_name(), pid=os.getpid()).delete()
