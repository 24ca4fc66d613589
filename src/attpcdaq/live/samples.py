"""What data routers were seen with over time: samples in, averages over equal steps of time out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, F, FloatField, Func, IntegerField, Max, Min, QuerySet, Sum
from django.db.models.functions import Floor
from django.db.models.sql.compiler import SQLCompiler

from attpcdaq.live.models import RouterSample

# Seconds of PositiveSmallIntegerField.
MOST_SECONDS = 32767


@dataclass(frozen=True, slots=True)
class Point:
    """What a router was seen with in one step of time, which ends at `at`.

    Rates are averages over the seconds that were seen (bytes/s, events/s); files, bytes and event are the highest,
    `disk_free` is the least.
    """

    router: str
    node: str
    at: datetime
    seconds: int
    files: int
    bytes: int
    rate: float
    event: int | None
    event_rate: float
    disk_free: int | None


def write(samples: Iterable[RouterSample]) -> None:
    """Put new samples down, all of them at once."""
    RouterSample.objects.bulk_create(samples)


def points(samples: "QuerySet[RouterSample]", step: int) -> list[Point]:
    """The samples averaged over steps of `step` s (of the epoch), by router and time; empty steps are left out."""
    weight = Sum("seconds", output_field=FloatField())
    rows = (
        samples.order_by()
        .annotate(step=Floor(_Epoch("at") / float(step), output_field=IntegerField()))
        .values("router", "node", "step")
        .annotate(
            seen=Sum("seconds"),
            most_files=Max("files"),
            most_bytes=Max("bytes"),
            mean_rate=_weighted("rate") / weight,
            last_event=Max("event"),
            mean_events=_weighted("event_rate") / weight,
            least_free=Min("disk_free"),
        )
        .order_by("router", "node", "step")
    )
    return [_point(dict(row), step) for row in rows]


def _point(row: dict[str, Any], step: int) -> Point:
    return Point(
        router=row["router"],
        node=row["node"],
        at=datetime.fromtimestamp((row["step"] + 1) * step, UTC),
        seconds=row["seen"],
        files=row["most_files"],
        bytes=row["most_bytes"],
        rate=row["mean_rate"],
        event=row["last_event"],
        event_rate=row["mean_events"],
        disk_free=row["least_free"],
    )


def _weighted(name: str) -> Aggregate:
    return Sum(F(name) * F("seconds"), output_field=FloatField())


class _Epoch(Func):
    """Seconds since 1970."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)"
    output_field = FloatField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra_context: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)")
