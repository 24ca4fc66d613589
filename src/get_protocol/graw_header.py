"""MFM frame headers, reading: CoBo types 1 and 2, topology, MuTAnT (facts 5)."""

import struct
from collections.abc import Iterator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from get_protocol.errors import FrameError, TruncatedFrame

ReadableBuffer = bytes | bytearray | memoryview

LITTLE_ENDIAN, BLOB, BLOCK_EXPONENT = 0x80, 0x40, 0x0F
"""Bits of metaType."""

PRIMARY_BYTES = 8
TOPOLOGY_BYTES = 12
MUTANT_KNOWN_BYTES = 18
"""Up to the end of the only field of a MuTAnT frame that is known."""
STATUS_END, HIT_PATTERNS_END, MULTIPLICITY_END, WINDOW_END, LAST_CELLS_END = 31, 67, 75, 79, 87
"""Byte offsets in a CoBo header; a field group exists only if it lies inside the header."""
WINDOW_REVISION, LAST_CELLS_REVISION = 3, 4


class FrameType(IntEnum):
    """Frame types a data router sees."""

    COBO = 1
    COBO_COMPACT = 2
    TOPOLOGY = 7
    MUTANT = 8


class FrameFormat(NamedTuple):
    """What the format file of one CoBo frame type and revision lays down."""

    block_exponent: int
    header_blocks: int
    item_size: int


FORMATS: Mapping[tuple[int, int], FrameFormat] = MappingProxyType(
    {
        (FrameType.COBO, 0): FrameFormat(5, 2, 4),
        (FrameType.COBO, 1): FrameFormat(6, 2, 4),
        (FrameType.COBO, 2): FrameFormat(6, 2, 4),
        (FrameType.COBO, 3): FrameFormat(6, 2, 4),
        (FrameType.COBO, 4): FrameFormat(6, 2, 4),
        (FrameType.COBO, 5): FrameFormat(8, 1, 4),
        (FrameType.COBO_COMPACT, 5): FrameFormat(8, 1, 2),
    }
)
"""By frame type and revision; readers take block and header size from the frame itself."""
COBO_TYPES = frozenset({int(FrameType.COBO), int(FrameType.COBO_COMPACT)})


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
    """Byte order of a frame, and how its header is packed in it."""

    order: Literal["big", "little"]
    primary: struct.Struct
    cobo: struct.Struct
    event: struct.Struct


def _layout(order: Literal["big", "little"]) -> ByteLayout:
    mark = ">" if order == "big" else "<"
    pattern = "BQ" if order == "big" else "QB"
    cobo = struct.Struct(f"{mark}B3sBHBHHI6sIBBHB{4 * pattern}4HI4H")
    return ByteLayout(order, struct.Struct(mark + "B3sBHB"), cobo, struct.Struct(mark + "I"))


LAYOUTS = {False: _layout("big"), True: _layout("little")}
"""By whether metaType says little-endian."""


def read_header(buffer: ReadableBuffer, offset: int = 0, *, base_offset: int = 0) -> FrameHeader:
    """Header of the frame at `offset` of `buffer`, which begins at `base_offset` of the file.

    Only the header must be there. TruncatedFrame or FrameError with the offset in the file.
    """
    left, where = len(buffer) - offset, base_offset + offset
    if offset < 0 or left < PRIMARY_BYTES:
        raise TruncatedFrame(where, f"{max(left, 0)} bytes left; a frame begins with {PRIMARY_BYTES}")
    layout = LAYOUTS[buffer[offset] >= LITTLE_ENDIAN]
    meta, size, source, kind, revision = layout.primary.unpack_from(buffer, offset)
    if kind in COBO_TYPES:
        return _cobo_header(buffer, offset, where, layout)
    frame_size = int.from_bytes(size, layout.order) << (meta & BLOCK_EXPONENT)
    primary = (where, meta, frame_size, source, kind, revision)
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


def _cobo_header(buffer: ReadableBuffer, offset: int, where: int, layout: ByteLayout) -> FrameHeader:
    # Called for every frame of a file, hence one unpack of all the fields any revision has.
    left = len(buffer) - offset
    if left < LAST_CELLS_END:
        _need(left, STATUS_END, STATUS_END, where, "a CoBo frame")
        buffer, offset = bytes(buffer[offset:]).ljust(LAST_CELLS_END, b"\0"), 0
    fields = layout.cobo.unpack_from(buffer, offset)
    meta, size, source, kind, revision, header_blocks, item_size, item_count, time = fields[:9]
    exponent = meta & BLOCK_EXPONENT
    frame_size = int.from_bytes(size, layout.order) << exponent
    form = FORMATS.get((kind, revision))
    if form is None:
        known = ", ".join(str(number) for known_kind, number in FORMATS if known_kind == kind)
        raise FrameError(where, f"frame type {kind} has revision {revision}; known: {known}")
    header_size = header_blocks << exponent
    if header_size < STATUS_END or item_size != form.item_size or header_size + item_count * item_size > frame_size:
        raise FrameError(where, _misfit(frame_size, header_size, item_size, item_count, form))
    if left < LAST_CELLS_END and left < header_size:
        raise TruncatedFrame(where, f"{left} bytes left; the header has {header_size}")
    event_time = int.from_bytes(time, layout.order)
    head = (where, meta, frame_size, source, kind, revision, header_size, item_size, item_count, event_time)
    return tuple.__new__(FrameHeader, (*head, *fields[9:14], *_groups(fields, revision, header_size, layout.order)))


def _groups(
    fields: tuple[Any, ...], revision: int, header_size: int, order: Literal["big", "little"]
) -> tuple[object, ...]:
    """Hit patterns, multiplicities, window and last cells; None where the header has no room for them.

    The 64 bytes of revision 0 end inside hitPat_3. A pattern's 9 bytes are unpacked as 1 and 8.
    """
    if header_size < HIT_PATTERNS_END:
        return None, None, None, None
    a, b, c, d, e, f, g, h = fields[14:22]
    return (
        (a << 64 | b, c << 64 | d, e << 64 | f, g << 64 | h)
        if order == "big"
        else (b << 64 | a, d << 64 | c, f << 64 | e, h << 64 | g),
        fields[22:26] if header_size >= MULTIPLICITY_END else None,
        fields[26] if revision >= WINDOW_REVISION and header_size >= WINDOW_END else None,
        fields[27:31] if revision >= LAST_CELLS_REVISION and header_size >= LAST_CELLS_END else None,
    )


def _misfit(frame_size: int, header_size: int, item_size: int, item_count: int, form: FrameFormat) -> str:
    if not STATUS_END <= header_size <= frame_size:
        return f"header size is {header_size}; allowed: {STATUS_END} to the frame's {frame_size}"
    if item_size != form.item_size:
        return f"item size is {item_size}; allowed: {form.item_size}"
    return f"item count is {item_count}; the frame of {frame_size} bytes has room for fewer"


def _need(left: int, needed: int, frame_size: int, where: int, what: str) -> None:
    if frame_size < needed:
        raise FrameError(where, f"frame size is {frame_size}; {what} has at least {needed} bytes")
    if left < needed:
        raise TruncatedFrame(where, f"{left} bytes left; the header of {what} needs {needed}")
