"""Asking for restarts: who may, what they cost, two at once, and that none is left behind or fires late."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.gateways.ports import CommandResult
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.asking.restarts import GONE, end, latest_restarts, restart_action
from attpcdaq.runcontrol.doing.restarting import execute_restart
from attpcdaq.runcontrol.models import Restart
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import DataRouter, ECCServer, Node
from tests.racing import race
from tests.runcontrol.restarting import (
    COBO0,
    EXPERT,
    Rounds,
    answer,
    ask,
    commands_run,
    restart,
    trail_of,
)
from tests.runcontrol.rig import SHIFTER, Rig, make_rig


class TestAsking:
    def test_two_presses_are_one_restart(self, ready: Rig) -> None:
        first = ask(ready)
        assert ask(ready, by=SHIFTER).pk == first.pk
        assert execute_restart(first.pk, ready.outside)
        assert not execute_restart(first.pk, ready.outside)
        assert commands_run(ready) == [COBO0]
        assert ask(ready).pk != first.pk

    def test_who_asks_from_where_is_recorded(self, ready: Rig) -> None:
        asked = ask(ready, by=DAQ)
        assert (asked.requested_by, asked.origin) == ("DAQ", "the DAQ itself")
        entry = Entry.objects.get(command=asked.pk)
        assert (entry.subject, entry.text, entry.outcome) == ("ecc-cobo0", COBO0, "accepted")

    def test_somebody_else_in_charge_refuses(self, ready: Rig) -> None:
        with pytest.raises(CommandRefused, match="shifter is in charge since"):
            ask(ready, by=EXPERT)
        assert not Restart.objects.exists()
        entry = Entry.objects.filter(what="restart").get()
        assert (entry.who, entry.role, entry.origin, entry.outcome) == ("expert", "expert", "192.168.4.7", "refused")
        assert "is in charge" in entry.text

    @pytest.mark.parametrize(
        ("kind", "name", "expected"),
        [
            ("node", "node-cobo0", "kind: 'node' is not one of ecc, router."),
            ("ecc", "ecc-x", "name: there is no 'ecc-x'; known are ecc-cobo0, ecc-cobo1, ecc-mutant."),
            ("router", "ecc-cobo0", "name: there is no 'ecc-cobo0'; known are router-cobo0"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_words(self, rig: Rig, kind: str, name: str, expected: str) -> None:
        with pytest.raises(BadCommand) as caught:
            ask(rig, kind, name)
        assert expected in str(caught.value)
        assert Entry.objects.filter(what="restart", outcome="refused", subject=name).count() == 1

    def test_without_a_command_nothing_is_offered(self, rig: Rig) -> None:
        Node.objects.filter(name="node-cobo0").update(restart_ecc="")
        server = ECCServer.objects.select_related("node").get(name="ecc-cobo0")
        assert restart_action(server, None).allowed is False
        with pytest.raises(CommandRefused, match=r"give its node node-cobo0 a restart_ecc \(Setup page\)"):
            ask(rig)

    def test_an_open_run_needs_a_word_that_says_what_it_costs(self, running: Rig) -> None:
        with pytest.raises(CommandRefused, match=r"Run 1 is open\..*Idle while its boards still send.*Confirm it"):
            ask(running)
        with pytest.raises(CommandRefused, match=r"router-cobo0 receives nothing more in this run"):
            ask(running, "router", "router-cobo0")
        assert not Restart.objects.exists()
        assert restart(running, confirm=True).state == "done"
        assert Run.objects.get().state == "running"

    def test_no_word_is_needed_while_the_files_of_a_run_are_moved(self, running: Rig) -> None:
        Run.objects.update(state="closing", stopped_at=running.time.now() + timedelta(seconds=1))
        assert ask(running).state == "queued"

    def test_parts_of_the_same_name_are_not_taken_for_each_other(self, rig: Rig) -> None:
        DataRouter.objects.filter(name="router-cobo0").update(name="ecc-cobo0")
        ask(rig)
        with pytest.raises(CommandRefused, match="Something else that is called ecc-cobo0"):
            ask(rig, "router", "ecc-cobo0")

    def test_a_part_that_was_taken_out_of_the_setup_meanwhile(self, rig: Rig) -> None:
        asked = ask(rig, "router", "router-cobo0")
        Restart.objects.filter(pk=asked.pk).update(data_router=None)
        assert execute_restart(asked.pk, rig.outside)
        asked.refresh_from_db()
        assert (asked.state, "not set up any more" in asked.message) == ("failed", True)

    def test_the_page_is_told_of_the_latest(self, rig: Rig) -> None:
        restart(rig)
        ask(rig)
        ask(rig, "router", "router-cobo1")
        now = rig.time.now()
        first, second = rig.detector.ecc_servers[0].pk, rig.detector.data_routers[1].pk
        assert {key: view.state for key, view in latest_restarts(now).items()} == {
            ("ecc", first): "queued",
            ("router", second): "queued",
        }
        assert latest_restarts(now + timedelta(hours=25)) == {}


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_are_one_restart() -> None:
    rig = make_rig()
    found = race(5, lambda: ask(rig).pk)
    assert len(set(found)) == 1
    assert Restart.objects.count() == 1


class TestNothingIsLeft:
    def test_a_restart_that_no_worker_takes_expires_and_never_fires(self, rig: Rig) -> None:
        asked = ask(rig)
        seen = Rounds(rig)
        seen.for_seconds(14)
        asked.refresh_from_db()
        assert asked.state == "queued"
        seen.for_seconds(2)
        asked.refresh_from_db()
        assert asked.state == "expired"
        assert "No worker took it in time" in asked.message
        assert trail_of(asked)[-1] == ("shifter", "restart", "failed")
        assert not execute_restart(asked.pk, rig.outside)
        assert commands_run(rig) == []

    def test_the_monitor_sweeps_restarts_too(self, rig: Rig) -> None:
        asked = ask(rig)
        rig.sweep(16)
        asked.refresh_from_db()
        assert asked.state == "expired"

    def test_it_is_not_begun_late_even_when_nobody_swept(self, rig: Rig) -> None:
        asked = ask(rig)
        rig.time.elapsed += 16
        assert not execute_restart(asked.pk, rig.outside)

    @pytest.mark.parametrize("step", [-3600.0, 3600.0])
    def test_a_clock_step_starts_nothing_late(self, rig: Rig, step: float) -> None:
        asked = ask(rig)
        rig.time.elapsed += step
        assert not execute_restart(asked.pk, rig.outside)
        Rounds(rig).for_seconds(1)
        asked.refresh_from_db()
        assert asked.state == "expired"

    def test_one_that_got_lost_on_its_way_is_published_again(self, rig: Rig) -> None:
        asked = ask(rig)
        before = asked.published_at
        Rounds(rig).for_seconds(3)
        asked.refresh_from_db()
        assert asked.published_at > before

    def test_one_whose_worker_fell_silent_is_ended_and_its_late_record_counts_no_more(self, ready: Rig) -> None:
        asked = ask(ready)
        now = ready.time.now()
        Restart.objects.filter(pk=asked.pk).update(state="running", claimed_at=now, heartbeat_at=now)
        seen = Rounds(ready)
        seen.for_seconds(4)
        asked.refresh_from_db()
        assert asked.state == "running"
        seen.for_seconds(3)
        assert not end(asked.pk, "done", "It is back.", ready.time.now())
        asked.refresh_from_db()
        assert (asked.state, asked.message) == ("failed", GONE)
        assert [outcome for _, _, outcome in trail_of(asked)] == ["accepted", "failed"]
        assert ask(ready).pk != asked.pk

    def test_one_that_is_under_way_is_left_alone(self, ready: Rig) -> None:
        asked = ask(ready)
        ready.ecc.wedge("ecc-cobo0")
        answer(ready, COBO0, CommandResult(0, ""))
        seen = Rounds(ready)
        sleep = ready.time.sleep

        async def sweep_too(seconds: float) -> None:
            await sleep(seconds)
            await sync_to_async(seen.one)()

        ready.time.sleep = sweep_too
        assert execute_restart(asked.pk, ready.outside)
        asked.refresh_from_db()
        assert "was not restarted" in asked.message
