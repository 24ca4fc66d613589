"""A run that nobody is at work on goes where the hardware is, and says so."""

from dataclasses import replace

import pytest

from attpcdaq.audit.models import Entry
from attpcdaq.live import store
from attpcdaq.live.models import Event, RouterState
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.doing import claims, endings
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.models import ACTIVE_STATES, Command, Step
from attpcdaq.runcontrol.watching.reconcile import NONE_RUNS, reconcile
from attpcdaq.runlog.models import Run
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig

SERVERS = ("ecc-cobo0", "ecc-cobo1", "ecc-mutant")


def forsaken(rig: Rig, state: str, *, told: tuple[str, ...] = (), running: tuple[str, ...] = ()) -> Run:
    """A Start in whose middle everybody died: `told` got its call, `running` is what came of it."""
    command = rig.request("start")
    now = rig.time.now()
    steps = Step.objects.filter(command=command)
    steps.filter(server_name__in=told).update(sent_at=now)
    steps.update(state="failed", finished_at=now)
    Command.objects.filter(pk=command.pk).update(state="failed", finished_at=now)
    Run.objects.update(state=state)
    for name in running:
        rig.ecc.servers[name].state = State.RUNNING
    return Run.objects.get()


def later(rig: Rig, seconds: float = 4.0) -> Run:
    """Time passes, the monitor looks once a second, and the sweeper reconciles."""
    for _ in range(int(seconds * 2)):
        rig.time.elapsed += 0.5
        rig.look()
        reconcile(rig.time.now())
    return Run.objects.get()


def told(run: Run) -> str:
    """What the audit trail says, after checking that page and event log say it too."""
    entry = Entry.objects.get(what="reconcile")
    assert (entry.who, entry.outcome, entry.subject) == ("DAQ", "done", str(run))
    assert run.verdict in entry.text
    assert Event.objects.filter(topic="run", subject=str(run), text__contains=run.verdict).exists()
    return entry.text


def test_all_boards_run_so_the_run_runs(ready: Rig) -> None:
    forsaken(ready, "starting", told=SERVERS, running=SERVERS)
    run = later(ready)
    assert run.state == "running"
    assert told(run) == f"running: {run.verdict}"
    assert set(run.configs.values_list("server", flat=True)) == set(SERVERS)
    assert run.started_at is not None
    assert (
        ready.time.now() - run.started_at
    ).total_seconds() > 2  # since it was seen, not since somebody thought of it


def test_some_boards_run_so_the_daq_stops_them(ready: Rig) -> None:
    forsaken(ready, "starting", told=("ecc-cobo0", "ecc-cobo1"), running=("ecc-cobo1",))
    run = later(ready)
    assert "ecc-cobo1 were found Running, so the DAQ itself stops them" in run.verdict
    stop = Command.objects.get(state__in=ACTIVE_STATES)
    assert (stop.action, stop.requested_by) == ("stop", "DAQ")
    assert execute(stop.pk, ready.outside)
    assert Run.objects.get().state == "closing"
    assert ready.states()["ecc-cobo1"] == "READY"
    assert Entry.objects.filter(what="reconcile").count() == 1


def test_no_board_was_told_so_the_run_has_failed(ready: Rig) -> None:
    forsaken(ready, "starting")
    run = later(ready)
    assert run.state == "failed"
    assert "before any board was told to start" in told(run)


def test_a_requested_run_of_which_nothing_was_sent_fails_whatever_is_known(ready: Rig) -> None:
    forsaken(ready, "requested")
    ready.ecc.take_down("ecc-cobo0")
    run = later(ready, 8)
    assert run.state == "failed"


def test_once_a_frame_may_have_been_taken_it_is_closed_with_a_verdict(ready: Rig) -> None:
    forsaken(ready, "starting", told=("ecc-cobo0",))
    run = later(ready)
    assert run.state == "closing"
    assert "frames may have been taken" in told(run)
    assert run.files_asked_at is not None
    assert set(run.configs.values_list("server", flat=True)) == set(SERVERS)
    assert ready.close(run).state == "closed"


def test_a_run_of_which_a_board_was_found_running_does_not_fail_with_its_command(ready: Rig) -> None:
    start = ready.request("start")
    mine = claims.claim(start.pk, ready.time.now)
    # It was Running when it was read, so no call left; then the worker vanished.
    Step.objects.filter(command=start, server_name="ecc-cobo0").update(state="confirmed")
    assert endings.break_off(start.pk, mine, endings.VANISHED, ready.time.now())
    assert Run.objects.get().state == "requested"
    run = later(ready)
    assert (run.state, run.verdict) == ("closing", f"{endings.VANISHED} {NONE_RUNS}")


class TestStopping:
    @pytest.fixture(autouse=True)
    def stopping(self, running: Rig) -> None:
        """A Stop that nobody is at work on; the boards still run."""
        Run.objects.update(state="stopping")

    def stop_boards(self, rig: Rig) -> None:
        for name in SERVERS:
            rig.ecc.servers[name].state = State.READY

    def test_boards_that_run_are_never_taken_for_stopped(self, running: Rig) -> None:
        assert later(running, 10).state == "stopping"
        assert not Entry.objects.filter(what="reconcile").exists()

    def test_all_were_seen_stopped_and_the_files_are_quiet(self, running: Rig) -> None:
        self.stop_boards(running)
        run = later(running)
        assert run.state == "closing"
        assert "no file grows" in told(run)

    def test_files_that_grow_hold_it(self, running: Rig) -> None:
        self.stop_boards(running)
        for n in range(8):
            running.write(1, "CoBo1_AsAd0_2026-11-22T09:48:24.458_0000.graw", b"x" * (n + 1))
            assert later(running, 1).state == "stopping"
        assert later(running, 4).state == "closing"

    def test_a_router_that_was_not_read_yet_holds_it_and_one_that_cannot_be_is_said(self, running: Rig) -> None:
        self.stop_boards(running)
        first, last, mutant = running.detector.data_routers
        running.detector = replace(running.detector, data_routers=(first, mutant))
        RouterState.objects.filter(pk=last.pk).update(seen_at=None)
        assert later(running, 4).state == "stopping"
        store.record_router_problem(last.pk, "no route to host", running.time.now())
        run = later(running, 1)
        assert run.state == "closing"
        assert "router-cobo1 could not be looked at: no route to host" in run.verdict

    def test_an_unknown_server_holds_it_until_it_is_excluded(self, running: Rig) -> None:
        self.stop_boards(running)
        running.ecc.take_down("ecc-cobo1")
        assert later(running, 10).state == "stopping"
        exclude("ecc-cobo1", "its node burnt", SHIFTER, running.time.now())
        run = later(running, 2)
        assert run.state == "closing"
        assert run.excluded["ecc-cobo1"]["reason"] == "its node burnt"

    def test_a_server_that_is_still_busy_holds_it(self, running: Rig) -> None:
        self.stop_boards(running)
        server = running.ecc.servers["ecc-cobo0"]
        server.doing, server.done_at = Transition.STOP, running.time.monotonic() + 8
        assert later(running, 7).state == "stopping"
        assert later(running, 4).state == "closing"


def test_what_was_seen_before_the_last_command_ended_does_not_count(ready: Rig) -> None:
    forsaken(ready, "starting", told=SERVERS)
    ready.time.elapsed += 4  # the monitor has not looked since
    assert not reconcile(ready.time.now())
    assert Run.objects.get().state == "starting"


def test_a_silent_monitor_decides_nothing(ready: Rig) -> None:
    forsaken(ready, "starting", told=SERVERS, running=SERVERS)
    ready.time.elapsed += 1
    ready.look()
    ready.time.elapsed += 6
    assert not reconcile(ready.time.now())


def test_somebody_at_work_is_left_alone(ready: Rig) -> None:
    ready.request("start")
    assert later(ready, 10).state == "requested"


def test_a_running_run_stays_running_whatever_is_read(running: Rig) -> None:
    for name in SERVERS:
        running.ecc.servers[name].state = State.IDLE
    assert later(running, 20).state == "running"


def test_nothing_open_is_nothing_to_do(rig: Rig) -> None:
    assert not reconcile(rig.time.now())
