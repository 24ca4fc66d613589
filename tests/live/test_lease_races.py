"""The lease, tested by racing: contenders, and a holder that stands still in the middle of a transaction."""

import threading
import time
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from attpcdaq.live import lease, store
from attpcdaq.live.lease import LeaseLostError, Term
from attpcdaq.live.models import Event, MonitorLease
from tests.racing import race, race_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 12, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def ask(name: str, now: datetime) -> Term | None:
    return lease.take(name, "daq", now=now)


def contenders(now: datetime) -> list[Term]:
    """Who had it of eight that asked at once."""
    results = race_of(*[lambda number=number: ask(f"monitor {number}", now) for number in range(8)])
    assert not [result for result in results if isinstance(result, Exception)], results
    return [result for result in results if isinstance(result, Term)]


def test_of_many_who_ask_one_has_it() -> None:
    for turn in range(1, 11):
        (term,) = contenders(datetime(2026, 11, 23, 12, turn, tzinfo=UTC))
        row = MonitorLease.objects.get()
        assert (row.term, row.holder) == (term.number, term.holder)


def test_it_cannot_be_taken_from_a_transaction_that_has_proved_it() -> None:
    first = ask("first", NOON)
    assert first is not None
    proved, taken = threading.Event(), threading.Event()
    ended: dict[str, float] = {}

    def write() -> None:
        with lease.fenced(first), transaction.atomic():
            store.add_event("ecc", "the first", at=NOON)
            proved.set()
            assert not taken.wait(0.5), "nobody can take it before this transaction has ended"
            store.add_event("ecc", "the second", at=NOON)
            ended["write"] = time.monotonic()

    def take() -> Term | None:
        assert proved.wait(10)
        term = ask("second", LATER)
        taken.set()
        ended["take"] = time.monotonic()
        return term

    assert race_of(write, take) == [None, Term(2, "second")]
    assert ended["write"] < ended["take"]
    assert Event.objects.count() == 2
    with pytest.raises(LeaseLostError), lease.fenced(first):
        store.add_event("ecc", "the third", at=NOON)
    assert Event.objects.count() == 2


def test_every_row_was_written_by_who_had_the_lease_then() -> None:
    """Four contenders who take it from each other as fast as they can, each writing until it hears that it lost."""
    moments = iter(range(1, 10_000))
    turn = threading.Lock()

    def contend() -> int:
        name, written = str(threading.get_ident()), 0
        deadline = time.monotonic() + 3.0
        while time.monotonic() < deadline:
            with turn:
                now = datetime.fromtimestamp(1_800_000_000 + 10 * next(moments), UTC)
            term = ask(name, now)
            while term is not None and time.monotonic() < deadline:
                try:
                    with lease.fenced(term), transaction.atomic():
                        store.add_event("ecc", at=NOON, subject=name)
                        store.add_event("ecc", at=NOON, subject=name, text=str(seen_term()))
                        written += 1
                except LeaseLostError:
                    term = None
        return written

    results = race(4, contend)
    assert sum(1 for result in results if isinstance(result, int) and result) >= 2, results
    by_term: dict[str, set[str]] = {}
    for subject, term in Event.objects.exclude(text="").order_by("pk").values_list("subject", "text"):
        by_term.setdefault(term, set()).add(subject)
    assert all(len(writers) == 1 for writers in by_term.values()), by_term
    assert len(by_term) > 3, "nobody took it from anybody"
    assert (
        Event.objects.filter(text="").count()
        == Event.objects.exclude(text="").count()
        == sum(map(int, map(str, results)))
    )


def seen_term() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT term FROM live_monitorlease")
        found: int = cursor.fetchone()[0]
    return found
