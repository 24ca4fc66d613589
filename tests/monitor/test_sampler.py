"""Readings become samples: every two seconds in a run, once a minute without, and no byte is counted twice or lost."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attpcdaq.gateways.ports import GrawFile, NodeAddress, RouterQuery, RouterReading
from attpcdaq.live.models import RouterSample
from attpcdaq.monitor.readings import NodeTarget, RouterTarget, Targets
from attpcdaq.monitor.sampler import Sampler
from attpcdaq.runlog.models import Experiment, Run

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def reading(size: int, event: int | None = None) -> RouterReading:
    files = (GrawFile("a.graw", size, 1.0),) if size else ()
    return RouterReading(True, files, event, 10**12, 2 * 10**12, 7)


def targets(routers: int = 1) -> Targets:
    found = tuple(RouterTarget(n, RouterQuery(f"router-{n}", "dataRouter", 46005 + n, "/s")) for n in range(routers))
    return Targets((), (NodeTarget(1, NodeAddress("node-1", "127.0.0.1", 22), found),))


class Desk:
    def __init__(self, routers: int = 1) -> None:
        self.sampler, self.seconds = Sampler(), 0.0
        self.sampler.follow(targets(routers))
        self.alive: Sequence[int] = range(routers)

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def pass_by(self, seconds: int, rate: int = 0, *, start: int = 0, events: int = 0) -> int:
        """A second at a time: a file that grows by `rate` and event numbers; the size in the end."""
        size = start
        for _ in range(seconds):
            self.seconds += 1.0
            size += rate
            for router in self.alive:
                self.sampler.note(router, reading(size, int(self.seconds) * events if events else None), self.now)
            self.sampler.take(self.alive, self.now)
        return size


@pytest.fixture
def run() -> Run:
    experiment = Experiment.objects.create(name="e20009", is_active=True)
    return Run.objects.create(experiment=experiment, number=1, state="running", requested_at=NOON, started_at=NOON)


def bytes_seen(**of: object) -> float:
    return sum(row.rate * row.seconds for row in RouterSample.objects.filter(**of))


def test_a_sample_every_two_seconds_of_a_run_with_the_averages_of_them(run: Run) -> None:
    desk = Desk()
    desk.pass_by(21, 1000, events=5)
    rows = list(RouterSample.objects.all())
    assert len(rows) == 10
    assert {(row.seconds, row.rate, row.event_rate, row.run_id, row.level) for row in rows} == {
        (2, 1000.0, 5.0, run.pk, 0)
    }
    last = rows[-1]
    assert (last.router, last.node, last.files, last.bytes, last.event, last.disk_free) == (
        "router-0", "node-1", 1, 21_000, 105, 10**12
    )  # fmt: skip


def test_without_a_run_one_a_minute(db: None) -> None:
    desk = Desk()
    desk.pass_by(185)
    assert [(row.seconds, row.run_id, row.level) for row in RouterSample.objects.all()] == [(60, None, 2)] * 3


def test_what_came_before_a_run_is_no_part_of_it_and_its_end_is_not_lost(run: Run) -> None:
    Run.objects.update(state="requested")
    Run.objects.update(state="closed")
    desk = Desk()
    size = desk.pass_by(10, 50)
    Run.objects.update(state="running")
    size = desk.pass_by(10, 1000, start=size)
    Run.objects.update(state="closed")
    desk.pass_by(3, 0, start=size)
    # It is seen within a second that the run is open, or not any more.
    assert bytes_seen(run_id=run.pk) == pytest.approx(9000)
    assert bytes_seen() == pytest.approx(9 * 50 + 10_000)


def test_the_same_reading_again_and_files_moved_away_are_no_growth(run: Run) -> None:
    desk = Desk()
    desk.pass_by(1)
    for size in (5000, 5000, 0, 0, 300):
        desk.seconds += 1
        desk.sampler.note(0, reading(size), desk.now)
        desk.sampler.note(0, reading(size), desk.now)
        desk.sampler.take([0], desk.now)
    desk.pass_by(1, start=300)
    assert bytes_seen() == pytest.approx(5300)


def test_who_does_not_answer_is_not_sampled_and_made_up_for_when_it_is_back(run: Run) -> None:
    desk = Desk(routers=2)
    size = desk.pass_by(3, 100)
    desk.alive = [1]
    size = desk.pass_by(20, 100, start=size)
    assert RouterSample.objects.filter(router="router-0").count() == 1
    desk.alive = [0, 1]
    desk.pass_by(2, 100, start=size)
    rows = list(RouterSample.objects.filter(router="router-0"))
    assert [row.seconds for row in rows] == [2, 22]
    assert rows[1].rate == pytest.approx(100.0)


def test_what_came_while_it_did_not_answer_is_of_no_run_when_another_one_has_begun(run: Run) -> None:
    desk = Desk(routers=2)
    size = desk.pass_by(3, 100)
    desk.alive = [1]
    size = desk.pass_by(10, 100, start=size)
    Run.objects.update(state="closed")
    second = Run.objects.create(experiment=run.experiment, number=2, state="running", requested_at=NOON)
    size = desk.pass_by(3, 100, start=size)
    desk.alive = [0, 1]
    desk.pass_by(6, 100, start=size)
    assert bytes_seen(router="router-0", run_id=second.pk) <= 600
    assert max(row.seconds for row in RouterSample.objects.filter(run_id=second.pk)) <= 3


def test_nodes_that_are_read_every_second_and_a_half_are_in_every_sample(run: Run) -> None:
    desk = Desk(routers=3)
    desk.pass_by(1)
    # Once a second it is said who answered since: never all of them.
    for _ in range(10):
        for alive in ([0, 1], [1, 2], [0, 2]):
            desk.alive = alive
            desk.pass_by(1)
    rows = list(RouterSample.objects.all())
    assert len(rows) == 15 * 3
    assert {row.seconds for row in rows} == {2}


def test_one_insert_for_all_and_one_question_a_second(run: Run) -> None:
    desk = Desk(routers=30)
    desk.pass_by(2, 10)
    for expected in (2, 1, 2, 1):
        with CaptureQueriesContext(connection) as queries:
            desk.pass_by(1, 10, start=100)
        statements = [one["sql"] for one in queries if "SAVEPOINT" not in one["sql"]]
        assert len(statements) == expected, statements


def test_a_clock_set_back_makes_no_nonsense(run: Run) -> None:
    desk = Desk()
    size = desk.pass_by(5, 100)
    desk.seconds -= 3600
    desk.pass_by(10, 100, start=size)
    assert all(0 < row.seconds <= 3 and 0 <= row.rate <= 200 for row in RouterSample.objects.all())
    assert RouterSample.objects.filter(at__lt=NOON).count() >= 3


def test_who_left_the_setup_is_forgotten(run: Run) -> None:
    desk = Desk(routers=2)
    desk.pass_by(3, 10)
    desk.sampler.follow(targets(1))
    before = RouterSample.objects.filter(router="router-1").count()
    desk.pass_by(4, 10)
    assert RouterSample.objects.filter(router="router-1").count() == before


def test_a_database_that_fails_loses_nothing(run: Run) -> None:
    desk = Desk()
    size = desk.pass_by(3, 100)
    with connection.execute_wrapper(_away):
        desk.seconds += 2
        desk.sampler.note(0, reading(size + 200), desk.now)
        with pytest.raises(ConnectionError):
            desk.sampler.take([0], desk.now)
    desk.pass_by(3, 100, start=size + 200)
    assert bytes_seen() == pytest.approx(7 * 100, abs=101)


def _away(execute: object, *args: object) -> None:
    raise ConnectionError("the database is away")
