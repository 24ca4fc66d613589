"""Commands carried out against twins: order, truth, failure, rollback."""

import pytest

from attpcdaq.gateways.errors import NoAnswer, Refused, Unreachable
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.doing import endings
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.models import Command, Step
from attpcdaq.runlog.models import Experiment, Run
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig, make_rig

BOARDS = {"ecc-cobo0", "ecc-cobo1"}


def steps(command: Command) -> dict[str, tuple[str, str]]:
    return {step.server_name: (step.state, step.message) for step in command.steps.all()}


def test_from_idle_to_ready_in_the_order_of_boards(rig: Rig) -> None:
    rig.make_ready()
    assert set(rig.states().values()) == {"READY"}
    assert rig.calls(Transition.PREPARE)[0] == "ecc-mutant"
    assert rig.calls(Transition.CONFIGURE)[-1] == "ecc-mutant"
    assert set(rig.calls(Transition.CONFIGURE)[:2]) == BOARDS


def test_configure_carries_each_board_its_own_links(rig: Rig) -> None:
    rig.make_ready()
    links = {c.server: [(x.sender, x.port) for x in c.links] for c in rig.ecc.calls if c.transition == 3}
    assert links["ecc-cobo1"] == [("CoBo[1]", 46006)]


def test_a_failed_configure_is_named_the_others_are_ready_and_a_retry_brings_all(rig: Rig) -> None:
    assert rig.do("describe").state == rig.do("prepare").state == "done"
    rig.break_call("ecc-cobo1", Transition.CONFIGURE, Refused("CoBo[1]: board says no | ", 3), times=1)
    failed = rig.do("configure")
    assert failed.state == "failed"
    assert "ecc-cobo1: CoBo[1]: board says no" in failed.message
    assert steps(failed)["ecc-cobo0"] == ("confirmed", "")
    assert steps(failed)["ecc-cobo1"][0] == "failed"
    assert steps(failed)["ecc-mutant"] == ("skipped", "An earlier step failed. Nothing was sent.")
    assert rig.states() == {"ecc-cobo0": "READY", "ecc-cobo1": "PREPARED", "ecc-mutant": "PREPARED"}
    assert rig.do("configure").state == "done"
    assert set(rig.states().values()) == {"READY"}
    assert rig.calls(Transition.CONFIGURE).count("ecc-cobo0") == 1


def test_success_that_did_nothing_is_a_failure(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.DESCRIBE, None, times=1)
    failed = rig.do("describe")
    assert steps(failed)["ecc-cobo0"] == (
        "failed",
        "It answered success, but did nothing. It is Idle, not Described.",
    )


def test_a_lost_answer_is_looked_up_not_sent_again(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.DESCRIBE, NoAnswer("connection lost."), times=1, takes_effect=True)
    done = rig.do("describe")
    assert done.state == "done"
    assert steps(done)["ecc-cobo0"] == ("confirmed", "The state was reached, although: connection lost.")
    assert rig.calls(Transition.DESCRIBE).count("ecc-cobo0") == 1


def test_a_server_that_died_meanwhile_is_named_and_nothing_is_sent_to_it(rig: Rig) -> None:
    command = rig.request("describe")
    rig.ecc.take_down("ecc-cobo1", Unreachable("ecc-cobo1: connection refused."))
    assert execute(command.pk, rig.outside)
    command.refresh_from_db()
    assert steps(command)["ecc-cobo1"] == ("failed", "ecc-cobo1: connection refused. Nothing was sent.")
    assert steps(command)["ecc-cobo0"][0] == "confirmed"


def test_the_state_found_decides_not_the_one_remembered(rig: Rig) -> None:
    command = rig.request("describe")
    rig.ecc.servers["ecc-cobo0"].state = State.DESCRIBED
    rig.ecc.servers["ecc-cobo1"].state = State.READY
    assert execute(command.pk, rig.outside)
    assert steps(command)["ecc-cobo0"] == ("confirmed", "It was Described already.")
    assert steps(command)["ecc-cobo1"][0] == "failed"
    assert rig.calls(Transition.DESCRIBE) == ["ecc-mutant"]


def test_a_command_runs_once_whoever_takes_it(rig: Rig) -> None:
    command = rig.request("describe")
    assert execute(command.pk, rig.outside)
    assert not execute(command.pk, rig.outside)
    assert len(rig.calls(Transition.DESCRIBE)) == 3


def test_an_expired_command_never_fires(rig: Rig) -> None:
    command = rig.request("describe")
    Command.objects.filter(pk=command.pk).update(expires_at=rig.time.now())
    assert not execute(command.pk, rig.outside)
    assert rig.ecc.calls == []
    assert endings.expire(command, rig.time.now())
    assert {step.state for step in command.steps.all()} == {"expired"}


def test_undo_takes_each_server_one_step_back(rig: Rig) -> None:
    rig.do("describe")
    rig.do("prepare")
    rig.do("undo")
    assert set(rig.states().values()) == {"DESCRIBED"}
    rig.do("undo")
    assert set(rig.states().values()) == {"IDLE"}


def test_one_server_alone(rig: Rig) -> None:
    command = rig.do("describe", ["ecc-cobo1"])
    assert command.state == "done"
    assert rig.states() == {"ecc-cobo0": "IDLE", "ecc-cobo1": "DESCRIBED", "ecc-mutant": "IDLE"}


@pytest.mark.django_db
def test_one_server_for_all_boards_is_called_once() -> None:
    rig = make_rig(one_for_all=True)
    rig.make_ready()
    assert rig.do("start").state == "done"
    assert rig.calls(Transition.START) == ["ecc-all"]


class TestRun:
    def test_it_runs_when_all_were_seen_running_and_closes_when_all_have_stopped(self, rig: Rig) -> None:
        rig.make_ready()
        command = rig.do("start", title="alpha source", run_class="pulser")
        run = Run.objects.get()
        assert (run.number, run.title, run.run_class, run.state) == (1, "alpha source", "pulser", "running")
        assert command.run == run
        assert rig.calls(Transition.START)[-1] == "ecc-mutant"
        assert run.configuration["ecc-cobo0"] == {
            "boards": {"CoBo[0]": "cobo"},
            "config": str(rig.detector.ecc_servers[0].config_set),
        }
        rig.write(0, "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw")
        assert rig.do("stop").state == "done"
        assert rig.calls(Transition.STOP)[0] == "ecc-mutant"
        run.refresh_from_db()
        assert run.state == "closing"
        assert rig.close(run).state == "closed"
        assert run.verdict == ""
        assert run.started_at <= run.stopped_at <= run.closed_at

    def test_a_start_that_fails_half_way_is_rolled_back_the_mutant_first(self, rig: Rig) -> None:
        rig.make_ready()
        rig.break_call("ecc-mutant", Transition.START, Refused("Mutant[master]: no clock | ", 4))
        command = rig.do("start")
        run = Run.objects.get()
        assert command.state == "failed"
        assert "ecc-mutant: Mutant[master]: no clock" in command.message
        assert set(rig.states().values()) == {"READY"}
        assert set(rig.calls(Transition.STOP)) == BOARDS
        assert run.state == "closing"
        assert rig.close(run).state == "closed"
        assert "Start failed. ecc-mutant: Mutant[master]: no clock" in run.verdict
        assert rig.do("start").state == "failed"
        assert Run.objects.first().number == 2

    def test_a_server_that_is_away_at_start_does_not_keep_the_run_open(self, rig: Rig) -> None:
        rig.make_ready()
        command = rig.request("start")
        rig.ecc.take_down("ecc-cobo1")
        assert execute(command.pk, rig.outside)
        run = Run.objects.get()
        assert (run.state, rig.states()["ecc-cobo0"]) == ("closing", "READY")
        assert "Start failed. ecc-cobo1: " in run.verdict
        assert rig.close(run).state == "closed"

    def test_a_start_of_which_nothing_was_sent_fails_and_uses_its_number_up(self, rig: Rig) -> None:
        rig.make_ready()
        command = rig.request("start")
        for name in BOARDS:
            rig.ecc.take_down(name)
        assert execute(command.pk, rig.outside)
        run = Run.objects.get()
        assert run.state == "failed"
        assert "connection refused" in run.verdict
        for name in BOARDS:
            rig.ecc.recover(name)
        assert rig.do("start").state == "done"
        assert Run.objects.get(state="running").number == 2

    def test_stop_with_a_dead_mutant_stops_the_cobos_all_the_same(self, rig: Rig) -> None:
        rig.make_ready()
        rig.do("start")
        rig.ecc.hang("ecc-mutant")
        command = rig.request("stop")
        assert execute(command.pk, rig.outside)
        assert {name: rig.states()[name] for name in BOARDS} == dict.fromkeys(BOARDS, "READY")
        command.refresh_from_db()
        assert "ecc-mutant" in command.message
        assert Run.objects.get().state == "stopping"
        rig.ecc.recover("ecc-mutant")
        assert rig.do("stop").state == "done"
        assert Run.objects.get().state == "closing"

    def test_breakup_with_an_open_run_needs_a_word_and_stops_it_first(self, rig: Rig) -> None:
        rig.make_ready()
        rig.do("start")
        with pytest.raises(CommandRefused, match=r"Run 1 is open\. Breakup stops it first\. Confirm"):
            rig.request("breakup")
        assert rig.do("breakup", confirm=True).state == "done"
        assert set(rig.states().values()) == {"PREPARED"}
        assert rig.calls(Transition.STOP)[0] == "ecc-mutant"
        assert Run.objects.get().state == "closing"

    def test_a_run_is_refused_while_another_is_open(self, rig: Rig) -> None:
        rig.make_ready()
        rig.do("start")
        with pytest.raises(CommandRefused) as refused:
            rig.request("start")
        assert "Run 1 is still running." in refused.value.reasons
        assert Run.objects.count() == 1

    def test_a_board_started_alone_repairs_the_run(self, rig: Rig) -> None:
        rig.make_ready()
        rig.do("start")
        rig.do("stop", ["ecc-cobo0"])
        assert Run.objects.get().state == "running"
        assert rig.do("start", ["ecc-cobo0"]).state == "done"
        assert set(rig.states().values()) == {"RUNNING"}
        assert Run.objects.count() == 1


class TestStop:
    def test_it_supersedes_a_start_that_nobody_has_begun(self, rig: Rig) -> None:
        rig.make_ready()
        start = rig.request("start")
        stop = rig.do("stop")
        assert stop.state == "done"
        start.refresh_from_db()
        assert start.state == "failed"
        assert not execute(start.pk, rig.outside)
        assert rig.calls(Transition.START) == []
        run = Run.objects.get()
        assert (run.state, run.verdict) == ("failed", "A Stop came first. Nothing was sent.")

    def test_pressed_twice_it_is_one(self, rig: Rig) -> None:
        rig.make_ready()
        rig.do("start")
        first, second = rig.request("stop"), rig.request("stop")
        assert first.pk == second.pk

    def test_it_takes_over_from_a_call_whose_executor_is_gone(self, rig: Rig) -> None:
        rig.make_ready()
        rig.do("start")
        lost = Command.objects.filter(action="start").get()
        Step.objects.filter(command=lost, server_name="ecc-cobo0").update(state="sent")
        assert rig.do("stop").state == "done"
        assert Step.objects.get(command=lost, server_name="ecc-cobo0").state == "expired"
        assert set(rig.states().values()) == {"READY"}

    def test_when_nothing_runs_it_says_so_and_sends_nothing(self, rig: Rig) -> None:
        stop = rig.do("stop")
        assert stop.state == "done"
        assert rig.ecc.calls == []
        assert steps(stop)["ecc-cobo0"] == ("confirmed", "It was Idle already.")


class TestRequest:
    def test_what_makes_no_sense_names_its_field(self, rig: Rig) -> None:
        for call, field in (
            (("explode", None), "action"),
            (("describe", ["ecc-nowhere"]), "ecc_servers"),
            (("describe", []), "ecc_servers"),
        ):
            with pytest.raises(BadCommand) as bad:
                rig.request(*call)
            assert bad.value.field == field
        with pytest.raises(BadCommand, match="testing, production"):
            rig.request("start", run_class="holiday")
        with pytest.raises(BadCommand, match="printable"):
            rig.request("start", title="a\x00b")
        assert Command.objects.count() == 0

    def test_a_refusal_leaves_nothing_behind(self, rig: Rig) -> None:
        Experiment.objects.update(is_active=False)
        with pytest.raises(CommandRefused):
            rig.request("start")
        assert (Command.objects.count(), Run.objects.count()) == (0, 0)

    def test_who_asked_for_what_is_an_event(self, rig: Rig) -> None:
        rig.request("describe")
        assert Event.objects.filter(topic="command", text=f"{SHIFTER.name}: Describe for the whole system").exists()
