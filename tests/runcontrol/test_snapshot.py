"""What the page tells: the overall state, its reasons, and what may be pressed."""

from datetime import timedelta

import pytest

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.ports import RouterReading
from attpcdaq.live import store
from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol.asking.preferences import set_preferences
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.models import Restart
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.models import Run
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig


def see(rig: Rig, seconds: float = 0.0):
    return snapshot(rig.time.now() + timedelta(seconds=seconds))


def test_idle_offers_describe_and_what_begins_with_it_and_says_why_not_the_rest(rig: Rig) -> None:
    shot = see(rig)
    assert (shot.overall.level, shot.overall.title) == ("off", "Idle")
    allowed = {name for name, action in shot.actions.items() if action.allowed}
    assert allowed == {"describe", "stop", "start", "go_ready"}
    assert "ecc-cobo0: it is Idle, and Prepare needs Described." in shot.actions["prepare"].reasons
    assert shot.next_run_number == 1


def test_ready_is_ready_only_when_all_are(rig: Rig) -> None:
    rig.make_ready()
    assert see(rig).overall.title == "Ready"
    rig.do("breakup", ["ecc-cobo1"])
    shot = see(rig)
    assert (shot.overall.level, shot.overall.title) == ("bad", "Mixed states")
    assert "Prepared: ecc-cobo1" in shot.overall.reasons


def test_an_answer_that_is_too_old_is_unknown_and_allows_nothing_but_stop(rig: Rig) -> None:
    rig.make_ready()
    rig.ecc.take_down("ecc-cobo1")
    rig.time.elapsed += 6
    rig.look()
    shot = see(rig)
    assert shot.ecc_servers[1].state == "unknown"
    assert shot.overall.level == "bad"
    assert shot.overall.reasons[0].startswith("ecc-cobo1: its state is unknown.")
    assert {name for name, action in shot.actions.items() if action.allowed} == {"stop"}


def test_a_silent_monitor_makes_everything_unknown(rig: Rig) -> None:
    shot = see(rig, seconds=6)
    assert shot.overall.title == "Monitor is not running"
    assert {server.state for server in shot.ecc_servers} == {"unknown"}


def test_a_transition_under_way_is_shown_as_old_and_new(rig: Rig) -> None:
    server = rig.detector.ecc_servers[0]
    store.record_ecc(server.pk, StateReply(0, "busy", State.DESCRIBED, Transition.PREPARE), rig.time.now())
    view = see(rig).ecc_servers[0]
    assert (view.state_label, view.going_to) == ("Described", "Prepared")


def test_wedged_and_paused_say_what_to_do(rig: Rig) -> None:
    for number, state in enumerate((State.OFF, State.PAUSED)):
        pk = rig.detector.ecc_servers[number].pk
        store.record_ecc(pk, StateReply(0, "", state, Transition.NONE), rig.time.now())
    reasons = " ".join(see(rig).overall.reasons)
    assert "Restart its ECC process" in reasons
    assert "Stop or Breakup leads out of it" in reasons


def test_a_failed_step_is_shown_until_the_server_succeeds(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.DESCRIBE, Refused("no power", 1), times=1)
    rig.do("describe")
    assert see(rig).ecc_servers[0].last_error == "no power"
    assert "ecc-cobo0: no power" in see(rig).overall.reasons
    rig.do("describe")
    assert see(rig).ecc_servers[0].last_error == ""


def test_what_failed_is_forgotten_when_the_server_went_elsewhere_since(ready: Rig) -> None:
    ready.break_call("ecc-cobo0", Transition.BREAKUP, Refused("no power", 8), times=1)
    ready.do("breakup", ["ecc-cobo0"])
    ready.time.elapsed += 5
    ready.look()
    assert see(ready).ecc_servers[0].last_error == "no power"
    ready.ecc.restart("ecc-cobo0")
    ready.look()
    assert see(ready).ecc_servers[0].last_error == ""


class TestWhileRunning:
    @pytest.fixture(autouse=True)
    def running(self, rig: Rig) -> None:
        rig.make_ready()
        rig.do("start")

    def test_no_data_turns_it_bad_with_the_board_named_within_ten_seconds(self, rig: Rig) -> None:
        run = Run.objects.get()
        RouterState.objects.exclude(data_router__name="router-cobo1").update(
            grew_at=run.started_at + timedelta(seconds=9)
        )
        rig.time.elapsed += (run.started_at + timedelta(seconds=9) - rig.time.now()).total_seconds()
        rig.look()
        shot = see(rig)
        assert (shot.overall.level, shot.overall.title) == ("bad", "Run 1 is not taking all data")
        assert [r for r in shot.overall.reasons if "no data for" in r] == ["router-cobo1: no data for 9 s (ecc-cobo1)."]

    def test_a_board_that_stopped_is_named(self, rig: Rig) -> None:
        rig.do("stop", ["ecc-cobo0"])
        assert "ecc-cobo0: it is Ready, not Running." in see(rig).overall.reasons

    def test_all_is_well(self, rig: Rig) -> None:
        shot = see(rig)
        assert (shot.overall.level, shot.overall.title) == ("ok", "Run 1 is running")
        assert shot.run is not None
        assert shot.run.directory == "e20009/run_0001"
        assert shot.actions["breakup"].confirm

    def test_running_for_nobody_is_bad(self, rig: Rig) -> None:
        Run.objects.update(state="closed")
        assert "Running although no run is open" in see(rig).overall.reasons[0]


def test_a_restarted_router_is_deaf_until_its_board_is_configured_again(rig: Rig) -> None:
    rig.make_ready()
    node = rig.nodes.nodes["node-cobo0"]
    router = rig.detector.data_routers[0]
    node.routers[router.port] += 500
    rig.look()
    shot = see(rig)
    assert shot.routers[0].deaf
    done = rig.do("go_ready")
    assert done.state == "done"
    # The MuTAnT is configured after the CoBos.
    names = [(Transition(step.transition).name, step.server_name) for step in done.steps.all()]
    assert names == [
        ("BREAKUP", "ecc-cobo0"),
        ("BREAKUP", "ecc-mutant"),
        ("CONFIGURE", "ecc-cobo0"),
        ("CONFIGURE", "ecc-mutant"),
    ]
    assert not see(rig).routers[0].deaf


def test_files_left_in_staging_forbid_a_start_and_are_stray(rig: Rig) -> None:
    rig.make_ready()
    rig.write(0, "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw")
    rig.look()
    shot = see(rig)
    assert shot.stray
    assert "router-cobo0: its staging directory is not clean (1 GRAW files)." in shot.actions["start"].reasons


class TestPlanShown:
    def test_what_a_button_will_do_is_shown_in_order_and_named_by_a_digest(self, rig: Rig) -> None:
        action = see(rig).actions["go_ready"]
        assert [(stage.transition, stage.servers) for stage in action.stages] == [
            ("Describe", ("ecc-cobo0", "ecc-cobo1", "ecc-mutant")),
            ("Prepare", ("ecc-mutant",)),
            ("Prepare", ("ecc-cobo0", "ecc-cobo1")),
            ("Configure", ("ecc-cobo0", "ecc-cobo1")),
            ("Configure", ("ecc-mutant",)),
        ]
        assert rig.do("go_ready", seen_plan=action.digest).state == "done"
        assert see(rig).overall.title == "Ready"

    def test_a_single_server_has_its_own(self, rig: Rig) -> None:
        action = see(rig).ecc_servers[0].actions["describe"]
        assert [(stage.transition, stage.servers) for stage in action.stages] == [("Describe", ("ecc-cobo0",))]
        assert action.digest

    def test_the_setting_of_the_mutant_is_part_of_a_start(self, ready: Rig) -> None:
        before = see(ready).actions["start"]
        set_preferences(SHIFTER, ready.time.now(), reconfigure_mutant=True)
        shot = see(ready)
        assert shot.reconfigure_mutant
        assert shot.actions["start"].digest != before.digest
        with pytest.raises(CommandRefused, match="plan changed meanwhile"):
            ready.request("start", seen_plan=before.digest)


class TestRetry:
    def test_it_goes_on_with_what_is_left(self, rig: Rig) -> None:
        rig.break_call("ecc-cobo0", Transition.DESCRIBE, Refused("no power", 1), times=1)
        rig.do("describe")
        command = see(rig).command
        assert command is not None
        assert command.state == "failed"
        assert command.retry.allowed
        assert [stage.servers for stage in command.retry.stages] == [("ecc-cobo0",)]
        done = rig.do(command.action, command.targets, seen_plan=command.retry.digest)
        assert done.state == "done"
        assert see(rig).command.retry.allowed is False

    def test_it_says_why_not(self, rig: Rig) -> None:
        rig.ecc.take_down("ecc-cobo0")
        rig.do("describe")
        rig.time.elapsed += 6
        rig.look()
        retry = see(rig).command.retry
        assert not retry.allowed
        assert retry.reasons[0].startswith("ecc-cobo0: its state is unknown.")

    def test_a_server_that_is_gone_from_the_setup_is_named(self, rig: Rig) -> None:
        rig.break_call("ecc-cobo0", Transition.DESCRIBE, Refused("no power", 1), times=1)
        rig.do("describe", ["ecc-cobo0"])
        rig.detector.data_sources[0].delete()
        rig.detector.ecc_servers[0].delete()
        assert see(rig).command.retry.reasons == ("ecc-cobo0 is not set up any more.",)


def test_who_is_in_charge_is_shown(rig: Rig) -> None:
    assert see(rig).control.holder == ""
    rig.request("describe")
    assert see(rig).control.holder == "shifter"


def test_every_trouble_has_its_text(ready: Rig) -> None:
    store.record_ecc(ready.detector.ecc_servers[0].pk, StateReply(0, "", State.OFF, Transition.NONE), ready.time.now())
    now = ready.time.now()
    store.record_router(ready.detector.data_routers[1].pk, RouterReading(False, (), None, 10**10, 10**11, None), now)
    shot = see(ready)
    assert shot.ecc_servers[0].trouble.key == "wedged"
    assert shot.ecc_servers[1].trouble is None
    assert shot.routers[1].trouble.todo
    assert shot.routers[0].trouble is None


def test_what_a_restart_needs_and_what_the_last_one_came_to(rig: Rig) -> None:
    server = rig.detector.ecc_servers[0]
    type(server.node).objects.update(restart_ecc="")
    assert "No command to restart ecc-cobo0 is set up" in see(rig).ecc_servers[0].restart.reasons[0]
    type(server.node).objects.update(restart_ecc="systemctl restart {name}")
    Restart.objects.create(
        ecc_server=server,
        subject=server.name,
        state="done",
        message="It is Idle again.",
        requested_by="expert",
        requested_at=rig.time.now(),
        expires_at=rig.time.now(),
    )
    shot = see(rig)
    assert shot.ecc_servers[0].restart.allowed
    assert shot.ecc_servers[0].last_restart.message == "It is Idle again."
    assert shot.routers[0].last_restart is None
