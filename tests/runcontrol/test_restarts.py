"""Restarting ECC servers and data routers: what is asked for, what is seen, and what is recorded."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ, Requester
from attpcdaq.gateways.errors import BadReply, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.ports import CommandResult
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.eyes import Eyes
from attpcdaq.runcontrol.models import Restart
from attpcdaq.runcontrol.outside import Outside
from attpcdaq.runcontrol.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.restarting import execute_restart
from attpcdaq.runcontrol.restarts import GONE, end, latest_restarts, look_after, request_restart, restart_action
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import DataRouter, ECCServer, Node
from get_protocol.state_machine import Transition
from tests.racing import race
from tests.runcontrol.rig import SHIFTER, Rig, make_rig

EXPERT = Requester("expert", role="expert", origin="192.168.4.7")
COBO0 = "systemctl restart ecc-cobo0"
ROUTER0 = "systemctl restart router-cobo0"


@pytest.fixture(autouse=True)
def hurry(request: pytest.FixtureRequest) -> None:
    """A minute's wait is over in a moment."""
    if "rig" in request.fixturenames:
        request.getfixturevalue("rig").time.factor = 1000.0


def ask(rig: Rig, kind: str = "ecc", name: str = "ecc-cobo0", by: Requester = SHIFTER, **more) -> Restart:
    return request_restart(kind, name, by, now=rig.time.now(), **more)


def outside(rig: Rig) -> Outside:
    """Nobody else looks at the hardware meanwhile."""
    return Outside(rig.ecc, rig.nodes, rig.time.now, rig.time.sleep, rig.time.monotonic)


def restart(rig: Rig, kind: str = "ecc", name: str = "ecc-cobo0", **more) -> Restart:
    """Request and carry out, as a worker would."""
    asked = ask(rig, kind, name, **more)
    assert execute_restart(asked.pk, lambda: outside(rig))
    asked.refresh_from_db()
    rig.look()
    return asked


def answer(rig: Rig, command: str, result: CommandResult, node: str = "node-cobo0") -> None:
    rig.nodes.teach(node, command, lambda: result)


def commands_run(rig: Rig, node: str = "node-cobo0") -> list[str]:
    return rig.nodes.nodes[node].commands_run


def trail_of(row: Restart) -> list[tuple[str, str, str]]:
    return [(e.who, e.what, e.outcome) for e in Entry.objects.filter(command=row.pk).order_by("id")]


class TestEccServer:
    def test_a_wedged_server_is_idle_after_its_restart_and_goes_to_ready(self, ready: Rig) -> None:
        ready.ecc.wedge("ecc-cobo0")
        done = restart(ready)
        assert (done.state, done.command, done.node) == ("done", COBO0, "node-cobo0")
        assert done.message == "ecc-cobo0 answers again and is Idle. Go to Ready takes it on from there."
        assert commands_run(ready) == [COBO0]
        assert trail_of(done) == [("shifter", "restart", "accepted"), ("shifter", "restart", "done")]
        assert ready.do("go_ready").state == "done"
        assert set(ready.states().values()) == {"READY"}

    def test_a_call_that_hangs_in_the_server_ends_with_its_process(self, rig: Rig) -> None:
        rig.ecc.servers["ecc-cobo0"].doing = Transition.PREPARE
        rig.ecc.servers["ecc-cobo0"].done_at = 1e9
        done = restart(rig)
        assert done.state == "done"
        assert rig.do("go_ready").state == "done"

    def test_a_router_that_has_not_seen_the_old_connection_close_is_asked_twice(self, ready: Rig) -> None:
        ready.ecc.wedge("ecc-cobo0")
        restart(ready)
        ready.ecc.calls.clear()
        ready.break_call("ecc-cobo0", Transition.CONFIGURE, Refused("... refused (errno=111).", 3), times=1)
        done = ready.do("go_ready")
        assert done.state == "done", done.message
        assert ready.calls(Transition.CONFIGURE).count("ecc-cobo0") == 2

    def test_one_that_refuses_for_good_is_said(self, ready: Rig) -> None:
        restart(ready)
        ready.ecc.calls.clear()
        ready.break_call("ecc-cobo0", Transition.CONFIGURE, Refused("... refused (errno=111).", 3))
        failed = ready.do("go_ready")
        assert (failed.state, "refused (errno=111)" in failed.message) == ("failed", True)
        assert ready.calls(Transition.CONFIGURE).count("ecc-cobo0") == 2

    def test_otherwise_a_refusal_counts_at_once(self, ready: Rig) -> None:
        assert ready.do("breakup").state == "done"
        ready.ecc.calls.clear()
        ready.break_call("ecc-cobo0", Transition.CONFIGURE, Refused("... refused (errno=111).", 3), times=1)
        assert ready.do("configure").state == "failed"
        assert ready.calls(Transition.CONFIGURE).count("ecc-cobo0") == 1

    def test_a_stop_between_the_two_tries_is_heeded(self, ready: Rig) -> None:
        restart(ready)
        ready.ecc.calls.clear()
        ready.break_call("ecc-cobo0", Transition.CONFIGURE, Refused("... refused (errno=111).", 3), times=1)
        call = ready.ecc.transition

        async def press_stop(server, transition, config, links, timeout):
            try:
                return await call(server, transition, config, links, timeout)
            except Refused:
                await sync_to_async(ready.request)("stop")
                raise

        ready.ecc.transition = press_stop
        failed = ready.do("go_ready")
        assert failed.state == "failed"
        assert ready.calls(Transition.CONFIGURE).count("ecc-cobo0") == 1
        step = failed.steps.get(server_name="ecc-cobo0", transition=Transition.CONFIGURE)
        assert (step.state, "errno=111" in step.message) == ("failed", True)

    def test_another_state_than_idle_is_said(self, ready: Rig) -> None:
        ready.ecc.wedge("ecc-cobo0")
        answer(ready, COBO0, CommandResult(0, ""))
        began = ready.time.elapsed
        failed = restart(ready)
        assert (failed.state, failed.message) == ("failed", "ecc-cobo0 is Wedged, not Idle: it was not restarted.")
        assert 59 < ready.time.elapsed - began < 63
        assert trail_of(failed)[-1] == ("shifter", "restart", "failed")
        assert Event.objects.filter(topic="ecc", severity="error", text__contains="was not restarted").exists()

    def test_a_server_that_does_not_come_back_is_said(self, ready: Rig) -> None:
        ready.ecc.take_down("ecc-cobo0")
        answer(ready, COBO0, CommandResult(0, ""))
        failed = restart(ready)
        assert failed.state == "failed"
        assert failed.message == "ecc-cobo0 did not come back within 60 s: ecc-cobo0: connection refused"

    def test_one_that_takes_its_time_is_waited_for(self, ready: Rig) -> None:
        ready.ecc.take_down("ecc-cobo0")
        until = ready.time.elapsed + 20
        sleep = ready.time.sleep

        async def wake_up(seconds: float) -> None:
            await sleep(seconds)
            if ready.time.elapsed > until:
                ready.ecc.restart("ecc-cobo0")

        ready.time.sleep = wake_up
        answer(ready, COBO0, CommandResult(0, ""))
        assert restart(ready).state == "done"


class TestRouter:
    def test_a_router_is_another_process_after_its_restart_and_its_board_is_connected_anew(self, ready: Rig) -> None:
        done = restart(ready, "router", "router-cobo0")
        assert (done.state, done.command) == ("done", ROUTER0)
        assert done.message.startswith("router-cobo0 runs again (process ")
        assert "Breakup and Configure" in done.message
        assert done.data_router.live.restarted_at is not None
        assert ready.do("go_ready").state == "done"
        assert ready.do("start").state == "done"
        assert "ecc-cobo0" in ready.calls(Transition.BREAKUP)

    def test_a_dead_router_runs_again(self, ready: Rig) -> None:
        ready.nodes.stop_router("node-cobo0", ready.detector.data_routers[0].port)
        assert restart(ready, "router", "router-cobo0").state == "done"

    def test_the_same_process_is_no_restart(self, ready: Rig) -> None:
        answer(ready, ROUTER0, CommandResult(0, ""))
        failed = restart(ready, "router", "router-cobo0")
        assert failed.state == "failed"
        assert "is still the same process" in failed.message

    def test_one_that_does_not_run_afterwards_is_said(self, ready: Rig) -> None:
        ready.nodes.stop_router("node-cobo0", ready.detector.data_routers[0].port)
        answer(ready, ROUTER0, CommandResult(0, ""))
        failed = restart(ready, "router", "router-cobo0")
        assert (failed.state, failed.message) == ("failed", "router-cobo0 is not running 60 s later.")

    def test_an_fdt_router_needs_nothing_more(self, ready: Rig) -> None:
        DataRouter.objects.filter(name="router-cobo0").update(link_type="FDT")
        assert restart(ready, "router", "router-cobo0").message.endswith("Its board connects at the next Start.")


class TestCommand:
    def test_a_command_that_fails_is_quoted_and_nothing_is_waited_for(self, ready: Rig) -> None:
        answer(ready, COBO0, CommandResult(5, "Unit ecc-cobo0.service not found."))
        began = ready.time.elapsed
        failed = restart(ready)
        expected = f"'{COBO0}' on node-cobo0 ended with status 5: Unit ecc-cobo0.service not found."
        assert (failed.state, failed.message) == ("failed", expected)
        assert ready.time.elapsed - began < 5

    def test_a_node_that_cannot_be_reached(self, ready: Rig) -> None:
        ready.nodes.take_down("node-cobo0", Unreachable("node-cobo0: connection refused"))
        failed = restart(ready)
        assert (failed.state, failed.message) == ("failed", "node-cobo0: connection refused. Nothing was done.")

    @pytest.mark.parametrize("lost", [NoAnswer("node-cobo0: no answer within 30 s"), BadReply("node-cobo0: garbage")])
    def test_a_command_that_never_ends_is_judged_by_what_is_seen(self, ready: Rig, lost: Exception) -> None:
        ready.nodes.teach("node-cobo0", COBO0, self._lost_after(lost, lambda: ready.ecc.restart("ecc-cobo0")))
        assert restart(ready).state == "done"
        failed = restart(ready)  # Idle before, Idle afterwards
        assert failed.state == "failed"
        assert failed.message.startswith(f"What '{COBO0}' did is not known: {lost}.")
        assert failed.message.endswith("Idle, as it was before: whether it was restarted cannot be told.")

    def test_a_node_that_hangs_ends_the_restart_in_time(self, ready: Rig) -> None:
        ready.nodes.hang("node-cobo0")
        began = ready.time.elapsed
        failed = restart(ready, "router", "router-cobo0")
        assert failed.state == "failed"
        assert "no answer within 30 s" in failed.message
        assert ready.time.elapsed - began < 66

    @staticmethod
    def _lost_after(error: Exception, act: Callable[[], None]) -> Callable[[], CommandResult]:
        def run() -> CommandResult:
            act()
            raise error

        return run

    def test_what_breaks_inside_is_said_and_ends_it(self, ready: Rig) -> None:
        ready.nodes.teach("node-cobo0", COBO0, self._lost_after(RuntimeError("boom"), lambda: None))
        failed = restart(ready)
        assert (failed.state, "It broke off" in failed.message, "boom" in failed.message) == ("failed", True, True)


class TestAsking:
    def test_two_presses_are_one_restart(self, ready: Rig) -> None:
        first = ask(ready)
        assert ask(ready, by=SHIFTER).pk == first.pk
        assert execute_restart(first.pk, ready.outside)
        assert not execute_restart(first.pk, ready.outside)
        assert commands_run(ready) == [COBO0]
        assert ask(ready).pk != first.pk

    def test_who_asks_from_where_is_recorded(self, ready: Rig) -> None:
        DAQ_restart = ask(ready, by=DAQ)  # noqa: N806
        assert (DAQ_restart.requested_by, DAQ_restart.origin) == ("DAQ", "the DAQ itself")
        entry = Entry.objects.get(command=DAQ_restart.pk)
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
            ("node", "node-cobo0", "subject_kind: 'node' is not one of ecc, router."),
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
        Run.objects.update(state="closing", stopped_at=running.time.now())
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


class Rounds:
    """The rounds of a sweeper, twice a second."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._eyes = Eyes(rig.time.monotonic)

    def one(self) -> None:
        self._eyes.open()
        look_after(self._rig.time.now(), self._eyes)

    def for_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.one()
            self._rig.time.elapsed += 0.5
