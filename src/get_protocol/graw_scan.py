"""What is in a GRAW file, from its frame headers alone (facts 5): one pass, nothing decoded, constant memory.

Standard library only and Python 3.8 or newer: the same module runs on the nodes.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from get_protocol.graw_summary import GARBAGE, MOST, MOST_RANGES, TRUNCATED, Summary

if TYPE_CHECKING:
    from mmap import mmap

    Buffer = bytes | bytearray | memoryview | mmap

__all__ = ["Scanner", "Summary", "scan"]

LITTLE_ENDIAN, BLOCK_EXPONENT = 0x80, 0x0F
COBO, COBO_COMPACT, TOPOLOGY, MUTANT = 1, 2, 7, 8
PRIMARY_BYTES, COBO_BYTES = 8, 31
"""Of a header: what every frame has, and up to the last field that every revision of a CoBo frame has."""
LEAST_BYTES = {TOPOLOGY: 12, MUTANT: 18}
ITEM_SIZES = {**{(COBO, revision): 4 for revision in range(6)}, (COBO_COMPACT, 5): 2}
"""Bytes of an item by frame type and revision."""
KNOWN_TYPES = "1 (CoBo), 2 (CoBo full readout), 7 (topology), 8 (MuTAnT)"
MOST_SHAPES = 1024
"""Shapes of header remembered at once."""


class Layout(NamedTuple):
    """CoBo headers in one byte order: header and shape, item count, two parts of the time and their shifts, event."""

    header: struct.Struct
    shifts: tuple[int, int]
    order: Literal["big", "little"]


LAYOUTS = {
    False: Layout(struct.Struct(">QIIHIIH"), (32, 0), "big"),
    True: Layout(struct.Struct("<QIIIHIH"), (0, 32), "little"),
}
"""By whether metaType says little-endian."""


class Scanner:
    """Takes a file from its first byte on, in pieces of any size; never raises, whatever the bytes."""

    def __init__(self) -> None:
        self._so_far = Summary()
        self._held = b""  # the header of a frame that is not whole yet, or as much of it as was seen
        self._held_fed = 0
        self._from = 0
        self._next = -1
        self._last_time = -1
        self._shapes: dict[bool, dict[int, tuple[int, int, int]]] = {False: {}, True: {}}

    def feed(self, piece: Buffer) -> None:
        """The next bytes of the file."""
        length, seen = len(piece), self._so_far
        try:
            if not seen.tail:
                start = self._finish_held(piece) if self._held else 0
                if start < length:
                    start = self._whole_frames(piece, start)
                    self._held, self._held_fed = bytes(piece[start : start + COBO_BYTES]), length - start
        except _Garbage as found:
            seen.tail, seen.tail_at = GARBAGE, seen.size + found.at
            seen.tail_text = f"at byte {seen.tail_at}: {found}"
        seen.size += length

    def finish(self) -> Summary:
        """What the bytes up to now are; more may follow."""
        done = replace(self._so_far, ranges=list(self._so_far.ranges), sources=dict(self._so_far.sources))
        if self._next >= 0:
            done.last_event = self._next - 1
            _add_range(done, self._from, self._next - 1)
        if self._last_time >= 0:
            done.last_time = self._last_time
        if self._held and not done.tail:
            done.tail, done.tail_at = TRUNCATED, done.size - self._held_fed
            done.tail_text = f"at byte {done.tail_at}: {_unfinished(self._held, self._held_fed)}"
        return done

    def _finish_held(self, piece: Buffer) -> int:
        """Bytes of `piece` that end the held frame, or all of them."""
        head = self._held + bytes(piece[: COBO_BYTES - len(self._held)])
        size = _frame_size(head, -self._held_fed)
        if size is None or size > self._held_fed + len(piece):
            self._held, self._held_fed = head, self._held_fed + len(piece)
            return len(piece)
        self._count(head)
        used, self._held = size - self._held_fed, b""
        return used

    def _whole_frames(self, piece: Buffer, at: int) -> int:
        """Counts the frames from `at` on that end in `piece`; where the first other one begins."""
        length = len(piece)
        while at < length:
            little = piece[at] >= LITTLE_ENDIAN
            at = self._alike(piece, at, self._shapes[little], LAYOUTS[little])
            head = bytes(piece[at : at + COBO_BYTES])
            size = _frame_size(head, at)
            if size is None or at + size > length:
                return at
            self._count(head)
            at += size
        return at

    def _alike(self, piece: Buffer, at: int, shapes: dict[int, tuple[int, int, int]], layout: Layout) -> int:
        """The same for CoBo frames whose shape was seen before; a million a second, hence all in one loop."""
        unpack, (up_a, up_b), seen = layout.header.unpack_from, layout.shifts, self._so_far
        length, expected, last_time, largest = len(piece), self._next, self._last_time, seen.largest_step
        last, same_head, same_source, shape, size, most = length - COBO_BYTES, -1, -1, 0, 0, 0
        frames = counted = 0
        while at <= last:
            head, this_shape, items, time_a, time_b, event, source = unpack(piece, at)
            if head != same_head:
                if head not in shapes:
                    break
                shape, size, most = shapes[head]
                same_head = head
            if this_shape != shape or items > most or at + size > length:
                break
            at += size
            if event == expected:
                expected += 1
            else:
                self._next = expected
                self._jump(event)
                expected = event + 1
            step = (time_a << up_a | time_b << up_b) - last_time
            last_time += step
            if step > largest:
                largest = step
            elif step < 0:
                seen.times_back += 1
            if source != same_source:
                self._add_source(same_source, frames - counted, layout)
                same_source, counted = source, frames
            frames += 1
        self._add_source(same_source, frames - counted, layout)
        self._next, self._last_time, seen.largest_step = expected, last_time, largest
        seen.frames += frames
        return at

    def _count(self, head: bytes) -> None:
        """One whole frame, of any kind."""
        kind, little = _kind(head), head[0] >= LITTLE_ENDIAN
        self._so_far.frames += 1
        if kind == TOPOLOGY:
            self._add(f"CoBo{head[8]}_topology", 1)
        elif kind == MUTANT:
            self._event(int.from_bytes(head[14:18], LAYOUTS[little].order))
            self._add("MuTanT", 1)
        else:
            layout, shapes = LAYOUTS[little], self._shapes[little]
            primary, shape, _, first, second, event, source = layout.header.unpack_from(head)
            if len(shapes) == MOST_SHAPES:
                shapes.clear()
            shapes[primary] = (shape, *_room(head))
            self._event(event)
            self._time(first << layout.shifts[0] | second << layout.shifts[1])
            self._add_source(source, 1, layout)

    def _event(self, event: int) -> None:
        if event != self._next:
            self._jump(event)
        self._next = event + 1

    def _jump(self, event: int) -> None:
        """The number after those up to `_next` is another one."""
        seen = self._so_far
        if self._next < 0:
            seen.first_event = event
        else:
            _add_range(seen, self._from, self._next - 1)
            seen.missing = min(seen.missing + max(event - self._next, 0), MOST)
            seen.numbers_back += event < self._next
        self._from = event

    def _time(self, time: int) -> None:
        seen = self._so_far
        if self._last_time < 0:
            seen.first_time = time
        else:
            seen.largest_step = max(seen.largest_step, time - self._last_time)
            seen.times_back += time < self._last_time
        self._last_time = time

    def _add_source(self, source: int, frames: int, layout: Layout) -> None:
        if frames:
            pair = divmod(source, 256)
            cobo, asad = pair if layout.order == "big" else pair[::-1]
            self._add(f"CoBo{cobo}_AsAd{asad}", frames)

    def _add(self, name: str, frames: int) -> None:
        self._so_far.sources[name] = self._so_far.sources.get(name, 0) + frames


def scan(data: Buffer) -> Summary:
    """What is in these bytes of a whole file; a mapped file is read where its headers are, and nowhere else."""
    scanner = Scanner()
    scanner.feed(data)
    return scanner.finish()


class _Garbage(Exception):
    """No frame begins at `at`; the text says why."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at


def _kind(head: bytes) -> int:
    return int.from_bytes(head[5:7], _order(head))


def _order(head: bytes) -> Literal["big", "little"]:
    return "little" if head[0] >= LITTLE_ENDIAN else "big"


def _frame_size(head: bytes, at: int) -> int | None:
    """Bytes of the frame that begins with `head`; None while more of it must be seen."""
    if len(head) < PRIMARY_BYTES:
        return None
    kind, order = _kind(head), _order(head)
    size = int.from_bytes(head[1:4], order) << (head[0] & BLOCK_EXPONENT)
    if kind in LEAST_BYTES:
        if size < LEAST_BYTES[kind]:
            raise _Garbage(at, f"frame size is {size}; type {kind} has at least {LEAST_BYTES[kind]} bytes")
        return size
    if kind not in (COBO, COBO_COMPACT):
        raise _Garbage(at, f"frame type is {kind}; known: {KNOWN_TYPES}")
    if len(head) < COBO_BYTES:
        return None
    _check_cobo(head, at, kind, order)
    return size


def _check_cobo(head: bytes, at: int, kind: int, order: Literal["big", "little"]) -> None:
    item_size = ITEM_SIZES.get((kind, head[7]))
    if item_size is None:
        raise _Garbage(at, f"frame type {kind} has no revision {head[7]}")
    if int.from_bytes(head[10:12], order) != item_size:
        raise _Garbage(at, f"item size is {int.from_bytes(head[10:12], order)}; type {kind} has {item_size}")
    size, room = _room(head)
    if room < 0:
        raise _Garbage(at, f"header size does not fit a frame of {size} bytes")
    items = int.from_bytes(head[12:16], order)
    if items > room:
        raise _Garbage(at, f"item count is {items}; the frame of {size} bytes has room for {room}")


def _room(head: bytes) -> tuple[int, int]:
    """Bytes of a CoBo frame, and items that it has room for: below 0 if its header cannot be."""
    order = _order(head)
    size, header = (int.from_bytes(head[a:b], order) << (head[0] & BLOCK_EXPONENT) for a, b in ((1, 4), (8, 10)))
    if not COBO_BYTES <= header <= size:
        return size, -1
    return size, (size - header) // int.from_bytes(head[10:12], order)


def _unfinished(head: bytes, fed: int) -> str:
    size = _frame_size(head, 0)
    if size is None:
        return f"{fed} bytes are left, no header of a frame"
    return f"the frame has {size} bytes; {size - fed} are missing"


def _add_range(summary: Summary, first: int, last: int) -> None:
    if len(summary.ranges) < MOST_RANGES:
        summary.ranges.append((first, last))
    else:
        summary.ranges_dropped += 1
