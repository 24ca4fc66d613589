"""Which monitor may write: taking, keeping and giving back, and the proof in every transaction."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from attpcdaq.live import lease, store
from attpcdaq.live.lease import LeaseLostError, Term
from attpcdaq.live.models import Event, MonitorLease
from attpcdaq.topology.models import Node

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def taken(holder: str = "one", seconds: float = 0.0) -> Term:
    term = lease.take(holder, "daq1", now=after(seconds))
    assert term is not None
    return term


class TestTaking:
    def test_the_first_who_asks_has_it(self) -> None:
        assert taken() == Term(1, "one")
        row = MonitorLease.objects.get()
        assert (row.holder, row.host, row.until, row.at) == ("one", "daq1", after(5), None)

    def test_it_is_free_five_seconds_after_it_was_renewed(self) -> None:
        term = taken()
        lease.renew(term, NOON, now=after(3))
        assert lease.take("two", "daq2", now=after(8)) is None
        assert lease.take("two", "daq2", now=after(8.001)) == Term(2, "two")
        assert MonitorLease.objects.get().host == "daq2"

    def test_given_back_it_is_free_at_once(self) -> None:
        assert lease.give_back(taken())
        assert lease.take("two", "daq2", now=NOON) == Term(2, "two")

    def test_who_lost_it_gives_nothing_back(self) -> None:
        first = taken()
        taken("two", 6)
        assert not lease.give_back(first)
        assert MonitorLease.objects.get().holder == "two"

    def test_from_one_that_is_proved_dead_it_is_taken_at_once(self) -> None:
        taken()
        assert lease.take("two", "daq1", dead="another", now=after(1)) is None
        assert lease.take("two", "daq1", dead="one", now=after(1)) == Term(2, "two")

    def test_one_who_did_not_hear_the_answer_asks_again(self) -> None:
        taken()
        assert lease.take("one", "daq1", now=after(1)) == Term(2, "one")

    def test_by_the_databases_clock_it_is_good_for_five_seconds(self) -> None:
        assert lease.take("one", "daq1") is not None
        assert lease.take("two", "daq2") is None
        with connection.cursor() as cursor:
            now = {"sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", "postgresql": "SELECT clock_timestamp()"}
            cursor.execute(now[connection.vendor])
            (said,) = cursor.fetchone()
        at = datetime.fromisoformat(said).replace(tzinfo=UTC) if isinstance(said, str) else said
        assert timedelta(seconds=3) < MonitorLease.objects.get().until - at <= timedelta(seconds=5)
        MonitorLease.objects.update(until=at - timedelta(seconds=1))
        assert lease.take("two", "daq2") == Term(2, "two")

    def test_a_clock_that_was_set_back_locks_nobody_out(self) -> None:
        """The computer of the database crashed with all on it, and came up with an older time."""
        taken(seconds=3600)
        assert lease.take("two", "daq2", now=NOON) == Term(2, "two")
        assert lease.take("three", "daq2", now=after(-5)) is None  # set back by little: free 5 s after what it was
        assert lease.take("three", "daq2", now=after(5.001)) == Term(3, "three")

    def test_a_clock_that_was_set_back_by_the_databases_clock(self) -> None:
        assert lease.take("one", "daq1") is not None
        MonitorLease.objects.update(until=F("until") + timedelta(minutes=1))
        assert lease.take("two", "daq2") == Term(2, "two")


class TestKeeping:
    def test_expired_but_not_taken_it_is_kept(self) -> None:
        """The database was away: whoever comes first after that has it."""
        term = taken()
        lease.renew(term, after(60), now=after(60))
        assert MonitorLease.objects.get().until == after(65)
        assert lease.written_at() == after(60)

    def test_taken_by_another_it_is_lost(self) -> None:
        first = taken()
        second = taken("two", 6)
        with pytest.raises(LeaseLostError):
            lease.renew(first, after(7), now=after(7))
        lease.renew(second, after(7), now=after(7))

    def test_a_former_term_of_the_same_monitor_is_over_too(self) -> None:
        first = taken()
        taken("two", 6)
        taken("one", 12)
        with pytest.raises(LeaseLostError), lease.fenced(first):
            store.add_event("ecc", at=NOON)


class TestFence:
    def test_who_has_the_lease_writes(self) -> None:
        with lease.fenced(taken()):
            store.add_event("ecc", at=NOON)
        assert Event.objects.count() == 1

    def test_who_lost_it_writes_nothing(self) -> None:
        first = taken()
        taken("two", 6)
        with pytest.raises(LeaseLostError), transaction.atomic(), lease.fenced(first):
            store.add_event("ecc", at=NOON)
        node = Node.objects.create(name="node0", host="daq1")
        for write in (
            lambda: Node.objects.update(host="x"),
            node.delete,
            lambda: Node.objects.bulk_create([Node(name="x", host="x")]),
            lambda: lease.give_back(Term(2, "two")),
        ):
            with pytest.raises(LeaseLostError), transaction.atomic(), lease.fenced(first):
                write()
        assert not Event.objects.exists()
        assert [*Node.objects.values_list("name", "host")] == [("node0", "daq1")]
        assert MonitorLease.objects.get().holder == "two"

    def test_reading_needs_no_lease(self) -> None:
        first = taken()
        taken("two", 6)
        with lease.fenced(first):
            assert not Event.objects.exists()

    def test_a_transaction_proves_it_once(self) -> None:
        with lease.fenced(taken()), CaptureQueriesContext(connection) as queries, transaction.atomic():
            store.add_event("ecc", at=NOON)
            with transaction.atomic():
                store.add_event("ecc", at=NOON)
        assert len(proofs(queries)) == 1

    def test_a_savepoint_that_went_back_took_the_lock_along(self) -> None:
        with lease.fenced(taken()), CaptureQueriesContext(connection) as queries, transaction.atomic():
            with pytest.raises(IntegrityError), transaction.atomic():
                Node.objects.bulk_create([Node(name="x", host="x"), Node(name="x", host="x")])
            store.add_event("ecc", at=NOON)
        assert len(proofs(queries)) == 2

    def test_renewing_is_a_proof_itself(self) -> None:
        term = taken()
        with lease.fenced(term), CaptureQueriesContext(connection) as queries, transaction.atomic():
            lease.renew(term, NOON)
            store.add_event("ecc", at=NOON)
        assert not proofs(queries)


@pytest.mark.django_db(transaction=True)
def test_every_transaction_proves_it_anew() -> None:
    """Also a statement that is a transaction of its own, and one after a transaction that went back."""
    with lease.fenced(taken()), CaptureQueriesContext(connection) as queries:
        Event.objects.update(text="x")
        store.add_event("ecc", at=NOON)
        with suppress(ZeroDivisionError), transaction.atomic():
            store.add_event("ecc", at=NOON)
            raise ZeroDivisionError
        store.add_event("ecc", at=NOON)
    assert len(proofs(queries)) == 4
    assert Event.objects.count() == 2


def proofs(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if query["sql"].startswith("SELECT 1 FROM live_monitorlease")]
