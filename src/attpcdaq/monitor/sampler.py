"""Turns readings into samples: one for each router every two seconds while a run is open, else one a minute."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from attpcdaq.gateways.ports import RouterReading
from attpcdaq.live import samples
from attpcdaq.live.models import RouterSample
from attpcdaq.live.store import amount, events_between
from attpcdaq.live.thinning import IDLE_LEVEL
from attpcdaq.monitor.readings import Targets
from attpcdaq.runlog.lifecycle import open_run_id

# It is asked once a second, or a little less often.
EVERY = timedelta(seconds=1.9)
IDLE_EVERY = timedelta(seconds=59.5)


@dataclass(slots=True)
class Meter:
    """What came in since the last sample of a router; its clock may have been set back since."""

    last: RouterReading
    since: datetime
    bytes: int = 0
    events: int = 0

    def add(self, reading: RouterReading) -> None:
        self.bytes += max(amount(reading)[1] - amount(self.last)[1], 0)
        self.events += events_between(self.last.last_event, reading.last_event)
        self.last = reading

    def begin(self, now: datetime) -> None:
        self.since, self.bytes, self.events = now, 0, 0


class Sampler:
    """Fed with every reading that brought something new; used by one thread."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, str]] = {}
        self._meters: dict[int, Meter] = {}
        self._answered: dict[int, datetime] = {}
        self._taken_at: datetime | None = None
        self._run: int | None = None

    def follow(self, targets: Targets) -> None:
        """Sample exactly these routers from now on."""
        self._names = {one.id: (one.query.name, node.address.name) for node in targets.nodes for one in node.routers}
        self._meters = {pk: meter for pk, meter in self._meters.items() if pk in self._names}

    def note(self, router: int, reading: RouterReading, at: datetime) -> None:
        """Take a reading; the same one twice counts once."""
        meter = self._meters.get(router)
        if meter is not None:
            meter.add(reading)
        elif router in self._names:
            self._meters[router] = Meter(reading, at)

    def take(self, alive: Collection[int], now: datetime) -> None:
        """Write samples of the routers that answer if it is time for it.

        Call it about once a second with those that answered since; a node may be read more seldom than that.
        """
        self._answered.update(dict.fromkeys(alive, now))
        if not self._meters:
            return
        run = open_run_id()
        # What came before a run's beginning or end is no part of what comes after.
        if run == self._run and not self._is_due(now):
            return
        first = self._taken_at is None
        here = {pk for pk, at in self._answered.items() if pk in self._meters and abs(now - at) <= EVERY}
        taken = {pk for pk in here if not first and self._meters[pk].since < now}
        samples.write([self._sample(pk, now) for pk in taken])
        if run != self._run:
            # Of who is away nobody knows which run its next bytes are of.
            self._meters = {pk: meter for pk, meter in self._meters.items() if pk in here}
        for pk, meter in self._meters.items():
            if first or pk in taken or meter.since > now:
                meter.begin(now)
        self._taken_at, self._run = now, run

    def _is_due(self, now: datetime) -> bool:
        every = IDLE_EVERY if self._run is None else EVERY
        return self._taken_at is None or abs(now - self._taken_at) >= every

    def _sample(self, router: int, now: datetime) -> RouterSample:
        (name, node), meter = self._names[router], self._meters[router]
        seconds = (now - meter.since).total_seconds()
        files, size = amount(meter.last)
        return RouterSample(
            router=name,
            node=node,
            run_id=self._run,
            at=now,
            seconds=min(max(round(seconds), 1), samples.MOST_SECONDS),
            files=files,
            bytes=size,
            rate=meter.bytes / seconds,
            event=meter.last.last_event,
            event_rate=meter.events / seconds,
            disk_free=meter.last.disk_free,
            level=0 if self._run is not None else IDLE_LEVEL,
        )
