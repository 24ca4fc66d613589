"""Whatever is wrong, everything that the page says of it has a text that says what to do."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from attpcdaq.gateways.errors import NoAnswer, Refused
from attpcdaq.live.models import MonitorLease
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.troubles.troubles import trouble_of
from attpcdaq.runlog.models import Run
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig


def wedged(rig: Rig) -> None:
    rig.ecc.wedge("ecc-cobo0")


def paused(rig: Rig) -> None:
    rig.ecc.servers["ecc-cobo0"].state = State.PAUSED


def dead(rig: Rig) -> None:
    rig.ecc.take_down("ecc-cobo0")
    rig.time.elapsed += 6


def mixed(rig: Rig) -> None:
    rig.do("describe", ["ecc-cobo0"])


def running_loose(rig: Rig) -> None:
    rig.ecc.servers["ecc-cobo1"].state = State.RUNNING


def busy_for_nobody(rig: Rig) -> None:
    server = rig.ecc.servers["ecc-mutant"]
    server.doing, server.done_at = Transition.PREPARE, 1e9


def router_gone(rig: Rig) -> None:
    rig.make_ready()
    rig.do("start")
    rig.nodes.stop_router("node-cobo0", rig.detector.data_routers[0].port)


def no_data(rig: Rig) -> None:
    rig.make_ready()
    rig.do("start")
    rig.time.elapsed += 8


def not_stopped(rig: Rig) -> None:
    rig.make_ready()
    rig.do("start")
    rig.break_call("ecc-cobo0", Transition.STOP, Refused("CoBo[0]: does not want to | ", 5))
    rig.do("stop")


def refused(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.DESCRIBE, Refused("Configuration 'x' does not exist.", 1))
    rig.do("describe")


def lost(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.DESCRIBE, NoAnswer("ecc-cobo0: no answer within 2 s"))
    rig.do("describe")


def ignored(rig: Rig) -> None:
    rig.break_call("ecc-cobo0", Transition.DESCRIBE, None)
    rig.do("describe")


def excluded(rig: Rig) -> None:
    exclude("ecc-cobo0", "no power in the crate", SHIFTER, rig.time.now())


def forsaken(rig: Rig) -> None:
    rig.make_ready()
    rig.do("start")
    Run.objects.update(state="starting")
    rig.time.elapsed += 3


def nobody_moves(rig: Rig) -> None:
    rig.make_ready()
    rig.do("start")
    rig.do("stop")
    rig.time.elapsed += 30


SITUATIONS = [
    wedged, paused, dead, mixed, running_loose, busy_for_nobody, router_gone, no_data, not_stopped, refused, lost,
    ignored, excluded, forsaken, nobody_moves,
]  # fmt: skip


@pytest.mark.parametrize("arrange", SITUATIONS, ids=lambda one: one.__name__)
def test_every_reason_that_is_shown_says_what_to_do(rig: Rig, arrange: Callable[[Rig], None]) -> None:
    arrange(rig)
    rig.look()
    shown = snapshot(rig.time.now())
    reasons = [reason for reason in shown.overall.reasons if reason.split(":")[0] not in STATES]
    if shown.overall.title == "Mixed states":
        assert trouble_of(shown.overall.title)
    else:
        assert reasons
    assert [reason for reason in reasons if trouble_of(reason) is None] == []


STATES = ("Idle", "Described", "Prepared", "Ready", "Running")


@pytest.mark.parametrize("arrange", SITUATIONS, ids=lambda one: one.__name__)
def test_every_reason_of_a_button_that_is_grey_says_what_to_do(rig: Rig, arrange: Callable[[Rig], None]) -> None:
    arrange(rig)
    rig.look()
    shown = snapshot(rig.time.now())
    actions = [*shown.actions.values(), *(a for server in shown.ecc_servers for a in server.actions.values())]
    reasons = {reason for action in actions for reason in action.reasons}
    assert [reason for reason in reasons if trouble_of(reason) is None] == []


def test_without_a_monitor(rig: Rig) -> None:
    MonitorLease.objects.update(at=rig.time.now() - timedelta(seconds=60))
    shown = snapshot(rig.time.now())
    assert trouble_of(shown.overall.title) == trouble_of(shown.overall.reasons[0])
    assert trouble_of(shown.overall.title)


@pytest.mark.parametrize("arrange", [refused, lost, ignored, not_stopped], ids=lambda one: one.__name__)
def test_of_every_failed_step_what_to_do_is_known(rig: Rig, arrange: Callable[[Rig], None]) -> None:
    arrange(rig)
    command = snapshot(rig.time.now()).command
    assert command is not None
    failed = [step.message for step in command.steps if step.state != "confirmed"]
    assert failed
    assert [message for message in failed if trouble_of(message) is None] == []
