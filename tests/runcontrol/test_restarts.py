"""Carrying restarts out: what is seen of ECC servers and data routers afterwards, and what is recorded."""

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import BadReply, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.ports import CommandResult
from attpcdaq.live.models import Event
from attpcdaq.topology.models import DataRouter
from get_protocol.state_machine import Transition
from tests.runcontrol.restarting import (
    COBO0,
    ROUTER0,
    answer,
    commands_run,
    restart,
    trail_of,
)
from tests.runcontrol.rig import Rig

pytestmark = pytest.mark.usefixtures("hurry")


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
