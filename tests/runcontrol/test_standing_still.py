"""Who stood still, or was away, for long: what was meant for then does not happen now."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import Unreachable
from attpcdaq.runcontrol.asking import gate
from attpcdaq.runcontrol.asking.commands import request_set_aside
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.restarts import AT_ONCE, request_restart
from attpcdaq.runcontrol.closing.close_out import close_out
from attpcdaq.runcontrol.doing import claims
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.models import Command, Restart
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import ECCServer, Node
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig
from tests.runcontrol.test_stop import growing

GRAW = "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw"


class Killed(BaseException):
    """As kill -9: nothing handles it."""


def sleeping(rig: Rig, act) -> Outside:
    """The rig's outside, where `act` is called (in the thread of the database) whenever somebody waits."""
    outside = rig.outside()

    async def sleep(seconds: float) -> None:
        await sync_to_async(act)()
        await outside.sleep(seconds)

    return Outside(outside.ecc, outside.nodes, outside.now, sleep, monotonic=outside.monotonic)


def test_after_a_power_cut_nothing_goes_on_by_itself(ready: Rig) -> None:
    start = ready.request("start")
    assert claims.claim(start.pk, ready.time.now) is not None
    ready.sweep(1)
    ready.time.elapsed += 1200
    ready.sweep(3.5)
    start.refresh_from_db()
    assert (start.state, start.revivals) == ("failed", 0)
    assert ready.calls(Transition.START) == []
    assert Run.objects.get().state == "failed"


def test_a_start_from_paused_that_is_taken_over_does_not_end_its_own_run(ready: Rig) -> None:
    ready.ecc.servers["ecc-cobo0"].state = State.PAUSED
    ready.look()
    start = ready.request("start")

    def die_once_the_cobos_were_told() -> None:
        if "ecc-cobo1" in ready.calls(Transition.START):
            raise Killed

    with pytest.raises(Killed):
        execute(start.pk, lambda: sleeping(ready, die_once_the_cobos_were_told))
    ready.sweep(4)
    assert execute(start.pk, ready.outside)
    start.refresh_from_db()
    assert (start.state, start.revivals) == ("done", 1)
    assert Run.objects.get().state == "running"
    assert set(ready.states().values()) == {"RUNNING"}


def test_one_look_is_no_proof_that_files_are_quiet(running: Rig) -> None:
    stop = running.request("stop")
    outside = growing(running, running.time.elapsed + 1000)
    looks, real = [], outside.nodes.list_graw

    async def list_graw(node, directory, timeout):
        looks.append(node.name)
        if looks.count(node.name) == 1:
            raise Unreachable("the log-in took too long")
        return await real(node, directory, timeout)

    running.nodes.list_graw = list_graw
    assert execute(stop.pk, lambda: outside)
    stop.refresh_from_db()
    assert stop.message == "Not stopped: the files of CoBo[0] (router-cobo0) still grow, so data still come."
    assert Run.objects.get().state == "stopping"


def test_a_mover_that_stood_still_leaves_the_next_runs_files_alone(running: Rig) -> None:
    running.write(0, GRAW)
    assert running.do("stop").state == "done"
    run = Run.objects.get()
    stood_still = []

    def stand_still() -> None:
        if not stood_still:
            stood_still.append(True)
            # Meanwhile the sweeper took it, and somebody else closed the run.
            Run.objects.filter(pk=run.pk).update(state="closed", closed_at=running.time.now())
            running.write(0, "CoBo0_AsAd0_2026-11-22T09:59:59.000_0000.graw", b"of the next run")

    close_out(run.pk, lambda: sleeping(running, stand_still))
    run.refresh_from_db()
    assert stood_still
    assert run.state == "closed"
    router = running.detector.data_routers[0]
    inside = running.nodes.names(router.node.name, router.staging_dir)
    assert "CoBo0_AsAd0_2026-11-22T09:59:59.000_0000.graw" in inside


def test_a_worker_that_died_setting_files_aside_holds_nobody_up(ready: Rig) -> None:
    ready.write(0, GRAW)
    ready.look()
    now = ready.time.now()
    request_set_aside(SHIFTER, now)
    assert gate.claim_set_aside(now) == ""
    assert gate.set_aside_is_under_way(now + timedelta(seconds=1))
    request_set_aside(SHIFTER, now + timedelta(seconds=1))
    assert gate.claim_set_aside(now + timedelta(seconds=1)) == "It is being done already."
    assert not gate.set_aside_is_under_way(now + timedelta(seconds=8))


def test_a_worker_that_stood_still_setting_files_aside_leaves_the_next_runs_files_alone(ready: Rig) -> None:
    request_set_aside(SHIFTER, ready.time.now())
    assert gate.claim_set_aside(ready.time.now()) == ""
    ready.time.elapsed += 7
    assert ready.request("start").state == "queued"
    gate.still_setting_aside(ready.time.now())
    assert not gate.is_setting_aside(ready.time.now())


def test_no_run_starts_into_a_restart(ready: Rig) -> None:
    Node.objects.update(restart_ecc="systemctl restart {name}")
    request_restart("ecc", "ecc-cobo1", SHIFTER, now=ready.time.now())
    with pytest.raises(CommandRefused, match="ecc-cobo1: it is being restarted"):
        ready.request("start")
    Restart.objects.update(state="done")
    assert ready.request("start").state == "queued"


def test_the_restart_of_who_is_excluded_keeps_no_run_waiting(ready: Rig) -> None:
    Node.objects.update(restart_ecc="systemctl restart {name}", restart_router="systemctl restart {name}")
    exclude("ecc-cobo1", "no gas", SHIFTER, ready.time.now())
    request_restart("ecc", "ecc-cobo1", SHIFTER, now=ready.time.now())
    request_restart("router", "router-cobo1", SHIFTER, now=ready.time.now())
    assert ready.request("start").state == "queued"


def test_restarts_leave_room_for_commands(ready: Rig) -> None:
    Node.objects.update(restart_ecc="systemctl restart {name}", restart_router="systemctl restart {name}")
    for number in range(AT_ONCE):
        Restart.objects.create(
            subject=f"part{number}", requested_at=ready.time.now(), expires_at=ready.time.now() + timedelta(seconds=15)
        )
    with pytest.raises(CommandRefused, match=r"part0.*are under way"):
        request_restart("ecc", "ecc-cobo1", SHIFTER, now=ready.time.now())


def test_a_stop_of_who_is_no_part_of_the_run_stops_nobody_else(running: Rig) -> None:
    Run.objects.update(state="starting")
    exclude("ecc-cobo1", "no gas", SHIFTER, running.time.now())
    alone = running.request("stop", ["ecc-cobo1"])
    assert alone.targets == ["ecc-cobo1"]
    assert running.request("stop", ["ecc-cobo0"]).targets is None


def test_a_stop_joins_only_one_that_reaches_its_server(ready: Rig) -> None:
    exclude("ecc-cobo1", "no gas", SHIFTER, ready.time.now())
    whole = ready.request("stop")
    assert not whole.steps.filter(server_name="ecc-cobo1").exists()
    alone = ready.request("stop", ["ecc-cobo1"])
    assert alone.pk != whole.pk
    assert Command.objects.filter(action="stop").count() == 2
    assert ECCServer.objects.filter(steps__command=alone).get().name == "ecc-cobo1"
