"""Which monitor may write: one row, taken by the database's clock, proved in every transaction that writes (ADR 33)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from attpcdaq.live.models import MonitorLease

ROW = 1
VALID_FOR = timedelta(seconds=5)
# Nobody who renews by the clock as it is now has it for so long: that clock was set back since.
SURELY_NOT_FOR = 2 * VALID_FOR
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PROOF = "SELECT 1 FROM live_monitorlease WHERE id = %s AND term = %s AND holder = %s"
# Whoever takes the lease waits for this lock, so what was proved stays true until the transaction has ended. SQLite
# lets only one transaction write anyway, from its beginning.
LOCK = {"postgresql": " FOR SHARE"}
WRITES = ("INSERT", "UPDATE", "DELETE")
LOCKS = (" FOR UPDATE", " FOR NO KEY UPDATE")


class LeaseLostError(Exception):
    """Another monitor writes now: write nothing more."""


@dataclass(frozen=True, slots=True)
class Term:
    """One hold on the lease, from when it was taken until somebody else takes it."""

    number: int
    holder: str

    def proved(self) -> None:
        """Stands among what a transaction does when it commits; a savepoint that goes back takes it along."""


def take(holder: str, host: str, dead: str = "", now: datetime | None = None) -> Term | None:
    """The lease for a process that names itself `holder`; None while somebody else has it.

    It is free 5 s after it was renewed last (by the database's clock, or at `now`), at once when it was given back, and
    when `dead` has it: a holder that is proved to have ended. If that clock was set back, nobody waits until it is
    again what it was.
    """
    moment = now or Now()
    over = Q(until__lt=moment) | Q(until__gt=moment + SURELY_NOT_FOR)
    free = MonitorLease.objects.filter(Q(holder__in={"", holder, dead}) | over, pk=ROW)

    def asked() -> int:
        return free.update(holder=holder, host=host[:100], term=F("term") + 1, until=moment + VALID_FOR)

    if not asked() and not (_made() and asked()):
        return None
    number = MonitorLease.objects.filter(pk=ROW, holder=holder).values_list("term", flat=True).first()
    return None if number is None else Term(number, holder)


def _made() -> bool:
    return MonitorLease.objects.get_or_create(pk=ROW, defaults={"until": LONG_AGO})[1]


@transaction.atomic
def renew(term: Term, at: datetime, now: datetime | None = None) -> None:
    """Keep the lease for 5 s more; `at` is the holder's own time, that of what it wrote. LeaseLostError."""
    moment = now or Now()
    transaction.on_commit(term.proved)
    if not _held(term).update(at=at, until=moment + VALID_FOR):
        raise LeaseLostError(term)


def give_back(term: Term) -> bool:
    """Let somebody else have it at once; False when somebody has it already."""
    return bool(_held(term).update(holder=""))


def _held(term: Term) -> QuerySet[MonitorLease]:
    return MonitorLease.objects.filter(pk=ROW, term=term.number, holder=term.holder)


def written_at() -> datetime | None:
    """When the monitor last wrote what it saw, by the monitor's clock; None when it never did."""
    return MonitorLease.objects.values_list("at", flat=True).first()


@contextmanager
def fenced(term: Term) -> Iterator[None]:
    """On this thread's connection every transaction proves, before it first writes or locks, that the lease is ours.

    Nobody can take the lease before that transaction has ended. LeaseLostError from the statement that would write.
    """

    def prove_first(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not _changes(sql) or _is_proved(term):
            return execute(sql, params, many, context)
        if connection.in_atomic_block:
            _prove(term)
            return execute(sql, params, many, context)
        # SQLite cannot commit before the answer of an INSERT is fetched: rows are added in a transaction of the caller.
        with transaction.atomic():
            _prove(term)
            return execute(sql, params, many, context)

    with connection.execute_wrapper(prove_first):
        yield


def _changes(sql: str) -> bool:
    return sql.startswith(WRITES) or any(lock in sql for lock in LOCKS)


def _is_proved(term: Term) -> bool:
    return any(entry[1] == term.proved for entry in connection.run_on_commit)


def _prove(term: Term) -> None:
    with connection.cursor() as cursor:
        cursor.execute(PROOF + LOCK.get(connection.vendor, ""), [ROW, term.number, term.holder])
        if cursor.fetchone() is None:
            raise LeaseLostError(term)
    transaction.on_commit(term.proved)
