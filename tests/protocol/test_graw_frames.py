"""Frames read and written: recorded ones byte for byte, built ones field for field."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from get_protocol.errors import FrameError, TruncatedFrame
from get_protocol.graw import (
    FrameType,
    build_frame,
    encode_frame,
    header_tail,
    hit_patterns_of,
    read_header,
    samples,
    walk,
)
from get_protocol.graw_header import FORMATS
from tests.protocol.frames import KINDS, SIMPLE, frame_arguments
from tests.protocol.recorded import recorded

SAMPLES = ["full-readout.graw", "partial-readout.graw", "real-frame.graw"]


@pytest.mark.parametrize("name", SAMPLES)
def test_recorded_frames_are_rebuilt_byte_for_byte(name: str) -> None:
    data = recorded("samples", name)
    rebuilt = [encode_frame(h, samples(data, h), tail=header_tail(data, h)) for h in walk(data)]
    assert b"".join(rebuilt) == data
    assert len(rebuilt) == (3 if name == "partial-readout.graw" else 1)


def test_full_readout_sample() -> None:
    data = recorded("samples", "full-readout.graw")
    (header,) = walk(data)
    assert header._asdict() == {
        "offset": 0,
        "meta_type": 8,
        "frame_size": 278784,
        "data_source": 0,
        "frame_type": FrameType.COBO_COMPACT,
        "revision": 5,
        "header_size": 256,
        "item_size": 2,
        "item_count": 4 * 68 * 512,
        "event_time": 0x06016700,
        "event_idx": 0,
        "cobo_idx": 0,
        "asad_idx": 0,
        "read_offset": 0,
        "status": 0,
        "hit_patterns": (0, 0, 0, 0),
        "multiplicity": (0, 0, 0, 0),
        "window_out": 0,
        "last_cells": (0, 1, 2, 3),
    }
    items = samples(data, header)
    assert [tuple(row) for row in items[[0, 1, 4, 271, 272, -1]].tolist()] == [
        (0, 0, 0, 0x133),
        (1, 0, 0, 0x132),
        (0, 1, 0, 0x12E),
        (3, 67, 0, int(items["sample"][271])),
        (0, 0, 1, int(items["sample"][272])),
        (3, 67, 511, int(items["sample"][-1])),
    ]
    assert not header_tail(data, header).strip(b"\0")


def test_partial_readout_sample() -> None:
    data = recorded("samples", "partial-readout.graw")
    headers = list(walk(data))
    assert [h.offset for h in headers] == [0, 41216, 86528]
    assert [h.event_idx for h in headers] == [0, 1, 2]
    for header in headers:
        items = samples(data, header)
        assert hit_patterns_of(items) == header.hit_patterns
        assert set(np.unique(items["bucket"])) == set(range(512))
    first = samples(data, headers[0])[:2]
    assert first.tolist() == [(0, 0, 0, 0x133), (0, 11, 0, 0x132)]


def test_real_frame_sample() -> None:
    data = recorded("samples", "real-frame.graw")
    (header,) = walk(data)
    assert (header.frame_type, header.revision, header.block_size, header.header_size) == (1, 4, 64, 256)
    assert (header.event_time, header.event_idx, header.item_count) == (1234567890, 12, 19520)
    assert header.last_cells == (690, 690, 690, 690)
    assert header_tail(data, header)[41:43] == data[128:130] == b"\x06\x00"
    assert samples(data, header)[0].tolist() == (1, 56, 188, 0x877)


def field_places(kind: int, revision: int) -> dict[str, tuple[int, int]]:
    """Offset and size of each header field in the format file of the real software."""
    name = f"CoboFormats-Rev-{revision}{'-Compact' if kind == FrameType.COBO_COMPACT else ''}.xcfg"
    root = etree.fromstring(recorded("samples", name))
    return {
        str(field.get("id")): (int(field.findtext("offset", "0")), int(field.findtext("size", "1")))
        for field in root.findall("Header/Field[@id]")
        if field.get("id") != "metaType"
    }


@pytest.mark.parametrize(("kind", "revision"), KINDS)
@pytest.mark.parametrize("little", [False, True])
def test_fields_lie_where_the_format_files_say(kind: int, revision: int, little: bool) -> None:
    places = field_places(kind, revision)
    size = FORMATS[kind, revision].header_blocks << FORMATS[kind, revision].block_exponent
    values: dict[str, Any] = {"event_time": 0x0102030405, "event_idx": 0x11121314, "cobo_idx": 0x21, "asad_idx": 0x22}
    values |= {"read_offset": 0x3132, "status": 0x41}
    quads: dict[str, Any] = {
        "hit_patterns": (0x90807060504030201, 2, 3, 4 << 60),
        "multiplicity": (5, 6, 7, 0x888),
    }
    quads |= {"last_cells": (9, 10, 11, 0xCCC)} if "lastCell_0" in places else {}
    single = {"window_out": 0xD1D2D3D4} if "windowOut" in places else {}
    fits = places["multip_3"][0] + 2 <= size
    optional = quads | single if fits else {}
    frame = build_frame(**values, **optional, frame_type=kind, revision=revision, little_endian=little)
    names = {"event_time": "eventTime", "event_idx": "eventIdx", "cobo_idx": "coboIdx", "asad_idx": "asadIdx"}
    names |= {"read_offset": "readOffset", "status": "status", "window_out": "windowOut"}
    expected = {names[key]: value for key, value in (values | (single if fits else {})).items()}
    expected |= {"headerSize": size >> FORMATS[kind, revision].block_exponent, "itemCount": 0}
    expected["itemSize"] = FORMATS[kind, revision].item_size
    prefixes = {"hit_patterns": "hitPat_", "multiplicity": "multip_", "last_cells": "lastCell_"}
    for key, quad in quads.items() if fits else ():
        expected |= {f"{prefixes[key]}{i}": value for i, value in enumerate(quad)}
    for field, value in expected.items():
        offset, width = places[field]
        assert int.from_bytes(frame[offset : offset + width], "little" if little else "big") == value, field
    assert fits == (revision > 0)
    assert set(places) - set(expected) == (set() if fits else {n for n in places if n[:6] in {"hitPat", "multip"}})


@pytest.mark.parametrize(("kind", "revision"), KINDS)
def test_block_header_and_item_size_are_those_of_the_format_files(kind: int, revision: int) -> None:
    name = f"CoboFormats-Rev-{revision}{'-Compact' if kind == FrameType.COBO_COMPACT else ''}.xcfg"
    root = etree.fromstring(recorded("samples", name))
    found = [
        root.findtext(f"Header/Field[@id='{path}value")
        for path in ("metaType']/BitField[@id='P2BLCK']/", "headerSize']/", "itemSize']/")
    ]
    assert [int(text or "") for text in found] == list(FORMATS[kind, revision])


@given(frame_arguments())
def test_built_frame_reads_back(arguments: dict[str, Any]) -> None:
    frame = build_frame(**arguments)
    (header,) = walk(frame, base_offset=100)
    assert header.offset == 100
    assert len(frame) == header.frame_size
    assert len(frame) % header.block_size == 0
    for name, value in arguments.items():
        if name not in {"items", "little_endian"}:
            assert getattr(header, name) == value, name
    assert bool(header.meta_type & 0x80) == arguments["little_endian"]
    items = samples(frame, header, base_offset=100)
    assert items.tolist() == arguments["items"].tolist()
    assert encode_frame(header, items) == frame


@given(frame_arguments(), st.data())
def test_truncated_frame_is_reported_where_it_begins(arguments: dict[str, Any], data: st.DataObject) -> None:
    frame = build_frame(**arguments)
    length = data.draw(st.integers(1, len(frame) - 1))
    with pytest.raises(TruncatedFrame) as caught:
        list(walk(frame + frame[:length], base_offset=7))
    assert caught.value.offset == 7 + len(frame)
    assert str(caught.value).startswith(f"at byte {7 + len(frame)}: ")


@pytest.mark.parametrize("name", SAMPLES)
def test_header_is_enough_for_a_header(name: str) -> None:
    data = recorded("samples", name)
    assert read_header(data[:87]) == read_header(data)
    for length in range(87):
        with pytest.raises(TruncatedFrame):
            read_header(data[:length])


def test_samples_need_the_whole_frame() -> None:
    data = recorded("samples", "partial-readout.graw")
    first, second, _ = walk(data)
    assert samples(data[second.offset :], second, base_offset=second.offset).size == second.item_count
    for buffer, base in ((data[:1000], 0), (data[1000:], 1000)):
        with pytest.raises(TruncatedFrame, match="at byte 0: the buffer"):
            samples(buffer, first, base_offset=base)


@given(st.binary(max_size=200), st.integers(0, 10))
def test_random_bytes_are_read_or_refused(data: bytes, offset: int) -> None:
    try:
        for header in walk(data, base_offset=offset):
            samples(data, header, base_offset=offset)
    except FrameError as error:
        assert offset <= error.offset <= offset + len(data)  # noqa: PT017


@given(frame_arguments(), st.data())
def test_damaged_frame_is_read_or_refused(arguments: dict[str, Any], data: st.DataObject) -> None:
    frame = bytearray(build_frame(**arguments))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, min(len(frame) - 1, 40)))] = data.draw(st.integers(0, 255))
    try:
        for header in walk(frame):
            samples(frame, header)
    except FrameError as error:
        assert error.reason  # noqa: PT017


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({5: 0, 6: 3}, "frame type is 3; known: 1 (COBO), 2 (COBO_COMPACT), 7 (TOPOLOGY), 8 (MUTANT)"),
        ({7: 6}, "frame type 1 has revision 6; known: 0, 1, 2, 3, 4, 5"),
        ({6: 2, 7: 4}, "frame type 2 has revision 4; known: 5"),
        ({3: 0}, "header size is 256; allowed: 31 to the frame's 0"),
        ({9: 0}, "header size is 0; allowed: 31"),
        ({9: 9}, "header size is 2304"),
        ({11: 2}, "item size is 2; allowed: 4"),
        ({12: 1}, "item count is 16777216; the frame of 256 bytes has room for fewer"),
        ({6: 8, 3: 1, 0: 0}, "frame size is 1; a MuTAnT frame has at least 18 bytes"),
        ({6: 7, 3: 1, 0: 0}, "frame size is 1; a topology frame has at least 12 bytes"),
    ],
)
def test_garbage_is_named(change: dict[int, int], reason: str) -> None:
    good = build_frame(**SIMPLE)
    bad = bytearray(good)
    for position, value in change.items():
        bad[position] = value
    with pytest.raises(FrameError) as caught:
        list(walk(good + bad))
    assert caught.value.offset == len(good)
    assert reason in caught.value.reason
    assert not isinstance(caught.value, TruncatedFrame)


def test_zeros_are_garbage() -> None:
    with pytest.raises(FrameError, match="at byte 0: frame type is 0"):
        read_header(bytes(256))
