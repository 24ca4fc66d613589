"""Frames without samples, each with a number of its own: so every byte on a disk tells when which board took it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from get_protocol.graw import build_frame, build_mutant
from get_simulator.board import Settings, Stamp
from tests.chaos.router import SERIAL_AT, serial_of

COBO_FRAME = bytearray(build_frame(cobo_idx=0, asad_idx=0, event_idx=0, event_time=0, revision=2))
MUTANT_FRAME = bytearray(build_mutant(0))
NUMBER_AT, COBO_AT, MUTANT_NUMBER_AT = 22, 26, 14
# CoBo frames begin with their meta type, MuTAnT frames with that of a blob (facts 5).
SIZES = {COBO_FRAME[0]: len(COBO_FRAME), MUTANT_FRAME[0]: len(MUTANT_FRAME)}


@dataclass
class Serials:
    """Which board took which frame, and when."""

    taken: dict[int, tuple[str, float]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def next(self, board: str, at: float) -> int:
        number = next(self._numbers)
        self.taken[number] = (board, at)
        return number


@dataclass
class NumberedFrames:
    """One frame an event for a board."""

    board: str
    serials: Serials
    now: Callable[[], float]

    def frames(self, settings: Settings, stamp: Stamp) -> Sequence[bytes]:
        mutant = self.board.startswith("Mutant")
        if mutant and not settings.mutant_readout:
            return []
        frame = bytearray(MUTANT_FRAME if mutant else COBO_FRAME)
        at = MUTANT_NUMBER_AT if mutant else NUMBER_AT
        frame[at : at + 4] = stamp.number.to_bytes(4, "big")
        if not mutant:
            frame[COBO_AT] = settings.cobo_id
        serial = self.serials.next(self.board, self.now())
        frame[SERIAL_AT : SERIAL_AT + 8] = serial.to_bytes(8, "big")
        return [bytes(frame)]


def serials_in(data: bytes) -> list[int]:
    """The numbers of the frames in a GRAW file."""
    found, offset = [], 0
    while offset < len(data):
        found.append(serial_of(data, offset))
        offset += SIZES[data[offset]]
    return found
