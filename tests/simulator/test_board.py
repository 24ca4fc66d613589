"""What a board really does: triggers, counters, late frames (facts 3, 4; domain.md)."""

import pytest

from get_protocol.graw import read_header
from get_protocol.state_machine import Transition
from get_simulator.pace import Pace
from get_simulator.trigger import TriggerSystem
from tests.simulator.memory import Bench

UP = (Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE, Transition.START)
RESTART = (Transition.STOP, Transition.START)


def fire(bench: Bench, events: int = 1, boards: tuple[str, ...] | None = None) -> None:
    taking = [board for board in bench.boards.values() if boards is None or board.sender in boards]
    system = TriggerSystem(taking, Pace(bench.service.pace.timing, 1.0, 5.0))
    for _ in range(events):
        bench.clock.advance(0.2)
        system.fire(bench.clock.now())


def numbers(bench: Bench, board: str) -> list[int | None]:
    return [read_header(frame).event_idx for frame in bench.uplinks[board].sent]


def test_every_asad_sends_a_frame_for_each_event_with_the_number_the_file_gave_its_cobo() -> None:
    bench = Bench()
    bench.go(*UP, describe="cobo2")
    fire(bench, 2, ("CoBo[2]",))
    headers = [read_header(frame) for frame in bench.uplinks["CoBo[2]"].sent]
    assert [(h.cobo_idx, h.asad_idx, h.event_idx) for h in headers] == [(2, i, n) for n in (0, 1) for i in range(4)]
    assert all(header.frame_type == 1 for header in headers)


def test_full_readout_has_every_channel() -> None:
    bench = Bench()
    bench.go(*UP, configure="fullreadout")
    fire(bench, 1, ("CoBo[0]",))
    header = read_header(bench.uplinks["CoBo[0]"].sent[0])
    assert (header.frame_type, header.frame_size, header.item_count) == (2, 278784, 4 * 68 * 512)


def test_no_frames_while_the_mutant_stands_still() -> None:
    bench = Bench()
    bench.go(*UP)
    fire(bench, 3)
    assert bench.uplinks["CoBo[0]"].sent == []


def test_number_and_time_are_the_same_on_all_boards_and_restart_with_the_run() -> None:
    bench = Bench()
    bench.go(*UP, describe="all")
    fire(bench, 2)
    stamps = {
        sender: [(h.event_idx, h.event_time) for h in map(read_header, bench.uplinks[sender].sent)][::4]
        for sender in ("CoBo[0]", "CoBo[1]", "CoBo[2]")
    }
    assert stamps["CoBo[0]"] == stamps["CoBo[1]"] == stamps["CoBo[2]"]
    assert [time for _, time in stamps["CoBo[0]"]] == [pytest.approx(20_000_000, abs=9), pytest.approx(4e7, abs=9)]
    bench.go(*RESTART, describe="all")
    fire(bench)
    assert numbers(bench, "CoBo[0]")[::4] == [0, 1, 0]
    assert numbers(bench, "Mutant[master]") == [0, 1, 0]


def test_external_time_reset_counts_on_over_a_start() -> None:
    bench = Bench()
    bench.go(*UP, describe="all", configure="exttime")
    fire(bench, 2)
    bench.go(*RESTART, describe="all")
    fire(bench)
    assert numbers(bench, "CoBo[1]")[::4] == [0, 1, 2]
    bench.go(Transition.BREAKUP, Transition.CONFIGURE, Transition.START, describe="all", configure="exttime")
    fire(bench)
    assert numbers(bench, "CoBo[1]") == [0] * 4, "configuring the MuTAnT resets the time"


def test_pause_holds_the_frames_back() -> None:
    bench = Bench()
    bench.go(*UP, describe="all")
    bench.go(Transition.PAUSE, describe="all")
    fire(bench)
    assert not bench.uplinks["CoBo[0]"].sent


def test_a_board_goes_on_while_its_ecc_server_is_restarted_until_the_next_describe() -> None:
    bench = Bench()
    bench.go(*UP)
    bench.service.__post_init__()
    bench.service.state = type(bench.service.state).IDLE
    fire(bench, 1, ("CoBo[0]",))
    assert len(bench.uplinks["CoBo[0]"].sent) == 4
    bench.go(Transition.DESCRIBE)
    fire(bench, 1, ("CoBo[0]",))
    assert len(bench.uplinks["CoBo[0]"].sent) == 4


def test_a_broken_connection_is_not_noticed_but_counted() -> None:
    bench = Bench()
    bench.go(*UP)
    bench.uplinks["CoBo[0]"].closed = True
    fire(bench, 1, ("CoBo[0]",))
    board = bench.boards["CoBo[0]"]
    assert (board.sending, board.frames_sent, board.frames_lost) == (True, 0, 4)


def test_a_board_with_full_buffers_holds_all_boards_back() -> None:
    bench = Bench()
    bench.go(*UP, describe="all")
    system = TriggerSystem(list(bench.boards.values()), Pace(bench.service.pace.timing, 1.0, 5.0))
    for busy, steps, expected in ((True, 60, 0), (False, 2, 1)):
        bench.uplinks["CoBo[1]"].busy = busy
        for _ in range(steps):
            bench.clock.advance(min(system.step(bench.clock.now()), 0.005))
        assert system.events == expected


def test_step_fires_at_about_the_rate() -> None:
    bench = Bench()
    bench.go(*UP, describe="all")
    pace = Pace(bench.service.pace.timing, 1.0, 20.0)
    system = TriggerSystem(list(bench.boards.values()), pace)
    end = bench.clock.now() + 10.0
    while bench.clock.now() < end:
        bench.clock.advance(system.step(bench.clock.now()))
    assert system.events == pytest.approx(200, rel=0.1)
    pace.event_rate = 0.0
    before = system.events
    bench.clock.advance(system.step(bench.clock.now()))
    assert system.events == before
