"""Boards, routers and files over real sockets (facts 3, 4)."""

from pathlib import Path

from get_protocol.graw import parse_graw_name, walk
from get_protocol.state_machine import State, Transition
from tests.simulator.conftest import UP, Simulation, until


async def test_a_run_writes_one_file_for_each_asad_and_the_mutant(small: Simulation) -> None:
    for board in ("mutant", "cobo0", "cobo1"):
        await small.go(board, Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE)
    for board in ("cobo0", "cobo1"):
        await small.go(board, Transition.START)
        await small.expect(board, State.RUNNING)
    assert not small.files("cobo0"), "no trigger before the MuTAnT runs"
    await small.go("mutant", Transition.START)
    await until(lambda: len(small.files("cobo1")) == 4 and len(small.files("mutant")) == 1, "files")
    for board in ("mutant", "cobo0", "cobo1"):
        await small.go(board, Transition.STOP)
    names = [parse_graw_name(name) for name in small.files("cobo1")]
    assert [(name.source, name.asad, name.index) for name in names] == [("CoBo1", i, 0) for i in range(4)]
    events = {board: _events(small.staging(board)) for board in ("cobo0", "cobo1")}
    assert events["cobo0"] == events["cobo1"], "same numbers and time stamps on all boards"
    assert [number for number, _ in events["cobo0"]] == list(range(len(events["cobo0"])))


def _events(staging: Path) -> list[tuple[int | None, int | None]]:
    first = next(staging.glob("*_AsAd0_*"))
    return [(header.event_idx, header.event_time) for header in walk(first.read_bytes())]


async def test_up_and_down(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP)
    await until(lambda: len(one_cobo.files("cobo0")) == 4, "files")
    await one_cobo.go("cobo0", Transition.STOP, Transition.BREAKUP, Transition.UNDO, Transition.UNDO)
    await one_cobo.expect("cobo0", State.IDLE)
