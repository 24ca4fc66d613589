"""A mover that dies, a full disk, a node that is away: whoever comes next ends right, and loses or doubles nothing."""

from collections.abc import Callable, Mapping

import pytest

from attpcdaq.gateways.errors import Refused, Unreachable
from attpcdaq.gateways.ports import GrawFile, NodeAddress
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking import gate
from attpcdaq.runcontrol.closing.close_out import close_out
from attpcdaq.runcontrol.closing.gathering import gather
from attpcdaq.runcontrol.watching.sweep import MOVER_SILENT
from attpcdaq.runlog.models import Quarantined, Run, RunFile
from attpcdaq.testing.memory_node import MemoryFile
from get_protocol.state_machine import State
from tests.runcontrol.frames import frames
from tests.runcontrol.rig import Rig

NODE, STAGING, DIRECTORY = "node-cobo0", "/staging", "/staging/e20009/run_0001"
NAMES = [f"CoBo0_AsAd{asad}_2026-11-22T09:48:24.458_0000.graw" for asad in range(4)]
DATA = {name: frames(0, asad, range(3)) for asad, name in enumerate(NAMES)}
FULL = Refused(f"{NODE}: the directory {DIRECTORY} cannot be made: No space left on device")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def stopped(running: Rig) -> Run:
    """A run that has stopped, with a file of each AsAd of one board."""
    for name, data in DATA.items():
        running.write(0, name, data)
    assert running.do("stop").state == "done"
    return Run.objects.get()


def lying(rig: Rig, directory: str) -> dict[str, bytes]:
    found: Mapping[str, MemoryFile] = rig.nodes.nodes[NODE].directories.get(directory, {})
    return {name: file.data for name, file in found.items() if name.endswith(".graw")}


def kill_after(rig: Rig, renames: int) -> Callable[[], None]:
    """Let the mover of this node die after so many renames; call what is returned to take that back."""
    moved = rig.nodes.move_files

    async def move_then_die(node, source, moves, destination, timeout):
        if node.name != NODE:
            return await moved(node, source, moves, destination, timeout)
        if renames:
            await moved(node, source, dict(list(moves.items())[:renames]), destination, timeout)
        raise Killed

    def recover() -> None:
        rig.nodes.move_files = moved

    rig.nodes.move_files = move_then_die
    return recover


def resumed(rig: Rig, run: Run) -> Run:
    """What the sweeper leads to when nobody says any more that files are being moved."""
    assert not close_out(run.pk, rig.outside)  # still claimed by the dead one
    rig.sweep(MOVER_SILENT + 1)
    return rig.close(run)


def assert_all_there_once(run: Run, rig: Rig) -> None:
    assert lying(rig, DIRECTORY) == DATA
    assert not lying(rig, STAGING)
    rows = run.files.filter(kind=RunFile.Kind.DATA)
    assert sorted((row.path, row.size, row.planned) for row in rows) == [
        (f"{DIRECTORY}/{name}", len(DATA[name]), False) for name in NAMES
    ]
    assert all(row.proof for row in rows)
    assert not Quarantined.objects.exists()


@pytest.mark.parametrize("renames", [0, 2, 4], ids=["before the first", "half-way", "before the note"])
def test_the_mover_is_killed_between_two_renames(rig: Rig, stopped: Run, renames: int) -> None:
    recover = kill_after(rig, renames)
    with pytest.raises(Killed):
        close_out(stopped.pk, rig.outside)
    stopped.refresh_from_db()
    assert (stopped.state, len(lying(rig, DIRECTORY))) == ("closing", renames)
    assert stopped.files.filter(kind=RunFile.Kind.DATA, planned=True).count() == len(NAMES)
    recover()
    run = resumed(rig, stopped)
    assert (run.state, run.verdict) == ("closed", "")
    assert_all_there_once(run, rig)


def test_a_name_that_came_again_while_nobody_moved_goes_beside(rig: Rig, stopped: Run) -> None:
    recover = kill_after(rig, 4)
    with pytest.raises(Killed):
        close_out(stopped.pk, rig.outside)
    late = frames(0, 0, range(3, 5))
    rig.write(0, NAMES[0], late)
    recover()
    run = resumed(rig, stopped)
    there = lying(rig, DIRECTORY)
    assert there.pop(NAMES[0].replace(".graw", "_late1.graw")) == late
    assert there == DATA
    assert not run.files.filter(planned=True).exists()


def test_what_grew_before_its_rename_is_noted_as_it_lies_there(rig: Rig, stopped: Run) -> None:
    moved, late = rig.nodes.move_files, frames(0, 0, range(3, 5))

    async def grow_then_move(node, source, moves, destination, timeout):
        if node.name == NODE:
            rig.write(0, NAMES[0], DATA[NAMES[0]] + late)
        return await moved(node, source, moves, destination, timeout)

    rig.nodes.move_files = grow_then_move
    run = rig.close(stopped)
    data = run.files.filter(kind=RunFile.Kind.DATA, node=NODE).order_by("path")
    assert list(data.values_list("size", flat=True)) == [len(DATA[NAMES[0]] + late), *(len(DATA[n]) for n in NAMES[1:])]


def test_a_disk_that_is_full_and_then_has_room(rig: Rig, stopped: Run) -> None:
    rig.nodes.fail(NODE, "move_files", FULL)
    run = rig.close(stopped)
    assert (run.state, lying(rig, STAGING)) == ("closed", DATA)
    assert "No space left on device" in run.verdict
    rig.nodes.recover(NODE)
    attach(rig)
    run.refresh_from_db()
    assert_all_there_once(run, rig)
    assert "after the run was closed" in run.verdict


def test_files_of_a_node_that_was_away_are_attached_when_it_is_back(rig: Rig, stopped: Run) -> None:
    rig.nodes.take_down(NODE, Unreachable(f"{NODE}: no route to host"))
    run = rig.close(stopped)
    assert f"{NODE}: no route to host" in run.verdict
    attach(rig)  # asked for, and in vain
    assert lying(rig, STAGING) == DATA
    rig.nodes.recover(NODE)
    attach(rig)
    run.refresh_from_db()
    assert_all_there_once(run, rig)
    assert f"router-cobo0: attached after the run was closed: 4 files ({NAMES[0]}, ...)." in run.verdict
    assert Event.objects.filter(topic="run", text__contains="4 files").exists()


def attach(rig: Rig) -> None:
    """The sweeper asks for it by itself, and a worker does it."""
    rig.sweep(25)
    assert gate.set_aside_asked_at() is not None
    gather(rig.outside)


class TestLeftovers:
    def test_the_sweeper_asks_for_what_lies_there_unchanged(self, ready: Rig) -> None:
        ready.write(0, NAMES[0], DATA[NAMES[0]])
        ready.sweep(1.5)
        assert gate.set_aside_asked_at() is None
        ready.sweep(1.5)
        assert gate.set_aside_asked_at() is not None

    def test_not_while_a_run_is_open(self, running: Rig) -> None:
        running.write(0, NAMES[0], DATA[NAMES[0]])
        running.sweep(30)
        assert gate.set_aside_asked_at() is None

    def test_not_while_a_board_is_paused_or_not_seen(self, ready: Rig) -> None:
        ready.write(0, NAMES[0], DATA[NAMES[0]])
        ready.ecc.servers["ecc-cobo0"].state = State.PAUSED
        ready.sweep(30)
        ready.ecc.take_down("ecc-cobo0")
        ready.sweep(30)
        assert gate.set_aside_asked_at() is None


def test_where_every_look_takes_a_second_files_are_moved_all_the_same(rig: Rig, stopped: Run) -> None:
    """As with a thousand files on each of eleven nodes, when all are looked at from one busy core."""
    looks, real = [], rig.nodes.list_graw

    async def list_graw(node: NodeAddress, directory: str, timeout: float) -> tuple[GrawFile, ...]:
        rig.time.elapsed += 0.9
        looks.append((node.name, directory))
        return await real(node, directory, timeout)

    rig.nodes.list_graw = list_graw
    run = rig.close(stopped)
    assert run.verdict == ""
    assert_all_there_once(run, rig)
    assert looks.count((NODE, STAGING)) <= 4
