"""That processes say that they are at work, by the database's clock, and how far their own is off."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from attpcdaq.live import beats, database_troubles
from attpcdaq.live.beater import Beater
from attpcdaq.live.models import ServiceBeat
from tests.e2e.waiting import wait_for

pytestmark = pytest.mark.django_db


def shifted(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def test_a_beat_is_one_row_for_each_service_and_host() -> None:
    started = timezone.now() - timedelta(seconds=60)
    for number in (1, 2):
        beats.beat("web", {"streams": number}, started)
    beats.beat("web", {}, started, host="other")
    beats.beat("monitor", {}, started)
    found = {(one.service, one.host): one for one in beats.read()}
    assert set(found) == {("web", beats.host_name()), ("web", "other"), ("monitor", beats.host_name())}
    mine = found["web", beats.host_name()]
    assert mine.numbers == {"streams": 2}
    assert 0 <= mine.age < 5
    assert 59 < mine.up_for < 70


def test_the_clock_of_the_host_is_compared_with_the_databases() -> None:
    assert abs(beats.beat("web", {}, timezone.now())) < 1
    assert beats.beat("celery-control", {}, timezone.now(), now=lambda: shifted(3)) == pytest.approx(180, abs=1)
    assert beats.beat("celery-files", {}, timezone.now(), now=lambda: shifted(-90)) == pytest.approx(-5400, abs=1)
    skews = {one.service: one.skew for one in beats.read()}
    assert skews["celery-control"] == pytest.approx(180, abs=1)
    # a clock that is off makes nobody look old
    assert all(abs(one.age) < 5 for one in beats.read())


def test_a_slow_answer_is_no_clock_that_is_off() -> None:
    """A machine that stood still for two minutes in the middle of the question."""
    times = iter([shifted(-1), shifted(1)])
    assert beats.host_skew(lambda: next(times)) == 0


def test_reading_is_one_query_and_beating_two(django_assert_num_queries) -> None:
    beats.beat("web", {}, timezone.now())
    with django_assert_num_queries(2):
        beats.beat("web", {}, timezone.now())
    with django_assert_num_queries(1):
        beats.read()


def test_hosts_that_are_gone_for_a_day_are_forgotten() -> None:
    for host, hours in (("old", 25), ("young", 23)):
        beats.beat("web", {}, timezone.now(), host=host)
        ServiceBeat.objects.filter(host=host).update(at=timezone.now() - timedelta(hours=hours))
    beats.beat("monitor", {}, timezone.now(), host="old")
    beats.beat("web", {}, timezone.now(), host="new")
    assert {(one.service, one.host) for one in beats.read()} == {("web", "young"), ("web", "new"), ("monitor", "old")}


def test_only_the_own_row_is_forgotten() -> None:
    beats.beat("web", {}, timezone.now())
    beats.beat("web", {}, timezone.now(), host="other")
    ServiceBeat.objects.create(
        service="events", host=beats.host_name(), pid=os.getpid() + 1, version="1", skew=0, **dict.fromkeys(AT, NOW)
    )
    for service in ("web", "events"):
        beats.forget(service)
    assert {(one.service, one.host) for one in beats.read()} == {("web", "other"), ("events", beats.host_name())}


AT = ("started_at", "at")
NOW = timezone.now()


@pytest.mark.django_db(transaction=True)
def test_the_file_is_touched_whatever_the_database_does(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alive = tmp_path / "alive"
    beater = Beater(lambda: {"monitor": {}}, alive=alive)

    def fail(*_: object) -> None:
        raise DatabaseError("could not extend file: No space left on device")

    with connection.execute_wrapper(fail):
        beater.turn()
        os.utime(alive, (0, 0))
        beater.turn()
    assert time.time() - alive.stat().st_mtime < 60
    assert [record.getMessage().split(" It is tried")[0] for record in caplog.records] == [
        "The disk of the database is full: nothing can be written."
    ]
    standing = database_troubles.standing()
    assert standing is not None
    assert standing.key == "database-full"
    beater.turn()
    assert [one.service for one in beats.read()] == ["monitor"]
    assert "takes again" in caplog.text


def test_who_is_not_at_work_says_nothing(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    Beater(lambda: {"celery-control": {}}, at_work=lambda: False, alive=alive).turn()
    assert not alive.exists()
    assert beats.read() == ()


@pytest.mark.django_db(transaction=True)
def test_the_thread_beats_and_takes_its_row_along() -> None:
    beater = Beater(lambda: {"web": {"streams": 1}}, every=0.05)
    beater.start()
    first = wait_for(beats.read, "the first beat")[0]
    wait_for(lambda: beats.read()[0].up_for > first.up_for, "the next beat")
    beater.stop()
    wait_for(lambda: not beats.read(), "the row to go")


def test_a_clock_that_is_set_right_makes_nobody_young() -> None:
    """A computer came up an hour ahead and got the right time then: cards would have been held back for an hour."""
    clock, ahead = [0.0], [60.0]
    beater = Beater(lambda: {"web": {}}, now=lambda: shifted(ahead[0]), monotonic=lambda: clock[0])
    for seconds, minutes in ((30.0, 60.0), (40.0, 0.0)):
        clock[0], ahead[0] = seconds, minutes
        beater.turn()
        assert beats.read()[0].up_for == pytest.approx(seconds, abs=2)


@pytest.mark.django_db(transaction=True)
def test_what_changed_is_told_before_the_next_beat_is_due() -> None:
    numbers = {"standby": 1}
    beater = Beater(lambda: {"monitor": dict(numbers)}, every=3600)
    beater.start()
    wait_for(beats.read, "the first beat")
    numbers["standby"] = 0
    beater.soon()
    wait_for(lambda: beats.read()[0].numbers == {"standby": 0}, "the beat that was asked for")
    beater.stop()
    wait_for(lambda: not beats.read(), "the row to go")
