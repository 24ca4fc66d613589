"""The monitor's writing, all of it in one thread and through live/store."""

import logging
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import Error, IntegrityError, InterfaceError, OperationalError, connection, transaction

from attpcdaq.gateways.ports import RouterReading
from attpcdaq.live import store
from attpcdaq.monitor.readings import Batch, Key, Kind, Reading, Targets
from attpcdaq.monitor.targets import read_targets
from get_protocol.ecc_messages import StateReply

logger = logging.getLogger(__name__)
TIDY_EVERY = timedelta(minutes=1)


class Database:
    """Blocking calls for one worker thread; a lost connection is opened again by the next call."""

    def __init__(self) -> None:
        self._tidied_at: datetime | None = None

    def targets(self) -> Targets:
        """What is to be watched now."""
        try:
            return read_targets()
        except Error:
            connection.close()
            raise

    def write(self, batch: Batch) -> frozenset[Key]:
        """Write in one transaction; returns the readings that changed nothing. Raises when the database is away."""
        try:
            unchanged = _write(batch.readings)
            if batch.alive is not None:
                store.touch(_ids(batch.alive, Kind.ECC), _ids(batch.alive, Kind.ROUTER), batch.at)
                self._tidy(batch.at)
        except Error:
            connection.close()
            raise
        return unchanged

    def _tidy(self, now: datetime) -> None:
        if self._tidied_at is None or abs(now - self._tidied_at) >= TIDY_EVERY:
            self._tidied_at = now
            store.forget_refreshes(now)


def _write(readings: tuple[Reading, ...]) -> frozenset[Key]:
    try:
        with transaction.atomic():
            return frozenset(reading.key for reading in readings if not _record(reading))
    except (OperationalError, InterfaceError):
        raise
    except (IntegrityError, ObjectDoesNotExist):
        return frozenset(reading.key for reading in readings if _alone(reading))


def _alone(reading: Reading) -> bool:
    """Write one reading by itself: something in its batch has left the setup. True if it changed nothing."""
    try:
        return not _record(reading)
    except (IntegrityError, ObjectDoesNotExist):
        logger.info("%s %s is no longer in the setup", reading.key.kind.value, reading.key.id)
        return False


def _record(reading: Reading) -> bool:
    server, outcome = reading.key.id, reading.outcome
    if isinstance(outcome, StateReply):
        return store.record_ecc(server, outcome, reading.at)
    if isinstance(outcome, RouterReading):
        return store.record_router(server, outcome, reading.at, reading.since)
    record = store.record_ecc_problem if reading.key.kind is Kind.ECC else store.record_router_problem
    return record(server, outcome.text, reading.at)


def _ids(keys: tuple[Key, ...], kind: Kind) -> list[int]:
    return [key.id for key in keys if key.kind is kind]
