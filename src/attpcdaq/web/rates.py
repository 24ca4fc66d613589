"""Rates and disks over time: samples to plots and a table of the same numbers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from attpcdaq.live.models import RouterSample
from attpcdaq.live.samples import Point, points
from attpcdaq.runlog.models import Run
from attpcdaq.web.plots import Axis, Curve, Value, ceiling, plot, small
from attpcdaq.web.rates_recent import RecentPoints
from attpcdaq.web.templatetags.daq_tags import human_bytes, human_rate, per_second

RECENT = timedelta(minutes=10)
RECENT_STEP = 10
# A plot of a whole run has at most so many steps.
MOST_STEPS = 180
# Without a run a sample comes once a minute: what was seen longer before the end says nothing of it.
TOO_OLD = 90.0
STEPS = (2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class RouterLine:
    """What one router wrote: bytes, bytes/s and events/s; `now` is None where it was not seen in the last step."""

    name: str
    node: str
    now: float | None
    mean: float
    highest: float
    written: float
    events: float
    free: int | None
    plot: SafeString


@dataclass(frozen=True, slots=True)
class Rates:
    """Plots of some time, and its numbers by router; `highest` and `now` are of all routers together.

    `now`, `events_now` and `least_free` are of the last step; None when nobody was seen for long before the end.
    """

    begin: datetime
    end: datetime
    step: int
    now: float | None
    highest: float
    written: float
    events_now: float | None
    least_free: Point | None
    rate: SafeString
    events: SafeString
    disks: SafeString
    routers: tuple[RouterLine, ...]


def recent(now: datetime, kept: RecentPoints) -> Rates | None:
    """The last ten minutes; None when nothing was seen in them."""
    return rates(kept.read(now), Axis((now - RECENT).timestamp(), now.timestamp(), RECENT_STEP))


def of_run(run: Run, now: datetime) -> Rates | None:
    """A whole run as far as it has come; None where nothing was seen of it."""
    seen = of_run_samples(run)
    begin = run.started_at or run.requested_at
    end = run.closed_at or run.stopped_at or now
    step = step_for((end - begin).total_seconds())
    return rates(points(seen, step), Axis(begin.timestamp(), max(end, begin).timestamp(), step))


def of_run_samples(run: Run) -> "QuerySet[RouterSample]":
    return RouterSample.objects.filter(run_id=run.pk)


def step_for(seconds: float) -> int:
    """Seconds between two values of a plot of so many seconds."""
    return next((step for step in STEPS if seconds / step <= MOST_STEPS), STEPS[-1])


def rates(seen: Sequence[Point], axis: Axis) -> Rates | None:
    """The plots of these points, which are in the order of their routers and times; None without any."""
    if not seen:
        return None
    by_router: dict[tuple[str, str], list[Point]] = {}
    for point in seen:
        by_router.setdefault((point.router, point.node), []).append(point)
    last = max(point.at for point in seen)
    total = _steps(seen, lambda found: sum(point.rate for point in found))
    events = _steps(seen, lambda found: max(point.event_rate for point in found))
    current = [point for point in seen if point.at == last and axis.end - last.timestamp() <= TOO_OLD]
    known = [point for point in seen if point.disk_free is not None]
    top = ceiling(max(point.rate for point in seen))
    return Rates(
        begin=datetime.fromtimestamp(axis.begin, last.tzinfo),
        end=datetime.fromtimestamp(axis.end, last.tzinfo),
        step=int(axis.step),
        now=total[-1][1] if current else None,
        highest=max(value for _, value, _ in total),
        written=sum(point.rate * point.seconds for point in seen),
        events_now=events[-1][1] if current else None,
        least_free=min((one for one in known if one in current), key=lambda one: one.disk_free or 0, default=None),
        rate=plot("Bytes per second of all data routers", [Curve(total)], axis, human_rate),
        events=plot("Events per second", [Curve(events)], axis, per_second),
        disks=plot("Bytes free, for each data router's disk", _disk_curves(known), axis, human_bytes),
        routers=tuple(_line(found, axis, top, found[-1] in current) for found in by_router.values()),
    )


def _steps(seen: Iterable[Point], value: Callable[[list[Point]], float]) -> list[Value]:
    """What all routers come to in each step."""
    steps: dict[datetime, list[Point]] = {}
    for point in seen:
        steps.setdefault(point.at, []).append(point)
    return [(at.timestamp(), value(found), max(p.seconds for p in found)) for at, found in sorted(steps.items())]


def _disk_curves(known: Iterable[Point]) -> list[Curve]:
    """One for each node, all but the one with the least free space faint."""
    nodes: dict[str, dict[datetime, Value]] = {}
    for point in known:
        free = float(point.disk_free or 0)
        here = nodes.setdefault(point.node, {})
        before = here.get(point.at)
        here[point.at] = (point.at.timestamp(), min(free, before[1]) if before else free, point.seconds)
    curves = sorted((sorted(found.values()) for found in nodes.values()), key=lambda values: -values[-1][1])
    return [Curve(values, faint=number + 1 < len(curves)) for number, values in enumerate(curves)]


def _line(found: Sequence[Point], axis: Axis, top: float, seen_last: bool) -> RouterLine:
    last = found[-1]
    seconds = sum(point.seconds for point in found)
    written = sum(point.rate * point.seconds for point in found)
    values = [(point.at.timestamp(), point.rate, float(point.seconds)) for point in found]
    return RouterLine(
        name=last.router,
        node=last.node,
        now=last.rate if seen_last else None,
        mean=written / seconds,
        highest=max(point.rate for point in found),
        written=written,
        events=sum(point.event_rate * point.seconds for point in found) / seconds,
        free=last.disk_free,
        plot=small(f"Bytes per second of {last.router}", values, axis, top),
    )
