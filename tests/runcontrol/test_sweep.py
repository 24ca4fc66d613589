"""What the monitor does when nobody else does it."""

from datetime import timedelta
from uuid import UUID

import pytest

from attpcdaq.runcontrol.doing import claims
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runcontrol.watching.eyes import Eyes
from attpcdaq.runlog.models import Run
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import Rig


def taken(rig: Rig, command: Command) -> Command:
    """A worker takes the command, and is never heard of again."""
    assert claims.claim(command.pk, rig.time.now)
    return command


def test_a_stop_that_no_worker_takes_is_executed_after_a_second(running: Rig) -> None:
    stop = running.request("stop")
    seen: list[UUID] = []
    running.sweep(0.5, seen.append)
    assert seen == []
    running.sweep(0.5, seen.append)
    assert seen[0] == stop.pk
    assert execute(stop.pk, running.outside)
    assert set(running.states().values()) == {"READY"}


def test_a_stop_is_executed_although_the_clock_was_set_back(running: Rig) -> None:
    stop = running.request("stop")
    running.time.set_by(-30)
    seen: list[UUID] = []
    running.sweep(1.5, seen.append)
    assert seen[0] == stop.pk
    assert execute(stop.pk, running.outside)


def test_a_start_that_expired_leaves_a_failed_run_and_sends_nothing(ready: Rig) -> None:
    start = ready.request("start")
    ready.sweep(16)
    start.refresh_from_db()
    assert start.state == "expired"
    run = Run.objects.get()
    assert run.state == "failed"
    assert "No worker took it in time" in run.verdict
    assert not execute(start.pk, ready.outside)


@pytest.mark.parametrize("step", [-3600, -10, -4])
def test_nothing_fires_late_when_the_clock_is_set_back(rig: Rig, step: float) -> None:
    command = rig.request("describe")
    rig.time.set_by(step)
    rig.sweep(16)
    assert not execute(command.pk, rig.outside)
    command.refresh_from_db()
    assert command.state == "expired"
    assert rig.ecc.calls == []


def test_a_clock_that_is_set_makes_nobody_silent(rig: Rig) -> None:
    command = taken(rig, rig.request("describe"))
    for step in (3600, -7200, 60):
        rig.time.set_by(step)
        rig.sweep(1)
        Command.objects.filter(pk=command.pk).update(heartbeat_at=rig.time.now())
    command.refresh_from_db()
    assert (command.state, command.revivals) == ("running", 0)


def test_an_executor_that_vanished_is_missed_although_the_clock_was_set_back(rig: Rig) -> None:
    command = taken(rig, rig.request("describe"))
    rig.time.set_by(-3600)
    rig.sweep(3.5)
    command.refresh_from_db()
    assert command.revivals == 1


def test_nobody_is_silent_for_the_time_in_which_nobody_looked(rig: Rig) -> None:
    command = taken(rig, rig.request("describe"))
    rig.sweep()
    rig.time.elapsed += 60  # the database was away
    rig.sweep(1.5)
    command.refresh_from_db()
    assert command.revivals == 0


def test_an_unclaimed_command_is_published_again(rig: Rig) -> None:
    command = rig.request("describe")
    rig.sweep(1.5)
    command.refresh_from_db()
    assert command.published_at == command.requested_at
    rig.sweep(1)
    command.refresh_from_db()
    assert command.published_at > command.requested_at


def test_a_command_of_a_silent_executor_is_taken_on_by_another_who_reads_first(rig: Rig) -> None:
    command = taken(rig, rig.request("describe"))
    Step.objects.filter(command=command, server_name="ecc-cobo0").update(state="sent", sent_at=rig.time.now())
    rig.ecc.servers["ecc-cobo0"].state = State.DESCRIBED
    rig.sweep(2.5)
    assert Command.objects.get(pk=command.pk).state == "running"
    rig.sweep(1)
    command.refresh_from_db()
    assert (command.state, command.revivals, command.claim) == ("queued", 1, None)
    assert execute(command.pk, rig.outside)
    command.refresh_from_db()
    assert command.state == "done"
    assert rig.calls(Transition.DESCRIBE) == ["ecc-cobo1", "ecc-mutant"]
    assert command.steps.get(server_name="ecc-cobo0").message == "It was Described already."


def test_a_command_that_nobody_takes_on_expires_in_words(rig: Rig) -> None:
    command = taken(rig, rig.request("describe"))
    rig.sweep(20)
    command.refresh_from_db()
    assert command.state == "expired"
    assert "no other took it on in time" in command.message
    assert {step.state for step in command.steps.all()} == {"expired"}


def test_a_command_whose_executors_all_vanish_fails_and_frees_its_steps(rig: Rig) -> None:
    command = rig.request("describe")
    for _ in range(4):
        taken(rig, command)
        Step.objects.filter(command=command, server_name="ecc-cobo0").update(state="sent")
        rig.sweep(3.5)
    command.refresh_from_db()
    assert (command.state, command.revivals) == ("failed", 3)
    assert {step.state for step in command.steps.all()} == {"failed", "skipped"}


def test_a_start_whose_workers_vanished_before_anything_was_sent_has_failed(ready: Rig) -> None:
    taken(ready, ready.request("start"))
    ready.sweep(20)
    assert Run.objects.get().state == "failed"


def test_a_start_whose_worker_vanished_half_way_is_brought_to_its_end_by_another(ready: Rig) -> None:
    start = taken(ready, ready.request("start"))
    Run.objects.update(state="starting")
    Step.objects.filter(command=start, server_name="ecc-cobo0").update(state="sent", sent_at=ready.time.now())
    ready.ecc.servers["ecc-cobo0"].state = State.RUNNING
    ready.sweep(3.5)
    assert execute(start.pk, ready.outside)
    assert Run.objects.get().state == "running"
    assert ready.calls(Transition.START) == ["ecc-cobo1", "ecc-mutant"]


def test_a_start_of_which_something_was_sent_and_that_nobody_takes_on_is_stopped_by_the_daq(ready: Rig) -> None:
    start = taken(ready, ready.request("start"))
    Run.objects.update(state="starting")
    Step.objects.filter(command=start, server_name="ecc-cobo0").update(state="sent", sent_at=ready.time.now())
    ready.ecc.servers["ecc-cobo0"].state = State.RUNNING
    ready.sweep(25, lambda pk: execute(pk, ready.outside))
    assert set(ready.states().values()) == {"READY"}
    run = Run.objects.get()
    assert run.state == "closing"
    assert "no other took it on in time" in run.verdict


def test_a_lost_close_out_is_asked_for_again_while_nobody_moves_files(running: Rig) -> None:
    running.do("stop")
    run = Run.objects.get()
    asked = run.files_asked_at
    running.sweep(3.5)
    run.refresh_from_db()
    assert run.files_asked_at > asked
    Run.objects.update(files_moving_at=running.time.now())
    running.sweep(0.5)
    before = Run.objects.get().files_asked_at
    running.sweep(3)
    assert Run.objects.get().files_asked_at == before
    running.sweep(1.5)
    assert Run.objects.get().files_asked_at > before


def test_eyes_forget_what_is_not_looked_at_any_more() -> None:
    clock = [0.0]
    eyes = Eyes(lambda: clock[0])
    silent = []
    for value in ("a", "a", "b", "b"):
        eyes.open()
        silent.append(eyes.same_for("key", value))
        clock[0] += 0.5
    assert silent == [0.0, 0.5, 0.0, 0.5]
    eyes.open()
    clock[0] += 0.5
    eyes.open()
    assert eyes.same_for("key", "b") == 0.0


def test_one_part_that_fails_keeps_no_other_from_its_work(running: Rig) -> None:
    stop = running.request("stop")
    seen: list[UUID] = []

    def broken(command_id: UUID) -> None:
        seen.append(command_id)
        raise RuntimeError("boom")

    Run.objects.update(state="closing", stopped_at=running.time.now() + timedelta(seconds=1))
    with pytest.raises(RuntimeError, match="boom"):
        running.sweep(1, broken)
    assert seen == [stop.pk]
    assert Run.objects.get().files_asked_at is not None
