"""The live store writes a row only when it changed, and an event says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from attpcdaq.gateways.ports import GrawFile, RouterReading
from attpcdaq.live import store
from attpcdaq.live.models import ECCState, Event, MonitorLease, RouterState
from attpcdaq.testing.builders import Detector, build_detector
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State, Transition
from tests.live.writing import writing_term

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def detector() -> Detector:
    return build_detector(cobos=1)


def idle(state: State = State.IDLE, transition: Transition = Transition.NONE) -> StateReply:
    return StateReply(0, "", state, transition)


def reading(*sizes: int, online: bool = True, pid: int | None = 7, event: int | None = None) -> RouterReading:
    files = tuple(GrawFile(f"CoBo0_AsAd{n}.graw", size, 0.0) for n, size in enumerate(sizes))
    return RouterReading(online, files, event, 10**9, 10**10, pid if online else None)


def on_disk(free: int | None) -> RouterReading:
    return RouterReading(True, (), None, free, 10, 7)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class TestEcc:
    def test_the_same_answer_twice_is_one_change(self, detector: Detector) -> None:
        pk = detector.ecc_servers[0].pk
        assert store.record_ecc(pk, idle(), NOW)
        assert not store.record_ecc(pk, idle(), after(1))
        assert ECCState.objects.get().changed_at == NOW
        assert Event.objects.filter(topic="ecc").count() == 1

    def test_a_change_is_told_in_words_and_a_transition_only_refreshes(self, detector: Detector) -> None:
        pk = detector.ecc_servers[0].pk
        store.record_ecc(pk, idle(), NOW)
        store.record_ecc(pk, idle(transition=Transition.DESCRIBE), after(1))
        store.record_ecc(pk, idle(State.DESCRIBED), after(2))
        texts = list(Event.objects.order_by("id").values_list("subject", "text"))
        assert texts == [("ecc-cobo0", "Unknown -> Idle"), ("ecc-cobo0", ""), ("ecc-cobo0", "Idle -> Described")]

    def test_when_it_was_last_seen_running_stays_known(self, detector: Detector) -> None:
        pk = detector.ecc_servers[0].pk
        store.record_ecc(pk, idle(State.RUNNING), NOW)
        store.touch([pk], [], after(5), writing_term())
        store.record_ecc(pk, idle(State.READY), after(9))
        store.record_ecc(pk, idle(State.PREPARED), after(20))
        assert ECCState.objects.get().ran_until == after(5)

    def test_a_problem_keeps_the_last_answer_and_its_age(self, detector: Detector) -> None:
        pk = detector.ecc_servers[0].pk
        store.record_ecc(pk, idle(), NOW)
        assert store.record_ecc_problem(pk, "connection refused", after(3))
        assert not store.record_ecc_problem(pk, "connection refused", after(4))
        row = ECCState.objects.get()
        assert (row.state, row.seen_at, row.problem) == (State.IDLE, NOW, "connection refused")
        store.touch([pk], [], after(5), writing_term())
        assert ECCState.objects.get().seen_at == NOW
        assert store.record_ecc(pk, idle(), after(6))
        assert ECCState.objects.get().problem == ""

    def test_since_when_it_is_in_this_state_outlives_transitions_and_problems(self, detector: Detector) -> None:
        pk = detector.ecc_servers[0].pk
        store.record_ecc(pk, idle(), NOW)
        store.record_ecc(pk, idle(transition=Transition.DESCRIBE), after(1))
        store.record_ecc_problem(pk, "connection refused", after(2))
        store.record_ecc(pk, idle(), after(3))
        assert ECCState.objects.get().since == NOW
        store.record_ecc(pk, idle(State.DESCRIBED), after(4))
        assert ECCState.objects.get().since == after(4)

    def test_wedged_is_an_error(self, detector: Detector) -> None:
        store.record_ecc(detector.ecc_servers[0].pk, idle(State.OFF), NOW)
        assert Event.objects.get().severity == "error"


class TestRouter:
    def test_rate_comes_from_two_readings(self, detector: Detector) -> None:
        pk = detector.data_routers[0].pk
        store.record_router(pk, reading(1000), NOW)
        store.record_router(pk, reading(1000, 2000, event=12), after(2), since=NOW)
        row = RouterState.objects.get()
        assert (row.files, row.bytes, row.rate, row.last_event, row.grew_at) == (2, 3000, 1000.0, 12, after(2))
        store.record_router(pk, reading(1000, 2000, event=12), after(3), since=after(2))
        assert RouterState.objects.get().rate == 0.0
        assert RouterState.objects.get().grew_at == after(2)

    def test_files_moved_away_are_no_negative_rate(self, detector: Detector) -> None:
        pk = detector.data_routers[0].pk
        store.record_router(pk, reading(1000), NOW)
        store.record_router(pk, reading(), after(1), since=NOW)
        assert (RouterState.objects.get().rate, RouterState.objects.get().files) == (0.0, 0)

    def test_another_process_number_is_a_restart(self, detector: Detector) -> None:
        pk = detector.data_routers[0].pk
        store.record_router(pk, reading(pid=7), NOW)
        store.record_router(pk, reading(online=False), after(1))
        assert RouterState.objects.get().restarted_at is None
        store.record_router(pk, reading(pid=8), after(2))
        assert RouterState.objects.get().restarted_at == after(2)
        assert "must go through Breakup and Configure" in Event.objects.first().text

    def test_a_disk_below_the_limit_is_told_at_each_crossing(self, detector: Detector) -> None:
        pk = detector.data_routers[0].pk
        # Lower from the beginning is no crossing, and where nobody knows what is free nothing is said.
        for second, free in enumerate((1, 3, 1, 1, None, 1, 2, 0)):
            store.record_router(pk, on_disk(free), after(second), min_free=2)
        low = Event.objects.filter(text__contains="are free")
        assert [event.at for event in low.order_by("id")] == [after(2), after(7)]
        store.record_router(pk, on_disk(9), after(8))
        store.record_router(pk, on_disk(1), after(9))
        assert low.count() == 2

    def test_routers_of_one_disk_tell_of_it_once(self, detector: Detector) -> None:
        first = detector.data_routers[0]
        first.pk, first.name, first.port = None, "router-beside", 50000
        first.save()
        pks = list(first.node.data_routers.values_list("pk", flat=True))
        assert len(pks) == 2
        for second, free in enumerate((3, 1, 0)):
            for pk in pks:
                store.record_router(pk, on_disk(free), after(second), min_free=2)
        assert Event.objects.filter(text__contains="are free").count() == 1

    def test_the_smooth_rate_begins_anew_after_the_monitor_was_away(self, detector: Detector) -> None:
        pk = detector.data_routers[0].pk
        store.record_router(pk, reading(1000), NOW)
        store.record_router(pk, reading(2000), after(1), NOW)
        assert RouterState.objects.get().smooth_rate > 0
        store.record_router(pk, reading(2001), after(7200))
        assert RouterState.objects.get().smooth_rate == 0

    def test_a_problem_is_told_once_however_its_words_change(self, detector: Detector) -> None:
        pk = detector.data_routers[0].pk
        store.record_router(pk, reading(), NOW)
        for n, problem in enumerate(("no route to host", "timed out after 1.2 s", "timed out after 1.3 s")):
            assert store.record_router_problem(pk, problem, after(n))
        assert RouterState.objects.get().problem == "timed out after 1.3 s"
        assert list(Event.objects.exclude(text="").values_list("text", flat=True)) == ["no route to host", "is online"]
        store.record_router(pk, reading(), after(4))
        assert Event.objects.first().text == "answers again"

    @pytest.mark.parametrize(
        ("then", "refreshes"),
        [
            pytest.param(reading(2, 3), 0, id="figures alone, which the beat brings"),
            pytest.param(reading(), 1, id="the last file is gone"),
            pytest.param(reading(1, 2, event=1), 1, id="the first event"),
            pytest.param(replace(reading(1, 2), disk_total=10**12), 1, id="another disk"),
        ],
    )
    def test_what_the_beat_does_not_bring_makes_one_refresh_for_all(
        self, detector: Detector, then: RouterReading, refreshes: int
    ) -> None:
        routers = [router.pk for router in detector.data_routers]
        for second, seen in enumerate((reading(1), reading(1, 2))):
            for pk in routers:
                store.record_router(pk, seen, after(second), since=after(second - 1))
        store.touch([], [], after(1), writing_term())
        Event.objects.all().delete()
        for pk in routers:
            store.record_router(pk, then, after(1.5), since=after(1))
        assert Event.objects.count() == 0
        store.touch([], [], after(2), writing_term())
        store.touch([], [], after(3), writing_term())
        assert list(Event.objects.values_list("topic", "text")) == [("router", "")] * refreshes

    def test_that_data_begin_or_cease_to_come_makes_a_refresh(self, detector: Detector) -> None:
        pk = detector.data_routers[0].pk
        told = []
        for second, size in enumerate((1, 1, 2, 3, 3)):
            store.record_router(pk, reading(size), after(second), since=after(second - 1))
            Event.objects.all().delete()
            store.touch([], [], after(second), writing_term())
            told.append(Event.objects.count())
        assert told[1:] == [1, 1, 0, 1]


def test_touch_is_the_monitors_sign_of_life(detector: Detector) -> None:
    store.record_ecc(detector.ecc_servers[0].pk, idle(), NOW)
    store.touch([detector.ecc_servers[0].pk], [], after(1), writing_term())
    store.touch([detector.ecc_servers[0].pk], [], after(2), writing_term())
    assert MonitorLease.objects.get().at == after(2)
    assert ECCState.objects.get().seen_at == after(2)


def test_old_refreshes_are_forgotten_and_words_are_kept() -> None:
    store.add_event("router", at=NOW)
    store.add_event("run", "Run 1 is closed", at=NOW)
    assert store.forget_refreshes(after(3601)) == 1
    assert Event.objects.get().text == "Run 1 is closed"
