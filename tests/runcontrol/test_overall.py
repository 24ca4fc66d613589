"""The one thing to read from two metres away: alarms, exclusions, and calls that still block."""

from datetime import timedelta

import pytest

from attpcdaq.live import store
from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol.asking.exclude import exclude
from attpcdaq.runcontrol.models import Step
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.views import Snapshot
from attpcdaq.runlog.models import Run
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State, Transition
from tests.runcontrol.rig import SHIFTER, Rig

NAME = "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw"
OUT = "Excluded: ecc-cobo1 (power supply is dead)"


def see(rig: Rig) -> Snapshot:
    return snapshot(rig.time.now())


def leave_out(rig: Rig, name: str = "ecc-cobo1") -> None:
    exclude(name, "power supply is dead", SHIFTER, rig.time.now())


def summary(rig: Rig) -> tuple[str, str]:
    overall = see(rig).overall
    return overall.level, overall.title


class TestExcluded:
    def test_the_others_decide_and_it_is_always_said(self, ready: Rig) -> None:
        leave_out(ready)
        ready.ecc.take_down("ecc-cobo1")
        ready.time.elapsed += 6
        ready.look()
        shot = see(ready)
        assert (shot.overall.level, shot.overall.title, shot.overall.reasons) == ("ok", "Ready", (OUT,))
        assert shot.ecc_servers[1].excluded is not None
        assert shot.ecc_servers[1].excluded.by == "shifter"
        assert [router.excluded for router in shot.routers] == [False, True, False]
        assert ready.do("start").state == "done"
        assert summary(ready) == ("ok", "Run 1 is running")
        assert see(ready).overall.reasons == (OUT,)
        assert see(ready).run.excluded["ecc-cobo1"]["reason"] == "power supply is dead"

    def test_it_is_said_beside_what_is_really_bad(self, ready: Rig) -> None:
        leave_out(ready)
        store.record_ecc(
            ready.detector.ecc_servers[0].pk, StateReply(0, "", State.OFF, Transition.NONE), ready.time.now()
        )
        reasons = see(ready).overall.reasons
        assert reasons[0].startswith("ecc-cobo0: it is wedged")
        assert reasons[-1] == OUT

    def test_its_state_and_its_silence_do_not_count_while_a_run_is_running(self, running: Rig) -> None:
        running.ecc.servers["ecc-cobo1"].state = State.IDLE
        running.look()
        assert summary(running) == ("bad", "Run 1 is not taking all data")
        leave_out(running)
        assert summary(running) == ("ok", "Run 1 is running")

    def test_its_files_are_not_stray(self, ready: Rig) -> None:
        leave_out(ready)
        ready.write(1, NAME)
        ready.look()
        shot = see(ready)
        assert not shot.stray
        assert shot.actions["start"].allowed

    def test_that_it_sends_all_the_same_is_said(self, ready: Rig) -> None:
        leave_out(ready)
        ready.write(1, NAME)
        ready.time.elapsed += 1
        ready.look()
        shot = see(ready)
        assert (shot.overall.level, shot.overall.reasons) == ("ok", (f"{OUT}, but its files grow",))
        assert shot.loose is None


class TestLoose:
    """Boards that run, or send, although no run is open."""

    def test_running_boards_are_an_alarm_that_offers_to_adopt_them(self, ready: Rig) -> None:
        for name in ("ecc-cobo0", "ecc-mutant"):
            ready.ecc.servers[name].state = State.RUNNING
        ready.look()
        seen = ready.time.now()
        ready.time.elapsed += 2
        ready.look()
        shot = see(ready)
        assert (shot.overall.level, shot.overall.title) == ("bad", "Data are taken, but no run is open")
        assert shot.overall.reasons[0] == (
            "Running although no run is open: ecc-cobo0, ecc-mutant. Adopt it as a run, or stop it."
        )
        assert shot.loose is not None
        assert (shot.loose.servers, shot.loose.since) == (("ecc-cobo0", "ecc-mutant"), seen)
        assert shot.loose.adopt.allowed

    def test_an_excluded_one_that_runs_is_loose_too_but_cannot_be_adopted(self, ready: Rig) -> None:
        leave_out(ready)
        ready.ecc.servers["ecc-cobo1"].state = State.RUNNING
        ready.look()
        shot = see(ready)
        assert shot.loose is not None
        assert shot.loose.servers == ("ecc-cobo1",)
        assert shot.loose.adopt.reasons == ("No included board is Running.",)
        assert shot.overall.reasons == (
            "Running although no run is open: ecc-cobo1. Adopt it as a run, or stop it.",
            OUT,
        )

    def test_files_that_grow_while_the_server_says_idle_are_said_with_what_reaches_the_board(self, rig: Rig) -> None:
        for size in (1, 2):
            rig.write(0, NAME, b"x" * size)
            rig.time.elapsed += 1
            rig.look()
        shot = see(rig)
        assert shot.loose is not None
        assert shot.loose.servers == ("ecc-cobo0",)
        assert not shot.loose.adopt.allowed
        assert shot.overall.level == "bad"
        assert "does not say Running: ecc-cobo0. Its board still sends" in shot.overall.reasons[0]
        rig.time.elapsed += 7
        rig.look()
        assert see(rig).loose is None

    def test_what_the_last_run_wrote_at_its_end_is_not(self, running: Rig) -> None:
        running.write(0, NAME)
        running.look()
        running.do("stop")
        running.close(Run.objects.get())
        RouterState.objects.update(grew_at=Run.objects.get().closed_at + timedelta(seconds=1), files=0)
        shot = see(running)
        assert shot.loose is None
        assert shot.overall.title == "Ready"

    def test_an_open_run_is_not_loose(self, running: Rig) -> None:
        assert see(running).loose is None


def test_a_board_that_stop_does_not_reach_is_said_with_what_does(running: Rig) -> None:
    """E.g. its ECC server died while it answered Stop, and says Idle now."""
    running.do("stop", ["ecc-mutant", "ecc-cobo1"])
    Run.objects.update(state="stopping")
    running.ecc.restart("ecc-cobo0")
    running.write(0, NAME)
    running.time.elapsed += 1
    running.look()
    reasons = see(running).overall.reasons
    assert len(reasons) == 1
    assert reasons[0].startswith("Run 1 was not seen stopped: the files of ecc-cobo0 still grow.")
    assert "press Go to Ready, for Describe and Prepare do" in reasons[0]
    running.time.elapsed += 7
    running.look()
    assert "Press Stop again" in see(running).overall.reasons[0]


class TestStillBusy:
    @pytest.fixture
    def blocked(self, rig: Rig) -> Rig:
        """A Describe of one server that takes longer than its step was waited for."""
        command = rig.request("describe")
        now = rig.time.now()
        steps = Step.objects.filter(command=command)
        steps.update(state="confirmed", sent_at=now, finished_at=now)
        mine = steps.filter(server_name="ecc-cobo0")
        mine.update(state="failed", message="The ECC server is still busy with Describe after 30 s.")
        type(command).objects.update(state="failed", finished_at=now, message="it took too long")
        server = rig.ecc.servers["ecc-cobo0"]
        server.doing, server.done_at = Transition.DESCRIBE, rig.time.monotonic() + 100
        rig.time.elapsed += 2
        rig.look()
        return rig

    def test_it_is_named_and_explained(self, blocked: Rig) -> None:
        shot = see(blocked)
        busy = shot.ecc_servers[0]
        assert busy.still_busy.startswith("Describe, sent at ")
        assert busy.trouble is not None
        assert busy.trouble.key == "still-busy"
        assert shot.overall.level == "bad"
        assert any(r.startswith("ecc-cobo0: it is still busy with Describe, sent at") for r in shot.overall.reasons)

    def test_it_is_over_when_the_server_says_so(self, blocked: Rig) -> None:
        blocked.time.elapsed += 100
        blocked.look()
        shot = see(blocked)
        assert shot.ecc_servers[0].still_busy == ""
        assert shot.ecc_servers[0].state == "described"
        assert shot.ecc_servers[0].last_error == ""

    def test_a_call_that_somebody_waits_for_is_not(self, rig: Rig) -> None:
        command = rig.request("describe")
        Step.objects.filter(command=command, server_name="ecc-cobo0").update(state="sent", sent_at=rig.time.now())
        server = rig.ecc.servers["ecc-cobo0"]
        server.doing, server.done_at = Transition.DESCRIBE, rig.time.monotonic() + 100
        rig.look()
        assert see(rig).ecc_servers[0].still_busy == ""

    @pytest.mark.parametrize("state", ["sent", "confirmed"])
    def test_an_answer_from_before_the_latest_call_accuses_nobody(self, rig: Rig, state: str) -> None:
        """The commands were read, Describe ended and Prepare was sent, and only then the monitor writes again."""
        command = rig.request("describe")
        server = rig.ecc.servers["ecc-cobo0"]
        server.doing, server.done_at = Transition.DESCRIBE, rig.time.monotonic() + 100
        rig.look()
        now = rig.time.now()
        Step.objects.filter(command=command).update(
            transition=Transition.PREPARE, state=state, sent_at=now, finished_at=now if state == "confirmed" else None
        )
        type(command).objects.update(state="done", finished_at=now)
        rig.time.elapsed += 2
        assert see(rig).ecc_servers[0].still_busy == ""

    def test_what_another_program_asked_for_is_said_as_that(self, rig: Rig) -> None:
        server = rig.ecc.servers["ecc-cobo0"]
        server.doing, server.done_at = Transition.DESCRIBE, rig.time.monotonic() + 100
        rig.look()
        assert see(rig).ecc_servers[0].still_busy == "Describe, which was not asked for here."


class TestClockSetBack:
    """What was written before lies ahead now; it neither counts as fresh nor holds anything up."""

    @staticmethod
    def an_hour_back(rig: Rig) -> None:
        rig.time.elapsed -= 3600
        rig.look()

    def test_a_run_without_data_is_still_noticed(self, running: Rig) -> None:
        running.write(1, NAME)
        running.look()
        self.an_hour_back(running)
        assert "router-cobo1: no data since the clock was set back (ecc-cobo1)." in see(running).overall.reasons
        running.write(1, NAME, b"more frames")
        running.time.elapsed += 1
        running.look()
        assert not [r for r in see(running).overall.reasons if "router-cobo1" in r]
        running.time.elapsed += 8
        running.look()
        assert "router-cobo1: no data for 8 s (ecc-cobo1)." in see(running).overall.reasons

    def test_files_that_grew_before_do_not_grow_now(self, ready: Rig) -> None:
        ready.write(0, NAME)
        ready.time.elapsed += 1
        ready.look()
        self.an_hour_back(ready)
        assert see(ready).loose is None

    def test_a_router_that_was_restarted_before_is_cured_by_configuring_now(self, ready: Rig) -> None:
        router = ready.detector.data_routers[0]
        ready.nodes.nodes["node-cobo0"].routers[router.port] += 500
        ready.look()
        self.an_hour_back(ready)
        assert see(ready).routers[0].deaf
        assert ready.do("go_ready").state == "done"
        assert not see(ready).routers[0].deaf

    def test_one_that_is_restarted_after_it_is_deaf(self, ready: Rig) -> None:
        self.an_hour_back(ready)
        router = ready.detector.data_routers[0]
        ready.nodes.nodes["node-cobo0"].routers[router.port] += 500
        ready.time.elapsed += 1
        ready.look()
        assert see(ready).routers[0].deaf

    def test_a_forsaken_run_is_named_at_once(self, ready: Rig) -> None:
        command = ready.request("start")
        type(command).objects.update(state="failed", finished_at=ready.time.now())
        self.an_hour_back(ready)
        assert any("nobody is at work on it" in r for r in see(ready).overall.reasons)
