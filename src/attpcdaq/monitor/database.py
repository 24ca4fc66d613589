"""The monitor's writing, all of it in one thread, through live/store, and only while the lease is ours."""

import logging
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import Error, IntegrityError, InterfaceError, OperationalError, connection, transaction

from attpcdaq.gateways.ports import NodeClock, RouterReading
from attpcdaq.live import clocks, store, thinning
from attpcdaq.live.lease import Term, fenced
from attpcdaq.monitor.readings import Batch, Key, Kind, Reading, Targets
from attpcdaq.monitor.sampler import Sampler
from attpcdaq.monitor.targets import TargetReader
from attpcdaq.runcontrol.asking.preferences import preferences
from get_protocol.ecc_messages import StateReply

logger = logging.getLogger(__name__)
TIDY_EVERY = timedelta(minutes=1)
# Where there is nothing to thin out it is not asked again at once.
THIN_EVERY = timedelta(seconds=10)


RECORD_PROBLEM = {
    Kind.ECC: store.record_ecc_problem,
    Kind.ROUTER: store.record_router_problem,
    Kind.NODE: clocks.record_clock_problem,
}


class Database:
    """Blocking calls of one term for one worker thread; a lost connection is opened again by the next call."""

    def __init__(self, term: Term) -> None:
        self._term = term
        self._tidied_at: datetime | None = None
        self._thin_at: datetime | None = None
        self._sampler = Sampler()
        self._targets = TargetReader()
        self._min_free = 0

    def targets(self) -> Targets:
        """What is to be watched now."""
        try:
            targets = self._targets.read()
            self._min_free = preferences().min_free
        except Error:
            connection.close()
            raise
        self._sampler.follow(targets)
        return targets

    def write(self, batch: Batch) -> frozenset[Key]:
        """Write in one transaction; returns the readings that changed nothing. Raises when the database is away.

        LeaseLostError when another monitor writes.
        """
        for reading in batch.readings:
            if isinstance(reading.outcome, RouterReading):
                self._sampler.note(reading.key.id, reading.outcome, reading.at)
        try:
            with fenced(self._term):
                unchanged = _write(batch.readings, self._min_free)
                if batch.alive is not None:
                    self._say_alive(batch.alive, batch.at)
        except Error:
            connection.close()
            raise
        return unchanged

    def _say_alive(self, alive: tuple[Key, ...], now: datetime) -> None:
        routers = _ids(alive, Kind.ROUTER)
        store.touch(_ids(alive, Kind.ECC), routers, now, self._term)
        self._sampler.take(routers, now)
        self._tidy(now)

    def _tidy(self, now: datetime) -> None:
        if self._tidied_at is None or abs(now - self._tidied_at) >= TIDY_EVERY:
            self._tidied_at = now
            store.forget_refreshes(now)
        if self._thin_at is None or abs(now - self._thin_at) >= THIN_EVERY:
            self._thin_at = None if thinning.tidy(now) else now


def _write(readings: tuple[Reading, ...], min_free: int) -> frozenset[Key]:
    if not readings:
        return frozenset()
    try:
        with transaction.atomic():
            return frozenset(reading.key for reading in readings if not _record(reading, min_free))
    except (OperationalError, InterfaceError):
        raise
    except (IntegrityError, ObjectDoesNotExist):
        return frozenset(reading.key for reading in readings if _alone(reading, min_free))


def _alone(reading: Reading, min_free: int) -> bool:
    """Write one reading by itself: something in its batch has left the setup. True if it changed nothing."""
    try:
        return not _record(reading, min_free)
    except (IntegrityError, ObjectDoesNotExist):
        logger.info("%s %s is no longer in the setup", reading.key.kind.value, reading.key.id)
        return False


def _record(reading: Reading, min_free: int) -> bool:
    server, outcome = reading.key.id, reading.outcome
    if isinstance(outcome, StateReply):
        return store.record_ecc(server, outcome, reading.at)
    if isinstance(outcome, RouterReading):
        return store.record_router(server, outcome, reading.at, reading.since, min_free)
    if isinstance(outcome, NodeClock):
        return clocks.record_clock(server, outcome, reading.at)
    record = RECORD_PROBLEM[reading.key.kind]
    return record(server, outcome.text, reading.at)


def _ids(keys: tuple[Key, ...], kind: Kind) -> list[int]:
    return [key.id for key in keys if key.kind is kind]
