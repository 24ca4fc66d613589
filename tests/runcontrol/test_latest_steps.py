"""What a server went through last, and what follows from it."""

from datetime import timedelta

from attpcdaq.gateways.errors import NoAnswer, Refused
from attpcdaq.runcontrol.seeing.latest_steps import latest_steps
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import Rig

LOST = Refused("Ice exception: src/Ice/Network.cpp:2714: ::Ice::ConnectionRefusedException", 2)


def test_the_latest_of_each_server_and_of_each_transition(ready: Rig) -> None:
    ready.do("breakup")
    ready.break_call("ecc-cobo0", Transition.CONFIGURE, LOST, times=1)
    ready.do("configure", ["ecc-cobo0"])
    latest = latest_steps(ready.time.now())
    told = {name: (Transition(step.transition).name, step.state) for name, step in latest.told.items()}
    assert told == {
        "ecc-cobo0": ("CONFIGURE", "failed"),
        "ecc-cobo1": ("BREAKUP", "confirmed"),
        "ecc-mutant": ("BREAKUP", "confirmed"),
    }
    assert len(latest.loaded) == 9
    assert latest.loaded["ecc-cobo0", Transition.CONFIGURE].state == "failed"
    assert latest.loaded["ecc-cobo1", Transition.CONFIGURE].state == "confirmed"


def test_what_failed_yesterday_is_not_told_any_more_but_what_was_loaded_counts(ready: Rig) -> None:
    latest = latest_steps(ready.time.now() + timedelta(hours=25))
    assert latest.told == {}
    assert len(latest.loaded) == 9


def test_a_call_that_was_given_up_and_took_effect_later_is_what_is_loaded(rig: Rig) -> None:
    """Its configuration is the one that the boards have."""
    rig.do("describe")
    rig.do("prepare")
    rig.break_call("ecc-cobo0", Transition.CONFIGURE, NoAnswer("no answer within 120 s"), times=1)
    assert rig.do("configure", ["ecc-cobo0"]).state == "failed"
    rig.ecc.servers["ecc-cobo0"].state = State.READY
    server = rig.detector.ecc_servers[0]
    server.config_set = server.config_sets.exclude(pk=server.config_set_id).get(describe=server.describe_name)
    server.save()
    rig.look()
    assert "Set up with another configuration" in str(snapshot(rig.time.now()).actions["go_ready"].stages)


def test_what_failed_twice_begins_anew_from_idle(rig: Rig) -> None:
    """A board that was restarted refuses Prepare until it was described again (facts 1.4)."""
    rig.do("describe")
    rig.break_call("ecc-cobo0", Transition.PREPARE, LOST, times=2)
    assert rig.do("go_ready").state == "failed"
    [stage, *_] = snapshot(rig.time.now()).actions["go_ready"].stages
    assert (stage.transition, stage.servers) == ("Prepare", ("ecc-cobo0",))
    assert rig.do("go_ready").state == "failed"
    [stage, *_] = snapshot(rig.time.now()).actions["go_ready"].stages
    assert (stage.transition, stage.servers) == ("Undo", ("ecc-cobo0",))
    assert "Prepare failed twice: it begins anew from Idle." in stage.why
    assert rig.do("go_ready").state == "done"
    assert set(rig.states().values()) == {"READY"}
    assert rig.calls(Transition.DESCRIBE).count("ecc-cobo0") == 2
