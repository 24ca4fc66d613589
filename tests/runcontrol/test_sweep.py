"""What the monitor does when nobody else does it."""

from datetime import timedelta

import pytest

from attpcdaq.runcontrol.execute import execute
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runcontrol.sweep import sweep
from attpcdaq.runlog.models import Run
from tests.runcontrol.rig import Rig


def later(rig: Rig, seconds: float):
    return rig.time.now() + timedelta(seconds=seconds)


def test_a_stop_that_no_worker_takes_is_executed_after_a_second(rig: Rig) -> None:
    rig.make_ready()
    rig.do("start")
    stop = rig.request("stop")
    taken = []
    sweep(stop.requested_at + timedelta(seconds=0.5), taken.append)
    assert taken == []
    sweep(stop.requested_at + timedelta(seconds=1.1), taken.append)
    assert taken == [stop.pk]
    assert execute(taken[0], rig.outside)
    assert set(rig.states().values()) == {"READY"}


def test_a_start_that_expired_leaves_a_failed_run_and_sends_nothing(rig: Rig) -> None:
    rig.make_ready()
    start = rig.request("start")
    sweep(later(rig, 16), lambda _: None)
    start.refresh_from_db()
    assert start.state == "expired"
    run = Run.objects.get()
    assert run.state == "failed"
    assert "No worker took it in time" in run.verdict
    assert not execute(start.pk, rig.outside)


def test_nothing_fires_late_when_the_clock_stepped_back(rig: Rig) -> None:
    command = rig.request("describe")
    rig.time.elapsed -= 3600
    assert not execute(command.pk, rig.outside)
    sweep(rig.time.now(), lambda _: None)
    command.refresh_from_db()
    assert command.state == "expired"


def test_an_executor_that_vanished_before_the_clock_stepped_back_is_missed_all_the_same(rig: Rig) -> None:
    command = rig.request("describe")
    Command.objects.filter(pk=command.pk).update(state="running", heartbeat_at=rig.time.now())
    sweep(rig.time.now() - timedelta(hours=1), lambda _: None)
    command.refresh_from_db()
    assert command.state == "failed"


def test_an_unclaimed_command_is_published_again(rig: Rig) -> None:
    command = rig.request("describe")
    Command.objects.filter(pk=command.pk).update(published_at=command.requested_at)
    again = command.requested_at + timedelta(seconds=2.5)
    sweep(again, lambda _: None)
    command.refresh_from_db()
    assert command.published_at >= again
    sweep(again + timedelta(seconds=1), lambda _: None)
    assert Command.objects.get(pk=command.pk).published_at == command.published_at


def test_a_vanished_executor_ends_its_command_and_frees_its_steps(rig: Rig) -> None:
    command = rig.request("describe")
    Command.objects.filter(pk=command.pk).update(state="running", heartbeat_at=rig.time.now())
    Step.objects.filter(command=command, server_name="ecc-cobo0").update(state="sent")
    sweep(later(rig, 5), lambda _: None)
    assert Command.objects.get(pk=command.pk).state == "running"
    sweep(later(rig, 12), lambda _: None)
    command.refresh_from_db()
    assert (command.state, "worker" in command.message) == ("failed", True)
    assert {step.state for step in command.steps.all()} == {"failed", "skipped"}


@pytest.mark.parametrize(("sent", "state"), [(False, "failed"), (True, "starting")])
def test_a_start_whose_worker_vanished(rig: Rig, sent: bool, state: str) -> None:
    rig.make_ready()
    start = rig.request("start")
    Command.objects.filter(pk=start.pk).update(state="running", heartbeat_at=rig.time.now())
    Run.objects.update(state="starting")
    if sent:
        Step.objects.filter(command=start, server_name="ecc-cobo0").update(state="sent", sent_at=rig.time.now())
    sweep(later(rig, 12), lambda _: None)
    assert Run.objects.get().state == state
    if sent:
        assert rig.do("stop").state == "done"
        assert Run.objects.get().state == "closing"


def test_a_lost_close_out_is_asked_for_again_while_nobody_moves_files(rig: Rig) -> None:
    rig.make_ready()
    rig.do("start")
    rig.do("stop")
    run = Run.objects.get()
    asked = run.files_asked_at
    sweep(asked + timedelta(seconds=4), lambda _: None)
    run.refresh_from_db()
    assert run.files_asked_at > asked
    Run.objects.update(files_moving_at=asked + timedelta(seconds=5))
    before = run.files_asked_at
    sweep(asked + timedelta(seconds=12), lambda _: None)
    assert Run.objects.get().files_asked_at == before
    sweep(asked + timedelta(seconds=16), lambda _: None)
    assert Run.objects.get().files_asked_at > before
