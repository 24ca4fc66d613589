"""The last minutes kept in memory: only what came since is asked for, for somebody always looks at them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from attpcdaq.live.models import RouterSample
from attpcdaq.live.samples import Point
from attpcdaq.live.thinning import IDLE_LEVEL

# All of it is read again so often, whatever may have happened to the rows meanwhile.
READ_AGAIN = timedelta(minutes=1)
Row = tuple[int, str, str, datetime, int, int, int, float, int | None, float, int | None]


@dataclass(slots=True)
class Step:
    """What a router was seen with in one step of time; as a Point, but sums instead of means."""

    seconds: int = 0
    files: int = 0
    bytes: int = 0
    written: float = 0.0
    event: int | None = None
    events: float = 0.0
    free: int | None = None

    def add(self, row: Row) -> None:
        _, _, _, _, seconds, files, size, rate, event, event_rate, free = row
        self.seconds += seconds
        self.files, self.bytes = max(self.files, files), max(self.bytes, size)
        self.written += rate * seconds
        self.events += event_rate * seconds
        self.event = self.event if event is None else max(event, self.event or 0)
        self.free = self.free if free is None else min(free, free if self.free is None else self.free)


class RecentPoints:
    """Points of the last `kept`, in steps of `step` s; used by one thread at a time."""

    def __init__(self, kept: timedelta, step: int) -> None:
        self._kept = kept
        self._step = step
        self._steps: dict[tuple[str, str, int], Step] = {}
        self._newest = 0
        self._read_at: datetime | None = None

    def read(self, now: datetime) -> list[Point]:
        """What live.samples.points says of the whole steps among them, for a fraction of what that costs."""
        begin = now - self._kept
        if self._read_at is None or abs(now - self._read_at) > READ_AGAIN:
            self._steps, self._newest, self._read_at = {}, 0, now
        young = RouterSample.objects.filter(pk__gt=self._newest, level__lte=IDLE_LEVEL, at__gt=begin, at__lte=now)
        for row in young.order_by().values_list(
            "pk", "router", "node", "at", "seconds", "files", "bytes", "rate", "event", "event_rate", "disk_free"
        ):
            place = (row[1], row[2], int(row[3].timestamp()) // self._step)
            self._steps.setdefault(place, Step()).add(row)
            self._newest = max(self._newest, row[0])
        # A step that began before is not whole.
        before = int(begin.timestamp()) // self._step
        self._steps = {place: step for place, step in self._steps.items() if place[2] > before}
        return [self._point(place, self._steps[place]) for place in sorted(self._steps)]

    def _point(self, place: tuple[str, str, int], step: Step) -> Point:
        return Point(
            router=place[0],
            node=place[1],
            at=datetime.fromtimestamp((place[2] + 1) * self._step, UTC),
            seconds=step.seconds,
            files=step.files,
            bytes=step.bytes,
            rate=step.written / step.seconds,
            event=step.event,
            event_rate=step.events / step.seconds,
            disk_free=step.free,
        )
