"""Frames that carry the run they were taken in and a number of their own: a file tells by its bytes whose they are."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from get_protocol.graw import build_frame, build_mutant
from get_simulator.board import Settings, Stamp

COBO_FRAME = build_frame(cobo_idx=0, asad_idx=0, event_idx=0, event_time=0, revision=2)
MUTANT_FRAME = build_mutant(0)
TIME_AT, NUMBER_AT, COBO_AT, ASAD_AT, MUTANT_NUMBER_AT = 16, 22, 26, 27, 14
# In the hit patterns of a CoBo frame (bytes 31 to 66), and in what is not known of a MuTAnT's (facts 5).
SERIAL_AT, RUN_AT = 32, 40
SIZES = {COBO_FRAME[0]: len(COBO_FRAME), MUTANT_FRAME[0]: len(MUTANT_FRAME)}


class Tag(NamedTuple):
    """What a frame says of itself: its own number, and the run in which it was taken (0: none)."""

    serial: int
    run: int


@dataclass
class Taken:
    """Every frame that boards took, by run; the numbers go on over all boards."""

    current_run: Callable[[], int]
    of_run: dict[int, set[int]] = field(default_factory=dict)
    by_source: dict[tuple[int, str], set[int]] = field(default_factory=dict)
    """(Run, source) -> serials."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def next(self, run: int, source: str) -> Tag:
        serial = next(self._numbers)
        self.of_run.setdefault(run, set()).add(serial)
        self.by_source.setdefault((run, source), set()).add(serial)
        return Tag(serial, run)


@dataclass
class TaggedFrames:
    """A board's frames; `starts` tells how often the board was started, and a new run is asked for then only."""

    board: str
    taken: Taken
    starts: Callable[[], int]
    disorder: Callable[[], random.Random | None]
    """Dice while event numbers come out of order; None while they do not."""
    _known: tuple[int, int] = (0, 0)

    def frames(self, settings: Settings, stamp: Stamp) -> Sequence[bytes]:
        run, number = self._run(), self._number(stamp.number)
        if self.board.startswith("Mutant"):
            return [self._mutant(run, number)] if settings.mutant_readout else []
        return [self._cobo(run, number, stamp.ticks, settings.cobo_id, asad) for asad in settings.asads]

    def _run(self) -> int:
        starts = self.starts()
        if starts != self._known[0]:
            self._known = (starts, self.taken.current_run())
        return self._known[1]

    def _number(self, number: int) -> int:
        dice = self.disorder()
        return number if dice is None or dice.random() < 0.5 else max(number - dice.randint(0, 4), 0)

    def _cobo(self, run: int, number: int, ticks: int, cobo: int, asad: int) -> bytes:
        frame = bytearray(COBO_FRAME)
        frame[TIME_AT : TIME_AT + 6] = ticks.to_bytes(6, "big")
        frame[NUMBER_AT : NUMBER_AT + 4] = number.to_bytes(4, "big")
        frame[COBO_AT], frame[ASAD_AT] = cobo, asad
        return tagged(frame, self.taken.next(run, f"CoBo{cobo}_AsAd{asad}"))

    def _mutant(self, run: int, number: int) -> bytes:
        frame = bytearray(MUTANT_FRAME)
        frame[MUTANT_NUMBER_AT : MUTANT_NUMBER_AT + 4] = number.to_bytes(4, "big")
        return tagged(frame, self.taken.next(run, "MuTanT"))


def strange_frames(serials: Sequence[int]) -> bytes:
    """Whole frames of no run, as in a file that somebody copied here."""
    return b"".join(tagged(bytearray(COBO_FRAME), Tag(serial, 0)) for serial in serials)


def tagged(frame: bytearray, tag: Tag) -> bytes:
    frame[SERIAL_AT : SERIAL_AT + 8] = tag.serial.to_bytes(8, "big")
    frame[RUN_AT : RUN_AT + 4] = tag.run.to_bytes(4, "big")
    return bytes(frame)


def tag_of(frame: bytes, offset: int = 0) -> Tag:
    serial, run = frame[offset + SERIAL_AT : offset + SERIAL_AT + 8], frame[offset + RUN_AT : offset + RUN_AT + 4]
    return Tag(int.from_bytes(serial, "big"), int.from_bytes(run, "big"))


def read_tags(data: bytes) -> list[Tag]:
    """The frames of a file, as far as they are whole and nothing else lies between them."""
    return [tag_of(data, offset) for offset in _offsets(data)]


def whole_frames(data: bytes) -> int:
    """Bytes at the beginning of a file that are whole frames."""
    return sum(SIZES[data[offset]] for offset in _offsets(data))


def _offsets(data: bytes) -> Iterator[int]:
    offset = 0
    while offset < len(data) and offset + (size := SIZES.get(data[offset], len(data) + 1)) <= len(data):
        yield offset
        offset += size
