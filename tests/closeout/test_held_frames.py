"""What the campaign calls late: frames that wait in a connection, and come out in the order in which they went in."""

import pytest

from attpcdaq.testing.memory_node import MemoryNode
from get_simulator.description import RouterSpec
from get_simulator.faults import Fault, FaultBook, FaultKind
from tests.closeout.frames import COBO_FRAME, NUMBER_AT, Tag, read_tags, tagged, whole_frames
from tests.closeout.router import HeldLink, LateRouter

SPEC = RouterSpec("router-cobo0", "127.0.0.1", 46005, "TCP", "node-cobo0")


class Times:
    """Always the same moment."""

    def now(self) -> float:
        return 5.0

    def epoch(self) -> float:
        return 1000.0


@pytest.fixture
def node() -> MemoryNode:
    return MemoryNode(directories={"/staging": {}})


@pytest.fixture
def router(node: MemoryNode) -> LateRouter:
    made = LateRouter(SPEC, node, FaultBook(), Times())
    made.start()
    return made


def connected(router: LateRouter) -> HeldLink:
    link = router.connect()
    assert isinstance(link, HeldLink)
    return link


def frame(number: int) -> bytes:
    made = bytearray(COBO_FRAME)
    made[NUMBER_AT : NUMBER_AT + 4] = number.to_bytes(4, "big")
    return tagged(made, Tag(number + 100, 1))


def stored(node: MemoryNode) -> list[int]:
    return [tag.serial - 100 for file in node.directories["/staging"].values() for tag in read_tags(file.data)]


def test_frames_that_wait_come_in_their_order_and_before_what_is_sent_later(node, router) -> None:
    link = connected(router)
    link.send([frame(0)])
    router.holding = True
    link.send([frame(1), frame(2)])
    assert (stored(node), router.waiting) == ([0], 2)
    router.holding = False
    link.send([frame(3)])
    assert stored(node) == [0]
    router.let_out(2)
    assert (stored(node), router.waiting, router.late) == ([0, 1, 2], 1, 2)
    router.let_out()
    assert stored(node) == [0, 1, 2, 3]


def test_what_was_sent_before_a_board_lets_go_arrives(node, router) -> None:
    link = connected(router)
    router.holding = True
    link.send([frame(0)])
    link.close()
    assert stored(node) == [0]
    assert not router.connected


def test_what_waits_when_the_router_dies_never_arrives(node, router) -> None:
    link = connected(router)
    router.holding = True
    link.send([frame(0)])
    router.kill()
    assert not link.send([frame(1)])
    link.let_out(9)
    assert stored(node) == []


def test_a_router_that_dies_writing_leaves_half_a_frame(node, router) -> None:
    link = connected(router)
    link.send([frame(0)])
    router.tears = True
    link.send([frame(1), frame(2)])
    (file,) = node.directories["/staging"].values()
    assert (whole_frames(file.data), len(file.data)) == (128, 192)
    assert [one.data for one in router.written] == [file.data]


def test_a_full_disk_takes_no_frame(node, router) -> None:
    link = connected(router)
    router.faults.set(Fault("node-cobo0", FaultKind.DISK_FULL))
    link.send([frame(0)])
    router.faults.clear()
    link.send([frame(1)])
    assert stored(node) == [1]


def test_a_name_that_is_moved_away_is_written_anew_and_recorded_anew(node, router) -> None:
    link = connected(router)
    link.send([frame(0)])
    ((name, _),) = node.directories["/staging"].items()
    assert name.startswith("CoBo0_AsAd0_1970-01-01T00:16:40.000_0000")
    node.directories["/away"] = {name: node.directories["/staging"].pop(name)}
    link.send([frame(1)])
    assert [(one.name, read_tags(one.data)[0].serial) for one in router.written] == [(name, 100), (name, 101)]


def test_the_node_s_own_clock_names_the_files(node, router) -> None:
    node.clock = type(node.clock)(offset=2.0, error=0.001, utc_offset=60)
    connected(router).send([frame(0)])
    ((name, file),) = node.directories["/staging"].items()
    assert name == "CoBo0_AsAd0_1970-01-01T01:16:42.000_0000.graw"
    assert file.mtime == 1002.0
