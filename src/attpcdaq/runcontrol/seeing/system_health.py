"""How the DAQ itself is: one reading for page, /health/ready, /metrics and the console. It asks only the database."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from attpcdaq.live import beats, database_troubles, schema
from attpcdaq.live.beats import Beat
from attpcdaq.runcontrol.seeing.certificate import days_left
from attpcdaq.runcontrol.seeing.system_checks import Check, SystemSeen, Wrong, fresh, judge
from attpcdaq.runcontrol.seeing.views import TroubleView
from attpcdaq.runcontrol.troubles.troubles_system import BY_KEY

KEPT_SECONDS = 1.0
SETTLES = 20.0
"""Seconds in which all the processes of a system have come, once the pages are there."""
COMING = frozenset({"broker", "worker control", "worker files", "monitor", "events", "web"})


class SystemHealth:
    """Reads and judges; what was read stands for KEPT_SECONDS for the whole process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: SystemSeen | None = None
        self._at = 0.0

    def seen(self, now: datetime | None = None) -> SystemSeen:
        """What is known, in one query, or two where the tables are looked at again; never raises for the database."""
        if connection.in_atomic_block:
            return _unwritable(read(now or timezone.now()))  # what this transaction wrote is nobody else's yet
        with self._lock:
            at = self._monotonic()
            if self._seen is None or at - self._at >= KEPT_SECONDS:
                self._seen, self._at = read(now or timezone.now()), at
            return _unwritable(self._seen)

    def checks(self) -> tuple[Check, ...]:
        return judge(self.seen())


HEALTH = SystemHealth()


def read(now: datetime) -> SystemSeen:
    """As it is at `now`, which only tells the age of the certificate."""
    days, problem = days_left(settings.TLS_CERT, now)
    wrong, readable, problem_of_schema = None, True, ""
    found: tuple[Beat, ...] = ()
    try:
        problem_of_schema = schema.WATCH.problem()
        found = () if problem_of_schema else beats.read()
    except Error as error:
        readable = False
        trouble = database_troubles.note(error)
        wrong = Wrong(trouble.key, trouble.text)
        if not connection.in_atomic_block:
            connection.close()
    return SystemSeen(found, wrong, readable, problem_of_schema, days, problem)


def _unwritable(seen: SystemSeen) -> SystemSeen:
    """What was met since, when something was to be written: a database that cannot be written can still be read."""
    met = database_troubles.standing()
    return seen if met is None or seen.database else replace(seen, database=Wrong(met.key, met.text))


def notices(seen: SystemSeen) -> tuple[tuple[TroubleView, str], ...]:
    """What stands on the page: a trouble and its details, each once. Nothing while a system is coming up.

    A database in which no process ever said that it is at work belongs to no running system.
    """
    if not seen.beats and seen.readable and seen.database is None:
        return ()
    wrong: dict[str, list[Check]] = {}
    kept_back = _not_to_be_told(seen)
    for check in judge(seen):
        if check.level != "ok" and check.name not in kept_back:
            wrong.setdefault(check.key, []).append(check)
    return tuple(
        (view_of(same[0]), "; ".join(f"{check.name}: {check.text}" for check in same)) for same in wrong.values()
    )


def _not_to_be_told(seen: SystemSeen) -> frozenset[str]:
    """Checks of which nothing is known while the database is away (that is said), or whose processes are coming."""
    if not seen.readable:
        return COMING | {"migrations"}
    up_for = max((beat.up_for for beat in fresh(seen.beats, "web")), default=SETTLES)
    return COMING if up_for < SETTLES else frozenset()


def view_of(check: Check) -> TroubleView:
    """A check as a trouble of the page."""
    one = BY_KEY[check.key]
    return TroubleView(one.key, one.title, one.meaning, one.todo, one.anchor, "bad" if check.hinders else "warn")
