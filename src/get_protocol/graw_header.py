"""MFM frame headers, reading: CoBo types 1 and 2, topology, MuTAnT (facts 5)."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Literal, NamedTuple

from get_protocol.errors import FrameError, TruncatedFrame

ReadableBuffer = bytes | bytearray | memoryview

LITTLE_ENDIAN, BLOB, BLOCK_EXPONENT = 0x80, 0x40, 0x0F
"""Bits of metaType."""

PRIMARY_BYTES = 8
TOPOLOGY_BYTES = 12
MUTANT_KNOWN_BYTES = 18
"""Up to the end of the only field of a MuTAnT frame that is known."""
FIRST_FIELD, STATUS_END, HIT_PATTERNS_END, MULTIPLICITY_END, WINDOW_END, LAST_CELLS_END = 8, 31, 67, 75, 79, 87
"""Byte offsets in a CoBo header; each field group exists only if it lies inside the header."""
WINDOW_REVISION, LAST_CELLS_REVISION = 3, 4


class FrameType(IntEnum):
    """Frame types a data router sees."""

    COBO = 1
    COBO_COMPACT = 2
    TOPOLOGY = 7
    MUTANT = 8


ITEM_BYTES = {FrameType.COBO: 4, FrameType.COBO_COMPACT: 2}
REVISIONS = {FrameType.COBO: frozenset(range(6)), FrameType.COBO_COMPACT: frozenset({5})}


class FrameHeader(NamedTuple):
    """One frame's header; sizes in bytes, `event_time` in 10 ns ticks, `offset` in the file or buffer.

    None stands for what this type and revision does not carry. Of a MuTAnT frame only the size and the event
    number are known; of a topology frame only the CoBo (see read_topology for the rest).
    """

    offset: int
    meta_type: int
    frame_size: int
    data_source: int
    frame_type: int
    revision: int
    header_size: int | None = None
    item_size: int | None = None
    item_count: int | None = None
    event_time: int | None = None
    event_idx: int | None = None
    cobo_idx: int | None = None
    asad_idx: int | None = None
    read_offset: int | None = None
    status: int | None = None
    hit_patterns: tuple[int, int, int, int] | None = None
    multiplicity: tuple[int, int, int, int] | None = None
    window_out: int | None = None
    last_cells: tuple[int, int, int, int] | None = None

    @property
    def block_size(self) -> int:
        """Unit in which the frame counts its own sizes."""
        return 1 << (self.meta_type & BLOCK_EXPONENT)


class Topology(NamedTuple):
    """What a board announces over an FDT link at Start."""

    cobo_idx: int
    asad_mask: int
    two_proton_mode: int


class ByteLayout(NamedTuple):
    """Byte order of a frame and the structs of its field groups."""

    order: Literal["big", "little"]
    primary: struct.Struct
    cobo: struct.Struct
    hits: struct.Struct
    four: struct.Struct
    window: struct.Struct
    event: struct.Struct


def _layout(order: Literal["big", "little"]) -> ByteLayout:
    mark = ">" if order == "big" else "<"
    formats = ("B3sBHB", "HHI6sIBBHB", "36s", "4H", "I", "I")
    return ByteLayout(order, *(struct.Struct(mark + text) for text in formats))


LAYOUTS = {False: _layout("big"), True: _layout("little")}
"""By whether metaType says little-endian."""


def read_header(buffer: ReadableBuffer, offset: int = 0, *, base_offset: int = 0) -> FrameHeader:
    """Header of the frame at `offset` of `buffer`, which begins at `base_offset` of the file.

    Only the header must be there. TruncatedFrame or FrameError with the offset in the file.
    """
    left, where = len(buffer) - offset, base_offset + offset
    if offset < 0 or left < PRIMARY_BYTES:
        raise TruncatedFrame(where, f"{max(left, 0)} bytes left; a frame begins with {PRIMARY_BYTES}")
    layout = LAYOUTS[bool(buffer[offset] & LITTLE_ENDIAN)]
    meta, size, source, kind, revision = layout.primary.unpack_from(buffer, offset)
    blocks = int.from_bytes(size, layout.order)
    frame_size = blocks << (meta & BLOCK_EXPONENT)
    primary = (where, meta, frame_size, source, kind, revision)
    if kind in ITEM_BYTES:
        return _cobo_header(buffer, offset, primary, layout)
    if kind == FrameType.MUTANT:
        _need(left, MUTANT_KNOWN_BYTES, frame_size, where, "a MuTAnT frame")
        return FrameHeader(*primary, event_idx=layout.event.unpack_from(buffer, offset + 14)[0])
    if kind == FrameType.TOPOLOGY:
        _need(left, TOPOLOGY_BYTES, frame_size, where, "a topology frame")
        return FrameHeader(*primary, header_size=PRIMARY_BYTES, cobo_idx=buffer[offset + 8])
    known = ", ".join(f"{frame_type:d} ({frame_type.name})" for frame_type in FrameType)
    raise FrameError(where, f"frame type is {kind}; known: {known}")


def walk(buffer: ReadableBuffer, *, base_offset: int = 0) -> Iterator[FrameHeader]:
    """Headers of all frames of `buffer`, in order; FrameError at a truncated tail or at garbage."""
    position, end = 0, len(buffer)
    while position < end:
        header = read_header(buffer, position, base_offset=base_offset)
        position += header.frame_size
        if position > end:
            missing = position - end
            raise TruncatedFrame(header.offset, f"the frame has {header.frame_size} bytes; {missing} are missing")
        yield header


def read_topology(buffer: ReadableBuffer, offset: int = 0) -> Topology:
    """Content of the topology frame at `offset`; FrameError if it is none."""
    if read_header(buffer, offset).frame_type != FrameType.TOPOLOGY:
        raise FrameError(offset, f"not a topology frame (type {FrameType.TOPOLOGY:d})")
    return Topology(buffer[offset + 8], buffer[offset + 9], buffer[offset + 10])


def header_tail(buffer: ReadableBuffer, header: FrameHeader, *, base_offset: int = 0) -> bytes:
    """Header bytes after the last known field: zeros from a board, kept for exact copies."""
    start = header.offset - base_offset
    return bytes(buffer[start + fields_end(header) : start + (header.header_size or 0)])


def fields_end(header: FrameHeader) -> int:
    """Where the known fields of a CoBo header end, in bytes from the start of the frame."""
    if header.last_cells is not None:
        return LAST_CELLS_END
    if header.window_out is not None:
        return WINDOW_END
    if header.multiplicity is not None:
        return MULTIPLICITY_END
    return STATUS_END if header.hit_patterns is None else HIT_PATTERNS_END


def _cobo_header(
    buffer: ReadableBuffer, offset: int, primary: tuple[int, int, int, int, int, int], layout: ByteLayout
) -> FrameHeader:
    where, meta, frame_size, _, kind, revision = primary
    if revision not in REVISIONS[FrameType(kind)]:
        known = ", ".join(map(str, sorted(REVISIONS[FrameType(kind)])))
        raise FrameError(where, f"frame type {kind} has revision {revision}; known: {known}")
    left = len(buffer) - offset
    _need(left, STATUS_END, frame_size, where, "a CoBo frame")
    header_blocks, item_size, item_count, time, *rest = layout.cobo.unpack_from(buffer, offset + FIRST_FIELD)
    header_size = header_blocks << (meta & BLOCK_EXPONENT)
    if not STATUS_END <= header_size <= frame_size:
        raise FrameError(where, f"header size is {header_size}; allowed: {STATUS_END} to the frame's {frame_size}")
    if item_size != ITEM_BYTES[FrameType(kind)]:
        raise FrameError(where, f"item size is {item_size}; allowed: {ITEM_BYTES[FrameType(kind)]}")
    if header_size + item_count * item_size > frame_size:
        raise FrameError(where, f"{item_count} items do not fit into a frame of {frame_size} bytes")
    if left < min(header_size, LAST_CELLS_END):
        raise TruncatedFrame(where, f"{left} bytes left; the header has {header_size}")
    event_time = int.from_bytes(time, layout.order)
    optional = _optional_fields(buffer, offset, header_size, revision, layout)
    return FrameHeader(*primary, header_size, item_size, item_count, event_time, *rest, *optional)


def _optional_fields(
    buffer: ReadableBuffer, offset: int, header_size: int, revision: int, layout: ByteLayout
) -> tuple[object, ...]:
    """Field groups that a header has room for: the 64 bytes of revision 0 end inside hitPat_3."""
    hits = multiplicity = window = cells = None
    if header_size >= HIT_PATTERNS_END:
        hits = _hit_patterns(layout.hits.unpack_from(buffer, offset + STATUS_END)[0], layout)
    if header_size >= MULTIPLICITY_END:
        multiplicity = layout.four.unpack_from(buffer, offset + HIT_PATTERNS_END)
    if revision >= WINDOW_REVISION and header_size >= WINDOW_END:
        window = layout.window.unpack_from(buffer, offset + MULTIPLICITY_END)[0]
    if revision >= LAST_CELLS_REVISION and header_size >= LAST_CELLS_END:
        cells = layout.four.unpack_from(buffer, offset + WINDOW_END)
    return hits, multiplicity, window, cells


def _hit_patterns(data: bytes, layout: ByteLayout) -> tuple[int, int, int, int]:
    first, second, third, fourth = (int.from_bytes(data[i : i + 9], layout.order) for i in (0, 9, 18, 27))
    return first, second, third, fourth


def _need(left: int, needed: int, frame_size: int, where: int, what: str) -> None:
    if frame_size < needed:
        raise FrameError(where, f"frame size is {frame_size}; {what} has at least {needed} bytes")
    if left < needed:
        raise TruncatedFrame(where, f"{left} bytes left; the header of {what} needs {needed}")
