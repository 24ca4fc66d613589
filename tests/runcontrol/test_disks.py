"""Disks that fill up, clocks that are off and routers that do not hear, as the status shows them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.audit.models import Entry
from attpcdaq.gateways.ports import GrawFile, NodeClock, RouterReading
from attpcdaq.live import clocks, store
from attpcdaq.live.models import Event, NodeState, RouterState
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.asking.preferences import min_free_of, preferences, set_preferences
from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.planning.amounts import in_bytes, in_time
from attpcdaq.runcontrol.seeing.disks import Writer, shared_disks
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.views import Snapshot
from attpcdaq.web.attention import attention
from tests.runcontrol.rig import SHIFTER, Rig

GB = 10**9


@pytest.fixture
def ready(ready: Rig) -> Rig:
    """Of the nodes' clocks nothing is known yet: they stand where the times in file names want them."""
    NodeState.objects.all().delete()
    return ready


def writer(router: int, node: str = "mm0", free: int = 100 * GB, total: int = 500 * GB, rate: float = 0.0) -> Writer:
    return Writer(router, node, free, total, rate)


class TestShared:
    def test_all_routers_of_a_disk_fill_it_together(self) -> None:
        disks = shared_disks([writer(1, rate=1e7), writer(2, rate=3e7), writer(3, "mm1", rate=1e7)], 2 * GB)
        assert disks[1] is disks[2]
        assert (disks[1].rate, disks[1].full_in, disks[1].words) == (4e7, 2500.0, "full in 41 min")
        assert disks[3].full_in == 10_000.0

    def test_disks_of_other_sizes_are_other_disks(self) -> None:
        disks = shared_disks([writer(1, rate=1e7), writer(2, total=GB, free=GB // 2, rate=1.0)], 0)
        assert disks[1].rate == 1e7
        assert disks[2].free == GB // 2

    @pytest.mark.parametrize(
        ("free", "rate", "level", "low"),
        [
            (100 * GB, 0.0, "", False),
            (100 * GB, 100 * GB / 7300, "", False),
            (100 * GB, 100 * GB / 7100, "warn", False),
            (100 * GB, 100 * GB / 1190, "bad", False),
            (2 * GB, 0.0, "", False),
            (2 * GB - 1, 0.0, "bad", True),
            (0, 0.0, "bad", True),
        ],
    )
    def test_levels(self, free: int, rate: float, level: str, low: bool) -> None:
        disk = shared_disks([writer(1, free=free, rate=rate)], 2 * GB)[1]
        assert (disk.level, disk.low) == (level, low)

    def test_without_a_limit_only_an_empty_disk_is_low(self) -> None:
        assert not shared_disks([writer(1, free=1)], 0)[1].low
        assert shared_disks([writer(1, free=0)], 0)[1].low

    def test_what_takes_months_is_not_told(self) -> None:
        assert shared_disks([writer(1, rate=1e-300)], 0)[1].full_in is None
        assert shared_disks([writer(1, rate=1e5)], 0)[1].words == ""
        assert shared_disks([writer(1, rate=1e6)], 0)[1].words == "full in 1 d 3 h"

    @given(
        st.lists(st.tuples(st.integers(0, 10**16), st.floats(0, 1e12)), min_size=1, max_size=5), st.integers(0, 10**15)
    )
    def test_any_figures_make_a_view(self, figures: list[tuple[int, float]], limit: int) -> None:
        found = shared_disks([writer(n, free=free, rate=rate) for n, (free, rate) in enumerate(figures)], limit)
        assert all(not disk.words or disk.full_in is not None for disk in found.values())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"), (99.9, "99 s"), (100, "1 min"), (5999, "99 min"), (6000, "1 h 40 min"), (12_000, "3 h 20 min"),
        (86_400, "1 d 0 h"), (345_599, "3 d 23 h"), (345_600, "4 d"),
    ],
)  # fmt: skip
def test_time_in_words(seconds: float, words: str) -> None:
    assert in_time(seconds) == words


@pytest.mark.parametrize(("size", "words"), [(0, "0 B"), (999, "999 B"), (1_234_567, "1.23 MB"), (2 * GB, "2.00 GB")])
def test_bytes_in_words(size: int, words: str) -> None:
    assert in_bytes(size) == words


def see(rig: Rig) -> Snapshot:
    return snapshot(rig.time.now())


def read(rig: Rig, number: int = 0, *, size: int = 1000, free: int | None = 500 * GB, **more: object) -> None:
    """The monitor reads one router's node: a file that has grown within the last second."""
    now = rig.time.now()
    files = (GrawFile("CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw", size, 0.0),) if size else ()
    fields = {"online": True, "files": files, "last_event": 7, "disk_total": 1000 * GB, "pid": 1001, "hears": True}
    reading = RouterReading(**(fields | {"disk_free": free} | more))
    store.record_router(rig.detector.data_routers[number].pk, reading, now, now - timedelta(seconds=1))


class TestShown:
    def test_a_disk_that_is_full_in_an_hour_is_a_warning_and_nothing_worse(self, running: Rig) -> None:
        RouterState.objects.filter(data_router=running.detector.data_routers[0]).update(
            smooth_rate=100 * GB / 3599, grew_at=running.time.now()
        )
        shot = see(running)
        assert shot.overall.level == "ok"
        disk = shot.routers[0].disk
        assert disk is not None
        assert (disk.level, disk.words) == ("warn", "full in 59 min")
        (trouble,) = attention(shot).troubles
        assert (trouble.view.key, trouble.view.level, trouble.names) == ("disk-filling", "warn", ["router-cobo0"])
        assert attention(shot).advice.text == ""

    def test_one_that_is_full_in_ten_minutes_is_bad(self, running: Rig) -> None:
        RouterState.objects.filter(data_router=running.detector.data_routers[0]).update(
            smooth_rate=100 * GB / 601, grew_at=running.time.now()
        )
        shot = see(running)
        assert (shot.overall.level, shot.overall.title) == ("bad", "Run 1: a disk is nearly full")
        assert shot.overall.reasons == ("router-cobo0: 100 GB are free on node-cobo0, the disk is full in 10 min.",)
        assert attention(shot).troubles[0].view.level == "bad"

    def test_the_limit_reached_in_a_run_raises_the_alarm_and_hinders_the_next(self, running: Rig) -> None:
        read(running, free=GB)
        shot = see(running)
        assert (shot.overall.level, shot.overall.title) == ("bad", "Run 1: a disk is nearly full")
        assert [trouble.view.key for trouble in attention(shot).troubles] == ["disk-full"]
        set_preferences(SHIFTER, running.time.now(), min_free_gb=0.5)
        assert see(running).overall.level == "ok"

    def test_a_start_is_refused_until_there_is_room_and_an_excluded_one_needs_none(self, ready: Rig) -> None:
        read(ready, size=0, free=GB)
        start = see(ready).actions["start"]
        assert not start.allowed
        assert "router-cobo0: 1.00 GB are free on node-cobo0, and no run starts with less" in start.reasons[0]
        exclude("ecc-cobo0", "no disk", SHIFTER, ready.time.now())
        assert see(ready).actions["start"].allowed

    def test_an_unknown_disk_does_not_hinder(self, ready: Rig) -> None:
        read(ready, size=0, free=None)
        shot = see(ready)
        assert shot.actions["start"].allowed
        assert (shot.routers[0].disk, shot.routers[0].disk_free) == (None, None)

    def test_a_router_that_does_not_hear_is_refused_said_and_is_news_once(self, ready: Rig) -> None:
        for hears in (True, False, False, None, True, True):
            read(ready, size=0, hears=hears)
            if hears is False:
                shot = see(ready)
                assert any("its port is taken by another process" in text for text in shot.actions["start"].reasons)
                assert [trouble.view.key for trouble in attention(shot).troubles] == ["port-taken"]
        assert see(ready).actions["start"].allowed
        said = Event.objects.filter(subject="router-cobo0", text__contains="hear").order_by("id")
        assert [event.severity for event in said] == ["error"]

    def test_in_a_run_it_is_an_alarm(self, running: Rig) -> None:
        read(running, hears=False)
        shot = see(running)
        assert (shot.overall.level, shot.overall.title) == ("bad", "Run 1 is not taking all data")
        assert "its port is taken" in shot.overall.reasons[0]

    def test_a_clock_that_is_off_is_a_warning_for_as_long_as_it_is_read(self, ready: Rig) -> None:
        now, node = ready.time.now(), ready.detector.nodes[0]
        clocks.record_clock(node.pk, NodeClock(-0.3, 0.001, 0), now)
        shot = see(ready)
        assert shot.overall.level == "ok"
        assert shot.routers[0].clock == "its clock is 0.3 s behind (node-cobo0)"
        (trouble,) = attention(shot).troubles
        assert (trouble.view.key, trouble.view.level) == ("clock-off", "warn")
        assert (shot.nodes[0].name, shot.nodes[0].clock_off, shot.nodes[1].clock_offset) == ("node-cobo0", True, None)
        assert snapshot(now + timedelta(minutes=4)).routers[0].clock == ""

    def test_a_warning_does_not_hide_that_no_data_come(self, running: Rig) -> None:
        for node in running.detector.nodes:
            clocks.record_clock(node.pk, NodeClock(-0.3, 0.001, 0), running.time.now())
        running.time.set_by(20)
        running.look()
        assert {trouble.view.key for trouble in attention(see(running)).troubles} == {"no-data", "clock-off"}


class TestSmoothed:
    def rate_after(self, rig: Rig, sizes: list[int], every: float = 1.0) -> tuple[RouterState, datetime]:
        pk, now = rig.detector.data_routers[0].pk, rig.time.now()
        for size in sizes:
            before, now = now, now + timedelta(seconds=every)
            reading = RouterReading(True, (GrawFile("a.graw", size, 0.0),), 1, GB, GB, 1)
            store.record_router(pk, reading, now, before)
        return RouterState.objects.get(data_router_id=pk), now

    def test_a_steady_rate_is_found_also_where_only_every_tenth_reading_grows(self, rig: Rig) -> None:
        steady, now = self.rate_after(rig, [n * 1000 for n in range(1, 200)])
        assert store.smooth_rate(steady, now) == pytest.approx(1000, rel=0.02)

    def test_slow_data(self, rig: Rig) -> None:
        slow, now = self.rate_after(rig, [n // 10 * 10_000 for n in range(10, 400)])
        assert store.smooth_rate(slow, now) == pytest.approx(1000, rel=0.3)

    def test_it_goes_down_when_nothing_comes_any_more(self, rig: Rig) -> None:
        row, now = self.rate_after(rig, [n * 1000 for n in range(1, 100)])
        assert store.smooth_rate(row, now + timedelta(seconds=61)) < 150
        assert store.smooth_rate(row, now - timedelta(seconds=500)) == row.smooth_rate

    def test_a_router_that_stands_still_is_not_written_again(self, rig: Rig) -> None:
        pk, now = rig.detector.data_routers[0].pk, rig.time.now()
        self.rate_after(rig, [1000, 2000, 2000])
        reading = RouterReading(True, (GrawFile("a.graw", 2000, 0.0),), 1, GB, GB, 1)
        assert not store.record_router(pk, reading, now + timedelta(seconds=5), now + timedelta(seconds=4))


class TestPreferences:
    def test_a_change_is_audited_and_the_same_again_is_none(self, rig: Rig) -> None:
        now = rig.time.now()
        assert set_preferences(SHIFTER, now, min_free_gb=10) == ["free space that a run needs to start: 10 GB"]
        assert set_preferences(SHIFTER, now, min_free_gb=10.0) == []
        assert preferences().min_free_gb == 10
        entry = Entry.objects.get(what="preferences")
        assert (entry.outcome, entry.text) == ("done", "2 GB -> 10 GB")

    @pytest.mark.parametrize("text", ["", "a", "-1", "nan", "inf", "1e7", "2,5", "1" * 500, "\x00"])
    def test_nonsense_is_refused_with_what_is_allowed(self, text: str) -> None:
        with pytest.raises(BadCommand, match=r"min_free_gb: .*use a number of GB from 0"):
            min_free_of(text)

    def test_both_or_neither(self, rig: Rig) -> None:
        with pytest.raises(BadCommand):
            set_preferences(SHIFTER, rig.time.now(), reconfigure_mutant=True, min_free_gb=-3)
        assert not preferences().reconfigure_mutant
        assert Entry.objects.get(what="preferences").outcome == "refused"
