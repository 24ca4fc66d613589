"""Restarting ECC servers and data routers: what is asked for, what is seen, and what is recorded."""

from datetime import timedelta

import pytest

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester
from attpcdaq.gateways.errors import NoAnswer
from attpcdaq.gateways.ports import CommandResult
from attpcdaq.live.models import Event
from attpcdaq.runcontrol import restarts
from attpcdaq.runcontrol.models import Control, Restart
from attpcdaq.runcontrol.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.restarting import execute_restart
from attpcdaq.runcontrol.restarts import request_restart
from attpcdaq.topology.models import Node
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig

EXPERT = Requester("expert", role="expert", origin="127.0.0.1")


def restart(rig: Rig, kind: str, name: str, **more) -> Restart:
    """Request and carry out, as a worker would."""
    asked = request_restart(kind, name, SHIFTER, now=rig.time.now(), **more)
    assert execute_restart(asked.pk, rig.outside)
    asked.refresh_from_db()
    rig.look()
    return asked


def answer(rig: Rig, name: str, command: str, result: CommandResult) -> None:
    rig.nodes.teach(name, command, lambda: result)


def trail_of(row: Restart) -> list[tuple[str, str, str]]:
    return [(e.who, e.what, e.outcome) for e in Entry.objects.filter(command=row.pk).order_by("id")]


class TestEccServer:
    def test_a_wedged_server_is_idle_after_its_restart(self, ready: Rig) -> None:
        ready.ecc.wedge("ecc-cobo0")
        done = restart(ready, "ecc", "ecc-cobo0")
        assert (done.state, done.command) == ("done", "systemctl restart ecc-cobo0")
        assert "answers again and is Idle" in done.message
        assert ready.ecc.state("ecc-cobo0") is State.IDLE
        assert trail_of(done) == [("shifter", "restart", "accepted"), ("shifter", "restart", "done")]

    def test_another_state_than_idle_is_said(self, ready: Rig) -> None:
        ready.ecc.wedge("ecc-cobo0")
        answer(ready, "node-cobo0", "systemctl restart ecc-cobo0", CommandResult(0, ""))
        began = ready.time.elapsed
        failed = restart(ready, "ecc", "ecc-cobo0")
        assert (failed.state, failed.message) == ("failed", "ecc-cobo0 is Wedged, not Idle: it was not restarted.")
        assert 59 < ready.time.elapsed - began < 63
        assert trail_of(failed)[-1] == ("shifter", "restart", "failed")
        assert Event.objects.filter(topic="ecc", severity="error", text__contains="was not restarted").exists()

    def test_a_server_that_does_not_come_back_is_said(self, ready: Rig) -> None:
        ready.ecc.take_down("ecc-cobo0")
        answer(ready, "node-cobo0", "systemctl restart ecc-cobo0", CommandResult(0, ""))
        failed = restart(ready, "ecc", "ecc-cobo0")
        assert failed.state == "failed"
        assert failed.message == "ecc-cobo0 did not come back within 60 s: ecc-cobo0: connection refused"
