"""MFM frames, writing: what a board sends and a data router stores (facts 5)."""

from typing import Any

import numpy as np

from get_protocol.errors import LocalProtocolError
from get_protocol.graw_header import (
    BLOB,
    COBO_TYPES,
    FORMATS,
    HIT_PATTERNS_END,
    LAST_CELLS_END,
    LAST_CELLS_REVISION,
    LAYOUTS,
    LITTLE_ENDIAN,
    MULTIPLICITY_END,
    MUTANT_KNOWN_BYTES,
    TOPOLOGY_BYTES,
    WINDOW_END,
    WINDOW_REVISION,
    ByteLayout,
    FrameHeader,
    FrameType,
    Topology,
    fields_end,
)
from get_protocol.graw_samples import SAMPLE_DTYPE, Samples, encode_items

Quad = tuple[int, int, int, int]


_LIMITS = {
    "data_source": 0xFF,
    "event_time": 0xFFFF_FFFF_FFFF,
    "event_idx": 0xFFFF_FFFF,
    "cobo_idx": 0xFF,
    "asad_idx": 0xFF,
    "read_offset": 0xFFFF,
    "status": 0xFF,
    "hit_patterns": (1 << 72) - 1,
    "multiplicity": 0xFFFF,
    "window_out": 0xFFFF_FFFF,
    "last_cells": 0xFFFF,
}
_NO_ITEMS = np.zeros(0, SAMPLE_DTYPE)
_MAX_BLOCKS = 0xFF_FFFF


def build_frame(
    *,
    cobo_idx: int,
    asad_idx: int,
    event_idx: int,
    event_time: int,
    items: Samples = _NO_ITEMS,
    frame_type: int = FrameType.COBO,
    revision: int = 5,
    hit_patterns: Quad | None = None,
    multiplicity: Quad | None = None,
    window_out: int | None = None,
    last_cells: Quad | None = None,
    read_offset: int = 0,
    status: int = 0,
    data_source: int = 0,
    little_endian: bool = False,
) -> bytes:
    """A CoBo frame (type 1 revision 0-5, type 2 revision 5); LocalProtocolError names what cannot be.

    `items` is an array of SAMPLE_DTYPE, for type 2 in the order of full_readout_order. Fields left None are
    zero where the revision has them. `event_time` counts 10 ns ticks; hit patterns come from hit_patterns_of.
    """
    form = FORMATS.get((frame_type, revision))
    if form is None:
        known = ", ".join(f"type {kind:d} revision {number}" for kind, number in FORMATS)
        raise LocalProtocolError(f"frame type {frame_type} revision {revision}; allowed: {known}")
    size = form.header_blocks << form.block_exponent
    given = {
        "hit_patterns": hit_patterns,
        "multiplicity": multiplicity,
        "window_out": window_out,
        "last_cells": last_cells,
    }
    meta = form.block_exponent | (LITTLE_ENDIAN if little_endian else 0)
    fixed = (size, form.item_size, len(items), event_time, event_idx, cobo_idx, asad_idx, read_offset, status)
    header = FrameHeader(0, meta, 0, data_source, frame_type, revision, *fixed)
    return encode_frame(_with_groups(header, size, given), items)


def _with_groups(header: FrameHeader, size: int, given: dict[str, Any]) -> FrameHeader:
    """`header` with the field groups its revision and size have room for, zero where none is given."""
    zeros = (0, 0, 0, 0)
    room = {
        "hit_patterns": (zeros, size >= HIT_PATTERNS_END),
        "multiplicity": (zeros, size >= MULTIPLICITY_END),
        "window_out": (0, header.revision >= WINDOW_REVISION and size >= WINDOW_END),
        "last_cells": (zeros, header.revision >= LAST_CELLS_REVISION and size >= LAST_CELLS_END),
    }
    kind = f"type {header.frame_type} revision {header.revision}"
    groups: dict[str, Any] = {}
    for name, (zero, there) in room.items():
        if given[name] is not None and not there:
            raise LocalProtocolError(f"{name}: the header of {kind} has no room for it")
        groups[name] = (zero if given[name] is None else given[name]) if there else None
    return header._replace(**groups)


def encode_frame(header: FrameHeader, items: Samples, *, tail: bytes = b"") -> bytes:
    """The frame of a CoBo `header` and its items; sizes and counts are computed anew.

    `tail` is what header_tail gave: with it an unmodified frame comes out byte for byte, except for bits 12
    and 13 of items and for non-zero padding, which no board sets.
    """
    if header.frame_type not in COBO_TYPES or header.header_size is None:
        raise LocalProtocolError(f"frame type {header.frame_type} has no items; allowed: 1 and 2")
    _check_limits(header)
    block, header_size = header.block_size, header.header_size
    room = header_size - fields_end(header)
    if header_size % block or room < 0 or len(tail) > room:
        raise LocalProtocolError(
            f"header size is {header_size}; it must be whole blocks of {block} and hold all fields"
        )
    little = bool(header.meta_type & LITTLE_ENDIAN)
    body = encode_items(items, header.frame_type, little_endian=little)
    blocks = -(-(header_size + len(body)) // block)
    if blocks > _MAX_BLOCKS:
        raise LocalProtocolError(f"{len(items)} items need {blocks} blocks; at most {_MAX_BLOCKS} are allowed")
    frame = bytearray(blocks * block)
    _pack_fields(frame, header, blocks, len(items), LAYOUTS[little])
    frame[fields_end(header) : fields_end(header) + len(tail)] = tail
    frame[header_size : header_size + len(body)] = body
    return bytes(frame)


def build_topology(topology: Topology, *, data_source: int = 0) -> bytes:
    """The 12-byte frame that opens an FDT run; a data router drops it (facts 3, 4)."""
    _check("data_source", data_source, 0xFF)
    for name, value in topology._asdict().items():
        _check(name, value, 0xFF)
    primary = LAYOUTS[False].primary.pack(BLOB, TOPOLOGY_BYTES.to_bytes(3), data_source, FrameType.TOPOLOGY, 0)
    return primary + bytes((*topology, 0))


def build_mutant(event_idx: int, *, size: int = 64, data_source: int = 0, revision: int = 0) -> bytes:
    """A frame with a MuTAnT's type, size and event number; what a real one puts elsewhere is not known."""
    _check("event_idx", event_idx, 0xFFFF_FFFF)
    _check("data_source", data_source, 0xFF)
    _check("revision", revision, 0xFF)
    if not MUTANT_KNOWN_BYTES <= size <= _MAX_BLOCKS:
        raise LocalProtocolError(f"frame size is {size}; allowed: {MUTANT_KNOWN_BYTES} to {_MAX_BLOCKS}")
    frame = bytearray(size)
    LAYOUTS[False].primary.pack_into(frame, 0, BLOB, size.to_bytes(3), data_source, FrameType.MUTANT, revision)
    LAYOUTS[False].event.pack_into(frame, MUTANT_KNOWN_BYTES - 4, event_idx)
    return bytes(frame)


def _pack_fields(frame: bytearray, header: FrameHeader, blocks: int, count: int, layout: ByteLayout) -> None:
    """Write all field groups at once, then only as far as this header's fields go."""
    zeros = (0, 0, 0, 0)
    size, time = blocks.to_bytes(3, layout.order), (header.event_time or 0).to_bytes(6, layout.order)
    header_blocks = (header.header_size or 0) // header.block_size
    packed = layout.cobo.pack(
        header.meta_type,
        size,
        header.data_source,
        header.frame_type,
        header.revision,
        header_blocks,
        header.item_size,
        count,
        time,
        header.event_idx,
        header.cobo_idx,
        header.asad_idx,
        header.read_offset,
        header.status,
        *_split(header.hit_patterns or zeros, layout),
        *(header.multiplicity or zeros),
        header.window_out or 0,
        *(header.last_cells or zeros),
    )
    frame[: fields_end(header)] = packed[: fields_end(header)]


def _split(patterns: Quad, layout: ByteLayout) -> list[int]:
    """Each 9-byte pattern as the 1 and 8 bytes that the layout packs, in its byte order."""
    parts = [(pattern >> 64, pattern & (1 << 64) - 1) for pattern in patterns]
    return [part for pair in parts for part in (pair if layout.order == "big" else pair[::-1])]


def _check_limits(header: FrameHeader) -> None:
    for name, highest in _LIMITS.items():
        value = getattr(header, name)
        if isinstance(value, tuple):
            for part in value:
                _check(name, part, highest)
        elif value is not None:
            _check(name, value, highest)


def _check(name: str, value: int, highest: int) -> None:
    if not 0 <= value <= highest:
        raise LocalProtocolError(f"{name} is {value}; allowed: 0 to {highest}")
