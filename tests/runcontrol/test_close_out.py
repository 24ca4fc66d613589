"""The end of a run: files are moved when they are quiet, never over another, and late ones are kept apart."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from attpcdaq.gateways.errors import Unreachable
from attpcdaq.live.models import Event
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.asking.exclude import exclude, include
from attpcdaq.runcontrol.closing.close_out import close_out
from attpcdaq.runcontrol.closing.gathering import gather
from attpcdaq.runlog.models import Quarantined, Run, RunFile
from get_protocol.graw_names import late_name
from tests.runcontrol.frames import frames
from tests.runcontrol.rig import SHIFTER, Rig

NAME = "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw"


def messages(task: str) -> int:
    """How many messages of this kind, sent by this process, wait in the embedded broker; all are sent first."""
    publish.sender.submit(lambda: None).result(timeout=10)
    broker = Path(urlsplit(settings.CELERY_BROKER_URL).path)
    waiting = [path.read_text() for path in broker.rglob("*.msg")]
    ours = f'"gen{os.getpid()}@'
    return sum(f'"attpcdaq.runcontrol.tasks.{task}"' in message and ours in message for message in waiting)


@pytest.fixture
def stopped(rig: Rig) -> Run:
    """A run of two CoBos that has stopped, with a file of each board in staging."""
    rig.make_ready()
    rig.do("start")
    rig.write(0, NAME, b"0" * 100)
    rig.write(1, NAME.replace("CoBo0", "CoBo1"), b"1" * 50)
    rig.write(2, "MuTanT_2026-11-22T09:48:24.458_0000.graw", b"m" * 10)
    rig.do("stop")
    return Run.objects.get()


def test_files_lie_where_the_analysis_expects_them(rig: Rig, stopped: Run) -> None:
    run = rig.close(stopped)
    node = rig.nodes.nodes["node-cobo0"]
    assert list(node.directories["/staging/e20009/run_0001"]) == [NAME]
    assert not [name for name in node.directories["/staging"] if name.endswith(".graw")]
    data = {(f.owner, f.path, f.size) for f in run.files.filter(kind="data")}
    assert ("router-cobo0", f"/staging/e20009/run_0001/{NAME}", 100) in data
    assert len(data) == 3


def test_the_config_files_really_read_are_backed_up_and_no_prepare_file_is_looked_for(rig: Rig, stopped: Run) -> None:
    run = rig.close(stopped)
    backup = rig.nodes.nodes["node-cobo1"].directories["/config_backup/e20009/run_0001"]
    assert sorted(backup) == ["configure-experiment.xcfg", "describe-cobo1.xcfg"]
    assert run.files.filter(kind="config").count() == 6
    assert run.verdict == ""


def test_the_next_run_may_start_and_has_its_own_directory(rig: Rig, stopped: Run) -> None:
    rig.close(stopped)
    assert rig.do("start").state == "done"
    later = "CoBo0_AsAd0_2026-11-22T09:49:02.117_0000.graw"
    rig.write(0, later, frames(0, 0, range(2)))
    rig.do("stop")
    rig.close(Run.objects.first())
    assert later in rig.nodes.nodes["node-cobo0"].directories["/staging/e20009/run_0002"]


def test_a_file_that_still_grows_is_waited_for(rig: Rig, stopped: Run) -> None:
    looks = []

    async def growing(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) < 4:
            rig.write(0, NAME, b"0" * (100 + len(looks)))
        await rig.time.sleep(seconds)

    outside = rig.outside()
    object.__setattr__(outside, "sleep", growing)
    assert close_out(stopped.pk, lambda: outside)
    assert RunFile.objects.get(owner="router-cobo0", kind="data").size == 103


def test_it_never_moves_over_another_file(rig: Rig, stopped: Run) -> None:
    rig.nodes.make_directory("node-cobo0", "/staging/e20009/run_0001")
    rig.nodes.write("node-cobo0", f"/staging/e20009/run_0001/{NAME}", b"older", mtime=0.0)
    run = rig.close(stopped)
    assert run.state == "closed"
    assert f"router-cobo0: frames came after the files were moved: {late_name(NAME, 1)}." in run.verdict
    node = rig.nodes.nodes["node-cobo0"]
    assert node.directories["/staging/e20009/run_0001"][NAME].data == b"older"
    assert node.directories["/staging/e20009/run_0001"][late_name(NAME, 1)].data == b"0" * 100
    assert run.files.get(path=f"/staging/e20009/run_0001/{NAME}").proof == "it was found in the run's directory."


def test_a_node_that_is_away_is_named_in_the_verdict_and_the_others_are_moved(rig: Rig, stopped: Run) -> None:
    rig.nodes.take_down("node-cobo1", Unreachable("node-cobo1: no route to host"))
    run = rig.close(stopped)
    assert "router-cobo1: node-cobo1: no route to host" in run.verdict
    assert run.files.filter(owner="router-cobo0").exists()


def test_asked_twice_it_is_done_once(rig: Rig, stopped: Run) -> None:
    rig.close(stopped)
    assert not close_out(stopped.pk, rig.outside)


def test_a_late_frame_goes_beside_the_run_and_is_said(rig: Rig, stopped: Run) -> None:
    moved = rig.nodes.move_files

    async def move_then_late(node, source, moves, destination, timeout):
        done = await moved(node, source, moves, destination, timeout)
        if node.name == "node-cobo0" and moves == {NAME: NAME}:
            rig.write(0, NAME, frames(0, 0, range(7, 9)))
        return done

    rig.nodes.move_files = move_then_late
    run = rig.close(stopped)
    late = late_name(NAME, 1)
    assert f"router-cobo0: frames came after the files were moved: {late}." in run.verdict
    there = rig.nodes.nodes["node-cobo0"].directories["/staging/e20009/run_0001"]
    assert there[late].data == frames(0, 0, range(7, 9))
    row = run.files.get(path=f"/staging/e20009/run_0001/{late}")
    assert (row.name, row.planned) == (NAME, False)
    assert "with event 7; no board had started since" in row.proof
    assert run.files.filter(owner="router-cobo0", kind="data").count() == 2


def test_stray_files_are_set_aside_not_deleted(rig: Rig) -> None:
    rig.write(0, NAME, b"stray")
    commands.request_set_aside(SHIFTER, rig.time.now())
    gather(rig.outside)
    node = rig.nodes.nodes["node-cobo0"]
    assert NAME not in node.directories["/staging"]
    row = Quarantined.objects.get()
    assert row.why.startswith("no run could have written it")
    assert row.path.startswith("/staging/_quarantine/")
    assert rig.nodes.read("node-cobo0", row.path) == b"stray"
    assert Event.objects.filter(topic="router", subject="router-cobo0", text__contains="quarantined").exists()


class TestSetAside:
    @pytest.fixture
    def asked(self, ready: Rig) -> Callable[[], bool]:
        """Stray files that somebody asked to have set aside; tells whether they lie there still."""
        ready.write(0, NAME, b"stray")
        commands.request_set_aside(SHIFTER, ready.time.now())
        return lambda: NAME in ready.nodes.nodes["node-cobo0"].directories["/staging"]

    def test_no_run_starts_meanwhile(self, ready: Rig, asked: Callable[[], bool]) -> None:
        del ready.nodes.nodes["node-cobo0"].directories["/staging"][NAME]
        with pytest.raises(commands.CommandRefused, match="Stray files are being set aside"):
            ready.request("start")
        gather(ready.outside)
        assert ready.do("start").state == "done"

    def test_asked_once_it_is_done_once_and_never_during_a_run(self, ready: Rig, asked: Callable[[], bool]) -> None:
        gather(ready.outside)
        assert not asked()
        assert ready.do("start").state == "done"
        ready.write(0, NAME)
        gather(ready.outside)
        assert asked()  # the same message again: nobody asked for more
        assert not Event.objects.filter(text__contains="were not looked through").exists()

    def test_it_does_not_happen_late(self, ready: Rig, asked: Callable[[], bool]) -> None:
        ready.time.elapsed += 20
        gather(ready.outside)
        assert asked()
        assert Event.objects.filter(subject="staging", text__contains="No worker took it in time").exists()

    def test_it_is_asked_for_again_and_then_it_is_said_that_nobody_did_it(
        self, ready: Rig, asked: Callable[[], bool]
    ) -> None:
        published = messages("set_aside")
        ready.sweep(1.6)
        assert messages("set_aside") == published
        ready.sweep(1.0)
        assert messages("set_aside") == published + 1
        ready.sweep(1.0)
        assert messages("set_aside") == published + 1
        ready.sweep(1.0)
        assert messages("set_aside") == published + 2
        assert not Event.objects.filter(text__contains="were not looked through").exists()
        ready.sweep(11)
        said = Event.objects.filter(subject="staging", text__contains="No worker took it in time")
        assert said.count() == 1
        gather(ready.outside)  # the message that was lost comes after all
        assert asked()
        assert Event.objects.filter(text__contains="were not looked through").count() == 1


class TestCloseOut:
    def test_files_moved_by_a_worker_that_died_are_noted(self, running: Rig) -> None:
        running.do("stop")
        running.nodes.write("node-cobo0", f"/staging/e20009/run_0001/{NAME}", b"moved", mtime=0.0)
        run = running.close(Run.objects.get())
        assert [file.size for file in run.files.filter(kind="data")] == [5]

    def test_a_fault_of_ours_is_said_and_the_run_is_closed(self, running: Rig) -> None:
        running.write(0, NAME)
        running.do("stop")
        running.nodes.fail("node-cobo0", "move_files", RuntimeError("boom"))
        run = running.close(Run.objects.get())
        assert run.state == "closed"
        assert "router-cobo0: internal error RuntimeError('boom')" in run.verdict

    def test_routers_that_share_a_directory_are_all_named(self, running: Rig) -> None:
        first, second = running.detector.data_routers[:2]
        second.node = first.node
        second.save()
        running.write(0, NAME)
        running.do("stop")
        run = running.close(Run.objects.get())
        assert {file.owner for file in run.files.filter(kind="data")} == {"router-cobo0, router-cobo1"}


class TestExcluded:
    """A board that the run went on without."""

    def take(self, rig: Rig) -> Run:
        rig.write(0, NAME)
        assert rig.do("stop").state == "done"
        return rig.close(Run.objects.get())

    def leave_out(self, rig: Rig) -> None:
        exclude("ecc-cobo1", "its node burnt", SHIFTER, rig.time.now())

    def test_from_the_beginning_its_node_is_left_alone(self, ready: Rig) -> None:
        self.leave_out(ready)
        ready.write(1, NAME.replace("CoBo0", "CoBo1"), b"not of this run")
        assert ready.do("start").state == "done"
        ready.nodes.take_down("node-cobo1", Unreachable("node-cobo1: no route to host"))
        run = self.take(ready)
        assert run.verdict == ""
        assert {file.owner for file in run.files.filter(kind="data")} == {"router-cobo0"}
        assert {file.owner for file in run.files.filter(kind="config")} == {"ecc-cobo0", "ecc-mutant"}
        assert NAME.replace("CoBo0", "CoBo1") in ready.nodes.nodes["node-cobo1"].directories["/staging"]

    def test_what_it_took_before_it_was_excluded_belongs_to_the_run(self, running: Rig) -> None:
        running.write(1, NAME.replace("CoBo0", "CoBo1"))
        running.time.elapsed += 1
        self.leave_out(running)
        run = self.take(running)
        assert {file.owner for file in run.files.filter(kind="data")} == {"router-cobo0", "router-cobo1"}

    def test_it_is_not_waited_for(self, running: Rig) -> None:
        running.time.elapsed += 1
        self.leave_out(running)
        number = iter(range(1000))

        async def growing(seconds: float) -> None:
            running.write(1, NAME, b"x" * (next(number) + 1))
            await running.time.sleep(seconds)

        running.do("stop")
        outside = running.outside()
        object.__setattr__(outside, "sleep", growing)
        before = running.time.elapsed
        assert close_out(Run.objects.get().pk, lambda: outside)
        assert running.time.elapsed - before < 10
        assert "router-cobo1: its files in /staging still grow: nothing was moved." in Run.objects.get().verdict

    def test_included_again_meanwhile_its_files_are_moved(self, ready: Rig) -> None:
        self.leave_out(ready)
        assert ready.do("start").state == "done"
        include("ecc-cobo1", SHIFTER, ready.time.now())
        ready.write(1, NAME.replace("CoBo0", "CoBo1"))
        run = self.take(ready)
        assert run.files.filter(owner="router-cobo1", kind="data").exists()

    def test_a_directory_shared_with_an_included_router_is_not_left_alone(self, ready: Rig) -> None:
        first, second = ready.detector.data_routers[:2]
        second.node = first.node
        second.save()
        self.leave_out(ready)
        assert ready.do("start").state == "done"
        run = self.take(ready)
        assert {file.owner for file in run.files.filter(kind="data")} == {"router-cobo0, router-cobo1"}

    def test_its_stray_files_are_not_set_aside(self, ready: Rig) -> None:
        self.leave_out(ready)
        ready.write(1, NAME, b"stray")
        commands.request_set_aside(SHIFTER, ready.time.now())
        gather(ready.outside)
        assert NAME in ready.nodes.nodes["node-cobo1"].directories["/staging"]
