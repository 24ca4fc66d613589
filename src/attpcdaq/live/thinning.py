"""Samples are thinned out with age, in steps so small that they delay nobody; averages stay what they were."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Q

from attpcdaq.live.models import RouterSample
from attpcdaq.live.samples import MOST_SECONDS

# Samples of a run are kept for good; those of no run only tell how the disks filled up.
IDLE_KEPT = timedelta(days=30)
IDLE_LEVEL = 2
WIDTHS_AT_A_TIME = 6
DELETED_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class Level:
    """Samples of this level that are older than `age` become one for each `width` seconds."""

    number: int
    age: timedelta
    width: int


LEVELS = (
    Level(0, timedelta(minutes=15), 10),
    Level(1, timedelta(hours=3), 60),
    Level(2, timedelta(days=2), 600),
)


def tidy(now: datetime) -> bool:
    """One small step; whether there was anything to do: then there may be more."""
    thinned = [_thin(level, now) for level in LEVELS]
    return any(thinned) or _forget_idle(now)


def _thin(level: Level, now: datetime) -> bool:
    until = _floor(now - level.age, level.width)
    old = RouterSample.objects.filter(level=level.number, at__lt=until).order_by("at")
    oldest = old.values_list("at", flat=True).first()
    if oldest is None:
        return False
    begin = _floor(oldest, level.width)
    end = min(until, begin + timedelta(seconds=level.width * WIDTHS_AT_A_TIME))
    with transaction.atomic():
        # Locked, so that a second monitor does not thin the same ones.
        rows = list(old.filter(at__gte=begin, at__lt=end).select_for_update())
        RouterSample.objects.filter(pk__in=[row.pk for row in rows]).delete()
        RouterSample.objects.bulk_create(merged(rows, level))
    return True


def merged(samples: Iterable[RouterSample], level: Level) -> list[RouterSample]:
    """One sample for each router, run and step of the level's width."""

    def place(one: RouterSample) -> tuple[str, str, int, datetime]:
        return one.router, one.node, one.run_id or 0, _floor(one.at, level.width)

    ordered = sorted(samples, key=lambda one: (place(one), one.at))
    return [_merge(list(group), level.number + 1) for _, group in groupby(ordered, place)]


def _merge(samples: Sequence[RouterSample], level: int) -> RouterSample:
    """What stands for all of them: rates averaged over the seconds, everything else as it was at the end."""
    last, seconds = samples[-1], sum(one.seconds for one in samples)
    return RouterSample(
        router=last.router,
        node=last.node,
        run_id=last.run_id,
        at=last.at,
        seconds=min(seconds, MOST_SECONDS),
        files=last.files,
        bytes=last.bytes,
        rate=sum(one.rate * one.seconds for one in samples) / seconds,
        event=last.event,
        event_rate=sum(one.event_rate * one.seconds for one in samples) / seconds,
        disk_free=last.disk_free,
        level=level,
    )


def _forget_idle(now: datetime) -> bool:
    old = RouterSample.objects.filter(Q(run_id=None, level__gt=IDLE_LEVEL), at__lt=now - IDLE_KEPT)
    ids = list(old.order_by("at").values_list("pk", flat=True)[:DELETED_AT_A_TIME])
    RouterSample.objects.filter(pk__in=ids).delete()
    return bool(ids)


def _floor(at: datetime, width: int) -> datetime:
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % width, UTC)
