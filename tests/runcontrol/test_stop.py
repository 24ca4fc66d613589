"""Stop: always, at once, without a lock; and believed only when no data come any more."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from attpcdaq.gateways.errors import Refused, Unreachable
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.gate import hold_gate
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.models import Command, Control
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runlog.lifecycle import request_run
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.testing.memory_nodes import MemoryNodes
from attpcdaq.topology.models import ECCServer
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig, make_rig

GRAW = "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw"


def growing(rig: Rig, until: float) -> Outside:
    """The rig's outside, where the first board's data come until that much time has passed."""
    outside = rig.outside()
    real = outside.nodes.list_graw

    async def list_graw(node, directory, timeout):
        if rig.time.elapsed < until and node.name == "node-cobo0":
            rig.write(0, GRAW, b"frames" * (1 + int(rig.time.elapsed * 1000)))
        return await real(node, directory, timeout)

    nodes = rig.nodes
    nodes.list_graw = list_graw
    return outside


class TestBelieved:
    def test_the_run_is_stopping_while_files_grow_and_the_board_is_named(self, running: Rig) -> None:
        stop = running.request("stop")
        assert execute(stop.pk, lambda: growing(running, running.time.elapsed + 4))
        stop.refresh_from_db()
        assert stop.state == "done"
        run = Run.objects.get()
        assert run.state == "closing"
        said = "Waiting: the files of CoBo[0] (router-cobo0) still grow, so data still come."
        assert Event.objects.filter(topic="command", text=said).count() == 1
        assert run.stopped_at - run.started_at < timedelta(seconds=4)

    def test_a_board_that_goes_on_sending_keeps_the_run_stopping(self, running: Rig) -> None:
        stop = running.request("stop")
        assert execute(stop.pk, lambda: growing(running, running.time.elapsed + 1000))
        stop.refresh_from_db()
        assert stop.state == "failed"
        assert stop.message == "Not stopped: the files of CoBo[0] (router-cobo0) still grow, so data still come."
        assert Run.objects.get().state == "stopping"
        assert snapshot(running.time.now()).overall.level == "bad"

    def test_what_goes_on_behind_it_reaches_a_board_that_no_stop_does(self, running: Rig) -> None:
        """Its ECC server was restarted: it is Idle, and the board goes on sending until it is described (facts 2.4)."""
        running.ecc.restart("ecc-cobo0")
        ready = running.request("go_ready", confirm=True)
        outside, real = growing(running, 1e9), running.ecc.transition

        async def call(server, transition, *rest):
            reply = await real(server, transition, *rest)
            if (server.name, transition) == ("ecc-cobo0", Transition.DESCRIBE):
                running.nodes.list_graw = MemoryNodes.list_graw.__get__(running.nodes)
            return reply

        running.ecc.transition = call
        assert execute(ready.pk, lambda: outside)
        ready.refresh_from_db()
        assert (ready.state, ready.message) == ("done", "")
        assert set(running.states().values()) == {"READY"}
        assert Run.objects.get().state == "closing"

    def test_a_node_that_is_away_is_said_and_not_waited_for(self, running: Rig) -> None:
        running.nodes.take_down("node-cobo1", Unreachable("node-cobo1: connection refused"))
        assert running.do("stop").state == "done"
        run = Run.objects.get()
        assert run.state == "closing"
        assert "Not seen whether files still grow: router-cobo1: node-cobo1: connection refused" in run.verdict

    def test_a_directory_that_cannot_be_read_is_no_proof_that_nothing_grows(self, running: Rig) -> None:
        running.nodes.take_down("node-cobo1", Refused("node-cobo1: /staging cannot be read"))
        assert running.do("stop").state == "done"
        assert (
            "Not seen whether files still grow: router-cobo1: node-cobo1: /staging cannot be read"
            in Run.objects.get().verdict
        )


class TestAlways:
    def test_without_control(self, running: Rig) -> None:
        Control.objects.update_or_create(pk=1, defaults={"holder": "somebody else", "since": running.time.now()})
        assert running.do("stop").state == "done"

    @pytest.mark.parametrize("state", ["IDLE", "DESCRIBED", "PREPARED", "READY", "PAUSED", "RUNNING"])
    def test_from_every_state(self, rig: Rig, state: str) -> None:
        rig.ecc.servers["ecc-cobo0"].state = State[state]
        assert rig.do("stop").state == "done"
        assert rig.states()["ecc-cobo0"] == ("READY" if state in ("PAUSED", "RUNNING") else state)

    def test_one_that_nobody_took_in_time_does_not_swallow_the_next(self, running: Rig) -> None:
        old = running.request("stop")
        running.time.elapsed += 70
        new = running.request("stop")
        assert new.pk != old.pk
        old.refresh_from_db()
        assert old.state == "expired"
        assert execute(new.pk, running.outside)
        assert set(running.states().values()) == {"READY"}

    def test_after_a_clock_that_was_set_back_a_start_is_possible_again(self, running: Rig) -> None:
        assert running.do("stop").state == "done"
        running.close(Run.objects.get())
        running.time.set_by(-3600)
        assert running.do("start").state == "done"

    def test_the_run_of_a_start_that_was_asked_for_at_the_same_moment_is_not_forgotten(self, ready: Rig) -> None:
        """The Stop saw no run when it was written down; the Start had begun when it was carried out."""
        stop = ready.request("stop")
        run = request_run(
            Experiment.objects.get(),
            title="",
            run_class="testing",
            operator=None,
            configuration={},
            now=ready.time.now(),
        )
        start = Command.objects.create(
            action="start", run=run, state="done", requested_at=ready.time.now(), expires_at=ready.time.now(),
            published_at=ready.time.now(),
        )  # fmt: skip
        for server in ECCServer.objects.all():
            start.steps.create(
                stage=0, ecc_server=server, server_name=server.name, transition=4, state="confirmed",
                sent_at=ready.time.now(),
            )  # fmt: skip
            ready.ecc.servers[server.name].state = State.RUNNING
        Run.objects.update(state="starting")
        assert stop.run is None
        assert execute(stop.pk, ready.outside)
        assert Run.objects.get().state == "closing"
        assert set(ready.states().values()) == {"READY"}


class TestSilentServer:
    """It is asked until the step's deadline, and told nothing after it."""

    def test_one_that_is_frozen_for_a_moment_is_stopped_after_all(self, running: Rig) -> None:
        running.ecc.hang("ecc-cobo0")
        stop = running.request("stop")
        outside, thaws = running.outside(), running.time.elapsed + 10

        async def sleep(seconds: float) -> None:
            if running.time.elapsed >= thaws:
                running.ecc.recover("ecc-cobo0")
            await outside.sleep(seconds)

        assert execute(stop.pk, lambda: replace(outside, sleep=sleep))
        stop.refresh_from_db()
        assert (stop.state, stop.message) == ("done", "")
        assert set(running.states().values()) == {"READY"}
        assert running.calls(Transition.STOP).count("ecc-cobo0") == 1
        assert Run.objects.get().state == "closing"

    def test_one_that_stays_silent_is_named_at_the_deadline(self, running: Rig) -> None:
        ECCServer.objects.filter(name="ecc-cobo0").update(deadlines={"stop": 5})
        running.ecc.hang("ecc-cobo0")
        stop = running.do("stop")
        step = stop.steps.get(server_name="ecc-cobo0")
        assert (step.state, step.message) == ("failed", "ecc-cobo0: no answer within 5 s. Nothing was sent.")
        assert "ecc-cobo0" not in running.calls(Transition.STOP)
        assert Run.objects.get().state == "stopping"

    def test_an_answer_after_the_deadline_is_not_acted_on(self, running: Rig) -> None:
        ECCServer.objects.filter(name="ecc-cobo0").update(deadlines={"stop": 5})
        real = running.ecc.get_state

        async def get_state(server, timeout):
            if server.name == "ecc-cobo0":
                await running.time.sleep(6)  # simulated seconds, beyond its deadline
            return await real(server, timeout)

        running.ecc.get_state = get_state
        stop = running.do("stop")
        assert stop.steps.get(server_name="ecc-cobo0").message == "ecc-cobo0: no answer within 5 s. Nothing was sent."
        assert "ecc-cobo0" not in running.calls(Transition.STOP)

    def test_one_whose_process_is_gone_is_named_at_once(self, running: Rig) -> None:
        running.ecc.take_down("ecc-cobo0")
        step = running.do("stop").steps.get(server_name="ecc-cobo0")
        assert step.message == "ecc-cobo0: connection refused. Nothing was sent."
        assert (step.finished_at - step.command.requested_at) < timedelta(seconds=5)

    def test_a_mutant_that_has_less_time_than_the_cobos_wait_gets_no_more(self, running: Rig) -> None:
        ECCServer.objects.filter(name="ecc-mutant").update(deadlines={"stop": 2})
        running.ecc.hang("ecc-mutant")
        stop = running.do("stop")
        assert stop.message == "ecc-mutant: ecc-mutant: no answer within 2 s. Nothing was sent."
        assert {"ecc-cobo0", "ecc-cobo1"} <= set(running.calls(Transition.STOP))


@pytest.mark.django_db(transaction=True)
class TestWithoutALock:
    def test_it_is_written_while_somebody_decides_for_ever(self, postgresql_only: None) -> None:
        rig = make_rig(cobos=1)
        rig.make_ready()
        rig.do("start")
        held, enough = threading.Event(), threading.Event()

        def decide() -> None:
            with transaction.atomic():
                hold_gate()
                Run.objects.select_for_update(no_key=True).get()
                Command.objects.select_for_update(no_key=True).filter(action="start").get()
                held.set()
                enough.wait(30)
            connection.close()

        frozen = threading.Thread(target=decide)
        frozen.start()
        assert held.wait(10)
        began = time.monotonic()
        stop = commands.request("stop", None, SHIFTER, now=rig.time.now())
        took = time.monotonic() - began
        enough.set()
        frozen.join()
        assert took < 5
        assert execute(stop.pk, rig.outside)
        assert set(rig.states().values()) == {"READY"}


@pytest.fixture
def postgresql_only() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer: there is nothing to hold up (run with --postgresql)")
