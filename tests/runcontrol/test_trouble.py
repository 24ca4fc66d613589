"""Whatever breaks, nothing is left with nobody at work on it, and nothing is believed that was not read."""

import asyncio
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.db import OperationalError

from attpcdaq.runcontrol.doing import claims
from attpcdaq.runcontrol.doing.beating import beating
from attpcdaq.runcontrol.doing.execute import carry_out, execute
from attpcdaq.runcontrol.doing.live_wait import LOOK_EVERY
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import ConfigSet, ECCServer
from get_protocol.state_machine import Transition
from tests.runcontrol.rig import Rig


def at_call(rig: Rig, transition: Transition, name: str, *, before=None, after=None) -> None:
    """Let something happen while a call to one server is under way."""
    real = rig.ecc.transition

    async def call(server, asked, *rest):
        mine = asked is transition and server.name == name
        if mine and before is not None:
            await before()
        reply = await real(server, asked, *rest)
        if mine and after is not None:
            await after()
        return reply

    rig.ecc.transition = call


class TestBrokenExecutor:
    def test_a_step_that_breaks_does_not_forbid_later_calls(self, rig: Rig) -> None:
        rig.break_call("ecc-cobo0", Transition.DESCRIBE, RuntimeError("boom"), times=1)
        failed = rig.do("describe")
        assert failed.state == "failed"
        assert "boom" in failed.message
        assert failed.steps.get(server_name="ecc-cobo0").state == "failed"
        assert rig.do("describe").state == "done"

    def test_a_command_that_breaks_off_says_so_at_once(self, ready: Rig) -> None:
        start = ready.request("start")

        async def sleep(seconds: float) -> None:
            if seconds == LOOK_EVERY:
                raise RuntimeError("boom")
            await ready.time.sleep(seconds)

        outside = ready.outside()
        object.__setattr__(outside, "sleep", sleep)
        assert execute(start.pk, lambda: outside)
        start.refresh_from_db()
        assert start.state == "failed"
        assert "It broke off" in start.message
        run = Run.objects.get()
        assert (run.state, "boom" in run.verdict) == ("starting", True)
        assert ready.do("stop").state == "done"
        assert Run.objects.get().state == "closing"

    def test_a_heartbeat_outlives_a_database_that_was_away_for_a_moment(self, rig: Rig) -> None:
        said: list[datetime] = []
        often = asyncio.Event()

        def say(now: datetime) -> None:
            said.append(now)
            if len(said) == 1:
                raise OperationalError("gone")
            often.set()

        async def work() -> None:
            async with beating(say, rig.outside()), asyncio.timeout(10):
                await often.wait()

        async_to_sync(work)()
        assert len(said) == 2

    def test_a_stop_whose_worker_was_killed_is_taken_over(self, running: Rig) -> None:
        stop = running.request("stop")
        assert claims.claim(stop.pk, running.time.now)
        Step.objects.filter(command=stop, server_name="ecc-mutant").update(state="sent")
        taken: list = []
        running.sweep(1.5, taken.append)
        assert taken == []
        running.sweep(1, taken.append)
        assert taken[0] == stop.pk
        assert execute(stop.pk, running.outside)
        stop.refresh_from_db()
        assert stop.state == "done"
        assert set(running.states().values()) == {"READY"}
        assert Run.objects.get().state == "closing"


class TestStopMeetsStart:
    def test_a_stop_of_one_board_before_the_start_began_ends_the_run(self, ready: Rig) -> None:
        ready.request("start")
        stop = ready.request("stop", ["ecc-cobo0"])
        assert stop.targets is None
        assert execute(stop.pk, ready.outside)
        assert Run.objects.get().state == "failed"
        assert ready.calls(Transition.START) == []

    def test_a_stop_of_one_board_while_the_others_start_stops_them_all(self, ready: Rig) -> None:
        stops: list[Command] = []

        async def press() -> None:
            stops.append(await sync_to_async(ready.request)("stop", ["ecc-cobo0"]))

        at_call(ready, Transition.START, "ecc-cobo0", after=press)
        start = ready.do("start")
        assert (start.state, start.message) == ("failed", "A Stop came first.")
        assert execute(stops[0].pk, ready.outside)
        assert set(ready.states().values()) == {"READY"}
        run = Run.objects.get()
        assert (run.state, run.verdict) == ("closing", "A Stop came before all boards were seen Running.")

    def test_a_stop_does_not_believe_ready_while_a_start_is_on_its_way(self, ready: Rig) -> None:
        at_work: list[asyncio.Task[bool]] = []
        looked = asyncio.Event()
        read_state = ready.ecc.get_state

        async def get_state(server, timeout):
            if at_work and server.name == "ecc-cobo0":
                looked.set()
            return await read_state(server, timeout)

        async def overtake() -> None:
            stop = await sync_to_async(ready.request)("stop")
            at_work.append(asyncio.create_task(carry_out(stop.pk, ready.outside)))
            await looked.wait()

        ready.ecc.get_state = get_state
        at_call(ready, Transition.START, "ecc-cobo0", before=overtake)
        start = ready.request("start")

        async def both() -> None:
            await carry_out(start.pk, ready.outside)
            await at_work[0]

        async_to_sync(both)()
        assert set(ready.states().values()) == {"READY"}
        assert ready.calls(Transition.STOP).count("ecc-cobo0") == 1

    def test_a_narrower_stop_joins_and_a_crossing_one_takes_nothing_away(self, running: Rig) -> None:
        both = running.request("stop", ["ecc-cobo0", "ecc-cobo1"])
        assert running.request("stop", ["ecc-cobo1"]).pk == both.pk
        crossing = running.request("stop", ["ecc-cobo1", "ecc-mutant"])
        assert execute(both.pk, running.outside)
        assert execute(crossing.pk, running.outside)
        assert set(running.states().values()) == {"READY"}

    def test_a_stop_of_one_board_finishes_what_the_breakup_it_overtakes_began(self, running: Rig) -> None:
        stops: list[Command] = []

        async def press() -> None:
            stops.append(await sync_to_async(running.request)("stop", ["ecc-cobo0"]))

        at_call(running, Transition.STOP, "ecc-mutant", after=press)
        breakup = running.do("breakup", confirm=True)
        assert (breakup.state, breakup.message) == ("failed", "A Stop came first.")
        assert execute(stops[0].pk, running.outside)
        assert set(running.states().values()) == {"READY"}
        assert Run.objects.get().state == "closing"


class TestRunsTellTheTruth:
    def test_a_run_is_not_stopping_because_somebody_asked_for_it(self, running: Rig) -> None:
        breakup = running.request("breakup", confirm=True)
        running.sweep(16)
        breakup.refresh_from_db()
        assert breakup.state == "expired"
        assert Run.objects.get().state == "running"

    def test_a_server_that_is_dead_for_good_does_not_keep_the_run_open(self, running: Rig) -> None:
        running.ecc.take_down("ecc-cobo1")
        assert running.do("stop").state == "failed"
        assert Run.objects.get().state == "stopping"
        shot = snapshot(running.time.now())
        assert any("was not seen stopped" in reason for reason in shot.overall.reasons)
        running.time.elapsed += 61
        running.do("stop")
        run = Run.objects.get()
        assert run.state == "closing"
        assert run.verdict == "Not seen stopped, for nothing answered any more: ecc-cobo1."

    def test_a_clock_that_stepped_back_does_not_keep_the_run_open(self, running: Rig) -> None:
        running.time.set_by(-3600)
        assert running.do("stop").state == "done"
        run = Run.objects.get()
        assert run.state == "closing"
        assert run.stopped_at > run.started_at

    def test_what_was_seen_in_the_future_is_unknown(self, ready: Rig) -> None:
        shot = snapshot(ready.time.now() - timedelta(hours=1))
        assert {server.state for server in shot.ecc_servers} == {"unknown"}
        assert not shot.monitor_alive

    def test_no_run_is_recorded_with_a_configuration_the_boards_do_not_have(self, ready: Rig) -> None:
        server = ready.detector.ecc_servers[0]
        other = ConfigSet.objects.get(ecc_server=server, describe="cobo0", configure="fullreadout")
        ECCServer.objects.filter(pk=server.pk).update(config_set=other)
        start = ready.do("start")
        assert start.state == "done"
        again = start.steps.filter(ecc_server=server, transition__in=(Transition.PREPARE, Transition.CONFIGURE))
        assert [step.config for step in again] == ["fullreadout", "fullreadout"]
        assert start.run is not None
        assert start.run.configuration["ecc-cobo0"]["config"] == str(other)

    def test_the_cobos_are_stopped_within_five_seconds_when_the_mutant_hangs_in_its_call(self, running: Rig) -> None:
        times: list[float] = []

        async def hang() -> None:
            running.ecc.hang("ecc-mutant")

        async def note() -> None:
            times.append(running.time.elapsed)

        at_call(running, Transition.STOP, "ecc-mutant", before=hang)
        at_call(running, Transition.STOP, "ecc-cobo0", before=note)
        # Heartbeats move the time on while the database works, so it must not run far ahead of a slow machine.
        running.time.factor = 2.0
        began = running.time.elapsed
        assert running.do("stop").state == "failed"
        assert times[0] - began < 5


class TestOverall:
    def test_a_run_on_its_way_with_nobody_at_work_is_bad(self, ready: Rig) -> None:
        start = ready.request("start")
        Command.objects.filter(pk=start.pk).update(state="failed")
        shot = snapshot(ready.time.now() + timedelta(seconds=3))
        assert shot.overall.level == "bad"
        assert "Run 1 is requested, but nobody is at work on it any more. Press Stop." in shot.overall.reasons

    def test_files_that_nobody_moves_are_said(self, running: Rig) -> None:
        running.do("stop")
        assert snapshot(running.time.now()).overall.level == "busy"
        running.time.elapsed += 30
        running.look()
        assert "Nobody moves the files of run 1" in snapshot(running.time.now()).overall.reasons[0]

    def test_boards_that_run_again_while_files_are_moved_are_said(self, running: Rig) -> None:
        running.do("stop")
        running.ecc.restart("ecc-cobo0")
        running.ecc.servers["ecc-cobo0"].state = type(running.ecc.state("ecc-cobo0"))["RUNNING"]
        running.look()
        [reason] = snapshot(running.time.now()).overall.reasons
        assert reason == "Running although run 1 has stopped: ecc-cobo0. Press Stop."

    def test_an_error_is_forgotten_when_the_server_got_there_after_all(self, rig: Rig) -> None:
        rig.break_call("ecc-cobo0", Transition.DESCRIBE, None, times=1)
        rig.do("describe")
        assert snapshot(rig.time.now()).ecc_servers[0].last_error
        rig.ecc.servers["ecc-cobo0"].state = rig.ecc.state("ecc-cobo1")
        rig.look()
        shot = snapshot(rig.time.now())
        assert shot.ecc_servers[0].last_error == ""
        assert shot.overall.title == "Described"
