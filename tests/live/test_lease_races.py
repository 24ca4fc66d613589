"""The lease, tested by racing: contenders, and a holder that stands still in the middle of a transaction."""

import random
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from attpcdaq.live import lease, store
from attpcdaq.live.lease import LeaseLostError, Term
from attpcdaq.live.models import Event, MonitorLease
from tests.racing import race, race_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TURNS = 40
LONGEST_PAUSE = 0.02
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
    """Four contenders take it from each other, each writing until it hears that it lost."""
    turns, turn, over = iter(range(1, TURNS + 1)), threading.Lock(), threading.Event()

    def moment() -> datetime | None:
        with turn:
            number = next(turns, None)
        return None if number is None else datetime(2026, 11, 23, 12, number, tzinfo=UTC)

    def write(term: Term, chance: random.Random) -> int:
        written = 0
        with suppress(LeaseLostError), lease.fenced(term):
            while not over.is_set():
                with transaction.atomic():
                    store.add_event("ecc", at=NOON, subject=term.holder)
                    store.add_event("ecc", at=NOON, subject=term.holder, text=str(seen_term()))
                written += 1
                time.sleep(chance.random() * LONGEST_PAUSE)
        return written

    def contend() -> int:
        written, name = 0, str(threading.get_ident())
        while (now := moment()) is not None:
            term = ask(name, now)
            written += write(term, random.Random(now.minute)) if term is not None else 0
            # Who lost it leaves the others a moment, or they would only take it from each other and never write.
            time.sleep(random.Random(now.minute).random() * 5 * LONGEST_PAUSE)
        over.set()
        return written

    assert ask("nobody", datetime(2026, 11, 23, 11, 0, tzinfo=UTC))
    written = sum(int(str(result)) for result in race(4, contend))
    rows = Event.objects.exclude(text="").order_by("pk").values_list("subject", "text")
    writers = {term: {subject for subject, seen in rows if seen == term} for _, term in rows}
    assert all(len(names) == 1 for names in writers.values()), writers
    assert len(set.union(*writers.values())) > 1, "nobody took it from anybody"
    assert [int(term) for _, term in rows] == sorted(int(term) for _, term in rows)
    assert Event.objects.filter(text="").count() == len(rows) == written


def seen_term() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT term FROM live_monitorlease")
        found: int = cursor.fetchone()[0]
    return found
