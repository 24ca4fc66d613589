"""Frames that can be built, and those that cannot."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol.errors import FrameError, LocalProtocolError
from get_protocol.graw import (
    SAMPLE_DTYPE,
    FrameType,
    Topology,
    build_frame,
    build_mutant,
    build_topology,
    encode_frame,
    full_readout_order,
    hit_patterns_of,
    read_header,
    read_topology,
    samples,
    walk,
)
from tests.protocol.frames import SIMPLE, items_of


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"revision": 6}, "frame type 1 revision 6; allowed"),
        ({"frame_type": 2, "revision": 4}, "frame type 2 revision 4"),
        ({"frame_type": 9}, "frame type 9"),
        ({"cobo_idx": 256}, "cobo_idx is 256; allowed: 0 to 255"),
        ({"asad_idx": -1}, "asad_idx is -1"),
        ({"event_time": 2**48}, "event_time is"),
        ({"event_idx": 2**32}, "event_idx is"),
        ({"multiplicity": (0, 0, 0, 65536)}, "multiplicity is 65536"),
        ({"hit_patterns": (0, 1 << 72, 0, 0)}, "hit_patterns is"),
        ({"window_out": 1, "revision": 2}, "window_out: the header of type 1 revision 2 has no room"),
        ({"last_cells": (1, 2, 3, 4), "revision": 3}, "last_cells: the header of type 1 revision 3"),
        ({"multiplicity": (1, 2, 3, 4), "revision": 0}, "multiplicity: the header of type 1 revision 0"),
        ({"items": items_of([(4, 0, 0, 0)])}, "aget is 4; allowed: 0 to 3"),
        ({"items": items_of([(0, 128, 0, 0)])}, "channel is 128; allowed: 0 to 127"),
        ({"items": items_of([(0, 0, 512, 0)])}, "bucket is 512; allowed: 0 to 511"),
        ({"items": items_of([(0, 0, 0, 4096)])}, "sample is 4096; allowed: 0 to 4095"),
        (
            {"items": items_of([(0, 0, 0, 1), (0, 0, 1, 1)]), "frame_type": 2},
            "channel of item 1 is 0; a full readout",
        ),
        ({"items": items_of([(0, 0, 1, 1)]), "frame_type": 2}, "bucket of item 0 is 1"),
    ],
)
def test_what_cannot_be_built(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        build_frame(**SIMPLE | arguments)
    assert reason in str(caught.value)


def test_full_readout_has_one_order_per_aget() -> None:
    """The order that counts is that within each AGET, however the AGETs are interleaved."""
    one_by_one = np.sort(full_readout_order(2), order=["aget", "bucket", "channel"])
    frame = build_frame(**SIMPLE, items=one_by_one, frame_type=2)
    assert samples(frame, read_header(frame)).tolist() == one_by_one.tolist()


def test_full_readout_with_too_many_items_is_refused() -> None:
    frame = build_frame(**SIMPLE, items=full_readout_order(), frame_type=2)
    longer = bytearray(frame[:256] + 2 * frame[256:])
    longer[1:4] = (len(longer) // 256).to_bytes(3)
    longer[12:16] = (2 * 4 * 68 * 512).to_bytes(4)
    with pytest.raises(FrameError, match="more than 512 buckets of 68 channels"):
        samples(longer, read_header(longer))
    assert full_readout_order().shape == (4 * 68 * 512,)


def test_orders_given_out_are_the_callers_own() -> None:
    full_readout_order(1)["sample"] = 7
    assert not full_readout_order(1)["sample"].any()


@given(st.integers(0, 2**32 - 1), st.integers(18, 5000))
def test_mutant_frame_has_a_size_and_an_event_number(event_idx: int, size: int) -> None:
    frame = build_mutant(event_idx, size=size)
    (header,) = walk(frame)
    assert (header.frame_type, header.frame_size, header.event_idx) == (FrameType.MUTANT, size, event_idx)
    unknown = set(header._fields[6:]) - {"event_idx"}
    assert all(getattr(header, name) is None for name in unknown)
    with pytest.raises(FrameError, match="holds no samples that are known"):
        samples(frame, header)


def test_topology_frame() -> None:
    frame = build_topology(Topology(5, 0b1011, 1), data_source=9)
    assert frame == bytes([0x40, 0, 0, 12, 9, 0, 7, 0, 5, 0b1011, 1, 0])
    (header,) = walk(frame)
    assert (header.frame_type, header.cobo_idx, header.data_source, header.frame_size) == (7, 5, 9, 12)
    assert read_topology(frame) == Topology(5, 0b1011, 1)
    with pytest.raises(FrameError, match="not a topology frame"):
        read_topology(build_frame(**SIMPLE))


@pytest.mark.parametrize(
    "build",
    [
        lambda: build_topology(Topology(256, 0, 0)),
        lambda: build_topology(Topology(0, 0, 0), data_source=-1),
        lambda: build_mutant(-1),
        lambda: build_mutant(1, size=17),
        lambda: build_mutant(1, size=1 << 24),
        lambda: encode_frame(read_header(build_mutant(1)), items_of([])),
        lambda: encode_frame(read_header(build_frame(**SIMPLE)), items_of([]), tail=bytes(170)),
    ],
)
def test_what_else_cannot_be_built(build: Any) -> None:
    with pytest.raises(LocalProtocolError):
        build()


def test_frame_size_has_24_bits() -> None:
    one_byte_blocks = read_header(build_frame(**SIMPLE))._replace(meta_type=0)
    assert len(encode_frame(one_byte_blocks, items_of([(0, 0, 0, 0)]))) == 260
    with pytest.raises(LocalProtocolError, match="4194304 items need 16777472 blocks; at most 16777215"):
        encode_frame(one_byte_blocks, np.zeros(1 << 22, SAMPLE_DTYPE))


def test_hit_patterns_name_the_channels() -> None:
    items = items_of([(0, 0, 0, 1), (0, 67, 3, 1), (2, 1, 0, 1), (3, 100, 0, 1), (0, 67, 4, 1)])
    assert hit_patterns_of(items) == (1 << 67 | 1, 0, 1 << 66, 0)


def test_several_kinds_in_one_stream() -> None:
    kinds = [
        build_topology(Topology(1, 15, 0)),
        build_frame(**SIMPLE),
        build_mutant(9),
        build_frame(**SIMPLE, revision=0),
    ]
    sizes = list(itertools.accumulate(map(len, kinds), initial=0))
    assert [header.offset for header in walk(memoryview(b"".join(kinds)))] == sizes[:-1]
