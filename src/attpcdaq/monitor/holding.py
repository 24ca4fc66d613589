"""What one monitor process has of the lease: nothing while it stands by, a term while it writes."""

import logging
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from attpcdaq.live import lease
from attpcdaq.live.beats import host_name
from attpcdaq.live.lease import LeaseLostError, Term
from attpcdaq.live.models import MonitorLease
from attpcdaq.monitor.signs_of_life import SignsOfLife, file_for

logger = logging.getLogger(__name__)
# A monitor that is frozen in the middle of a transaction holds a lock on the lease; the server ends that transaction.
FROZEN_FOR = "3s"
SHORTEN = "SELECT set_config('idle_in_transaction_session_timeout', %s, false)"


class Holding:
    """Used by all threads of the process; `term` is None while it stands by."""

    def __init__(self) -> None:
        self.term: Term | None = None
        self.has_own_beat = False
        """Not while one of this host writes: they share a row. Nor before it is known who does."""
        self._host = host_name()
        self._waits_for: int | None = None
        token = uuid.uuid4().hex
        self._signs: SignsOfLife | None = None
        self._name = f"{os.getpid()}.{token}"
        try:
            self._signs = SignsOfLife(file_for(self._host, connection.settings_dict))
            self._name = self._signs.show(token)
        except OSError as error:
            logger.warning("after this process was killed, the next has to wait 5 s (%s)", error)

    def ask(self) -> bool:
        """Take the lease if it is free; call it once a second while standing by."""
        try:
            writing = MonitorLease.objects.first()
            self.term = lease.take(self._name, self._host, dead=self._dead(writing))
            self.has_own_beat = self.term is not None or writing is None or writing.host != self._host
            if self.term is None and writing is not None:
                self._say_who_writes(writing)
        except Error:
            connection.close()
            raise
        return self.term is not None

    def _dead(self, writing: MonitorLease | None) -> str:
        if self._signs is None or writing is None or writing.holder == self._name:
            return ""
        return writing.holder if self._signs.has_ended(writing.holder) else ""

    def _say_who_writes(self, writing: MonitorLease) -> None:
        if writing.term != self._waits_for:
            logger.info("monitor: standing by: one on %s writes (term %d)", writing.host, writing.term)
            self._waits_for = writing.term

    def lose(self) -> None:
        """Stand by from now on."""
        self.term, self._waits_for, self.has_own_beat = None, None, False

    def give_back(self) -> None:
        """At a clean end: another monitor need not wait."""
        if self.term is not None:
            lease.give_back(self.term)
        self.lose()

    def gated(self, sweep: Callable[[datetime], None]) -> Callable[[datetime], None]:
        """A sweep that is left out while standing by, and writes nothing once the lease is lost."""

        def look(now: datetime) -> None:
            term = self.term
            if term is not None:
                # The loss is noticed, and told, where the lease is renewed.
                with suppress(LeaseLostError), lease.fenced(term):
                    sweep(now)

        return look


def end_frozen_transactions() -> None:
    """Let the server end what a frozen monitor left half-done, so that another can take the lease within 10 s."""
    connection_created.connect(_shorten, dispatch_uid="monitor")


def _shorten(connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(SHORTEN, [FROZEN_FOR])
