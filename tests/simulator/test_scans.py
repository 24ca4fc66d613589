"""Files of simulated runs: the scanner says of them what reading every header says."""

from get_protocol.graw_scan import scan
from get_protocol.state_machine import Transition
from tests.protocol.scanning import check
from tests.simulator.conftest import UP, Simulation, until


async def test_files_of_a_run(small: Simulation) -> None:
    boards = ("cobo0", "cobo1", "mutant")
    for board in boards:
        await small.go(board, *UP)
    await until(lambda: [len(small.files(board)) for board in boards] == [4, 4, 1], "files")
    await until(lambda: (small.staging("cobo0") / small.files("cobo0")[3]).stat().st_size > 100_000, "some frames")
    for board in reversed(boards):
        await small.go(board, Transition.STOP)
    for board in boards:
        for name in small.files(board):
            data = (small.staging(board) / name).read_bytes()
            check(data, list(range(0, len(data), 5000)))
            found = scan(data)
            assert (found.frames > 0, found.tail, found.numbers_back, found.times_back) == (True, "", 0, 0)
            assert list(found.sources) == [name.partition("_2")[0]]
