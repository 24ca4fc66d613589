"""From anywhere to anywhere in one click, carried out; and who takes over in the middle reads first."""

import pytest

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ, Requester
from attpcdaq.gateways.errors import Refused
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.doing import claims
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.models import Command, Exclusion, Step
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import Rig, make_rig

MIXES = [
    ("IDLE", "READY", "PREPARED"),
    ("DESCRIBED", "PREPARED", "READY"),
    ("READY", "IDLE", "READY"),
    ("PAUSED", "READY", "READY"),
    ("PREPARED", "PREPARED", "PREPARED"),
]


def put(rig: Rig, states: tuple[str, ...]) -> None:
    for server, state in zip(rig.detector.ecc_servers, states, strict=True):
        rig.ecc.servers[server.name].state = State[state]
    rig.look()


@pytest.mark.parametrize("states", MIXES)
@pytest.mark.parametrize(("action", "end"), [("go_ready", "READY"), ("go_idle", "IDLE"), ("start", "RUNNING")])
def test_one_click_leads_there_from_a_mix(rig: Rig, states: tuple[str, ...], action: str, end: str) -> None:
    put(rig, states)
    command = rig.do(action)
    assert (command.state, command.message) == ("done", "")
    assert set(rig.states().values()) == {end}
    assert [run.state for run in Run.objects.all()] == (["running"] if action == "start" else [])
    assert {step.state for step in command.steps.all()} == {"confirmed"}


def test_a_run_is_requested_until_a_board_is_told_to_start(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.CONFIGURE, Refused("no | ", 3), times=1)
    start = rig.do("start")
    run = Run.objects.get()
    assert (start.state, run.state) == ("failed", "failed")
    assert "ecc-cobo0: no" in run.verdict
    assert rig.calls(Transition.STOP) == []
    assert rig.do("start").state == "done"
    assert Run.objects.get(state="running").number == 2


def test_who_fails_is_left_behind_and_the_next_click_finishes(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.DESCRIBE, Refused("no | ", 1), times=1)
    failed = rig.do("go_ready")
    assert failed.state == "failed"
    assert rig.states() == {"ecc-cobo0": "IDLE", "ecc-cobo1": "READY", "ecc-mutant": "PREPARED"}
    skipped = failed.steps.filter(state="skipped").values_list("server_name", "transition")
    assert set(skipped) == {("ecc-cobo0", 2), ("ecc-cobo0", 3), ("ecc-mutant", 3)}
    assert rig.do("go_ready").state == "done"
    assert set(rig.states().values()) == {"READY"}


def test_it_goes_on_without_an_excluded_board(rig: Rig) -> None:
    rig.ecc.take_down("ecc-cobo0")
    server = rig.detector.ecc_servers[0]
    Exclusion.objects.create(ecc_server=server, reason="dead", by="shifter", at=rig.time.now())
    assert rig.do("start").state == "done"
    run = Run.objects.get()
    assert run.state == "running"
    assert run.excluded["ecc-cobo0"]["reason"] == "dead"
    assert rig.do("stop").state == "done"
    assert Run.objects.get().state == "closing"


def test_go_to_idle_stops_an_open_run_first(running: Rig) -> None:
    with pytest.raises(CommandRefused, match=r"Run 1 is open.*Confirm"):
        running.request("go_idle")
    assert running.do("go_idle", confirm=True).state == "done"
    assert set(running.states().values()) == {"IDLE"}
    assert Run.objects.get().state == "closing"


@pytest.mark.parametrize("done_before", [State.PREPARED, State.DESCRIBED, State.IDLE])
def test_undo_taken_over_in_the_middle_never_goes_too_far(rig: Rig, done_before: State) -> None:
    """Its call was sent before the executor vanished; whether it had an effect is only seen by reading."""
    put(rig, ("PREPARED", "PREPARED", "PREPARED"))
    undo = rig.request("undo")
    assert claims.claim(undo.pk, rig.time.now)
    Step.objects.filter(command=undo).update(state="sent", sent_at=rig.time.now())
    rig.ecc.servers["ecc-cobo0"].state = done_before
    rig.sweep(3.5)
    assert execute(undo.pk, rig.outside)
    undo.refresh_from_db()
    assert rig.calls(Transition.UNDO).count("ecc-cobo0") == (1 if done_before is State.PREPARED else 0)
    assert rig.states()["ecc-cobo1"] == "DESCRIBED"
    assert undo.state == ("done" if done_before is not State.IDLE else "failed")
    assert rig.states()["ecc-cobo0"] == ("IDLE" if done_before is State.IDLE else "DESCRIBED")


@pytest.mark.django_db
def test_who_takes_over_waits_for_a_call_that_still_blocks() -> None:
    rig = make_rig(durations={Transition.PREPARE: 8.0})
    assert rig.do("describe").state == "done"
    prepare = rig.request("prepare")
    mine = claims.claim(prepare.pk, rig.time.now)
    mutant = rig.ecc.servers["ecc-mutant"]
    Step.objects.filter(command=prepare, server_name="ecc-mutant").update(state="sent", sent_at=rig.time.now())
    mutant.doing, mutant.done_at = Transition.PREPARE, rig.time.elapsed + 8.0
    rig.sweep(3.5)
    assert execute(prepare.pk, rig.outside)
    prepare.refresh_from_db()
    assert (prepare.state, prepare.revivals) == ("done", 1)
    assert prepare.claim != mine
    assert sorted(rig.calls(Transition.PREPARE)) == ["ecc-cobo0", "ecc-cobo1"]


def test_a_start_that_is_taken_over_on_its_way_back_stops_what_it_started(ready: Rig) -> None:
    start = ready.request("start")
    assert claims.claim(start.pk, ready.time.now)
    Run.objects.update(state="stopping", verdict="Start failed.")
    Step.objects.filter(command=start, server_name="ecc-cobo0").update(state="confirmed", sent_at=ready.time.now())
    Step.objects.filter(command=start, server_name="ecc-cobo1").update(state="failed", sent_at=ready.time.now())
    server = ready.detector.ecc_servers[0]
    Step.objects.create(command=start, stage=2, ecc_server=server, server_name=server.name, transition=5, goal=4)
    ready.ecc.servers["ecc-cobo0"].state = State.RUNNING
    ready.sweep(3.5)
    assert execute(start.pk, ready.outside)
    assert set(ready.states().values()) == {"READY"}
    assert ready.calls(Transition.START) == []
    assert Run.objects.get().state == "closing"


class TestDeadlines:
    def test_each_server_has_its_own(self, rig: Rig) -> None:
        server = rig.detector.ecc_servers[0]
        server.deadlines = {"describe": 4}
        server.save(update_fields=["deadlines"])
        rig.ecc.durations[Transition.DESCRIBE] = 1000.0
        failed = rig.do("describe")
        steps = {step.server_name: step for step in failed.steps.all()}
        assert {step.state for step in steps.values()} == {"failed"}
        assert "still busy with Describe" in steps["ecc-cobo0"].message
        took = {name: (step.finished_at - failed.requested_at).total_seconds() for name, step in steps.items()}
        assert took["ecc-cobo0"] < 15 < 25 < took["ecc-cobo1"]

    @pytest.mark.parametrize("step", [3600, -3600])
    def test_no_clock_that_is_set_moves_them(self, rig: Rig, step: float) -> None:
        rig.ecc.durations[Transition.DESCRIBE] = 6.0
        command, real, done = rig.request("describe"), rig.ecc.transition, []

        async def call(*args):
            if not done:
                done.append(rig.time.set_by(step))
            return await real(*args)

        rig.ecc.transition = call
        assert execute(command.pk, rig.outside)
        command.refresh_from_db()
        assert command.state == "done"


class TestSeenPlan:
    def test_a_plan_that_is_not_the_one_shown_is_refused(self, rig: Rig) -> None:
        shown = snapshot(rig.time.now()).actions["go_ready"].digest
        rig.ecc.servers["ecc-cobo0"].state = State.READY
        with pytest.raises(CommandRefused, match="The plan changed meanwhile"):
            rig.request("go_ready", seen_plan=shown)
        rig.ecc.servers["ecc-cobo0"].state = State.IDLE
        assert rig.request("go_ready", seen_plan=shown).action == "go_ready"

    def test_a_stop_is_never_held_up_by_it(self, running: Rig) -> None:
        assert running.do("stop", seen_plan="0000").state == "done"


class TestWhoAskedForWhat:
    def test_stands_in_the_audit_trail_with_what_came_of_it(self, rig: Rig) -> None:
        by = Requester("eva", role="shifter", origin="10.1.2.3")
        rig.look()
        with pytest.raises(CommandRefused):
            commands.request("configure", None, by, now=rig.time.now())
        commands.request("stop", None, by, now=rig.time.now())
        lines = list(Entry.objects.order_by("id").values_list("who", "origin", "what", "outcome"))
        assert lines[-2:] == [("eva", "10.1.2.3", "configure", "refused"), ("eva", "10.1.2.3", "stop", "accepted")]
        stop = Command.objects.get()
        assert (stop.requested_by, stop.origin) == ("eva", "10.1.2.3")
        assert execute(stop.pk, rig.outside)
        last = Entry.objects.filter(command=stop.pk).first()
        assert (last.who, last.what, last.outcome, last.subject) == ("eva", "stop", "done", "the whole system")

    def test_what_expired_is_a_failure_there(self, rig: Rig) -> None:
        command = rig.request("describe")
        rig.sweep(16)
        last = Entry.objects.filter(command=command.pk).first()
        assert (last.outcome, "Describe expired" in last.text) == ("failed", True)

    def test_a_joined_stop_is_said(self, running: Rig) -> None:
        first = running.request("stop")
        assert commands.request("stop", None, Requester("eva"), now=running.time.now()).pk == first.pk
        assert Entry.objects.filter(who="eva", what="stop", text__contains="joins the Stop of shifter").exists()

    def test_the_daq_itself_needs_no_control(self, running: Rig) -> None:
        assert commands.request("stop", None, DAQ, now=running.time.now()).requested_by == "DAQ"
