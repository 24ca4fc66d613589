"""The last event number of a file from its last bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from get_protocol.graw import build_frame, build_mutant, find_last_frame, read_header
from tests.protocol.frames import frame_arguments, items_of, run_of
from tests.protocol.recorded import recorded

FRAMES = run_of(6)
FILE = b"".join(FRAMES)
FIRST = read_header(FILE)
SIZE = len(FRAMES[0])
HEADER_BYTES = 87


@pytest.mark.parametrize("length", [SIZE, SIZE + 1, 2 * SIZE, 2 * SIZE - 1, 3 * SIZE + 300, len(FILE)])
def test_complete_file(length: int) -> None:
    found = find_last_frame(FIRST, FILE[-length:], len(FILE) - length)
    assert found is not None
    assert (found.event_idx, found.offset) == (5, 5 * SIZE)


@given(st.integers(1, len(FILE)), st.integers(1, len(FILE)))
def test_any_window_of_a_growing_file(end: int, length: int) -> None:
    start = max(end - length, 0)
    found = find_last_frame(FIRST, FILE[start:end], start)
    begun = [i for i in range(6) if i * SIZE >= start and i * SIZE + HEADER_BYTES <= end]
    assert (None if found is None else found.event_idx) == (begun[-1] if begun else None)
    assert found is None or found == read_header(FILE, found.offset)


@given(st.lists(frame_arguments(), min_size=1, max_size=4), st.data())
def test_any_kind_of_frame(several: list[dict[str, Any]], data: st.DataObject) -> None:
    same = ("cobo_idx", "asad_idx", "data_source", "frame_type", "revision", "little_endian", "items")
    shared = {key: several[0][key] for key in same}
    frames = []
    for event, arguments in enumerate(several):
        usable = {key: value for key, value in arguments.items() if key in {"event_time", "read_offset", "status"}}
        frames.append(build_frame(**shared, **usable, event_idx=event))
    content = b"".join(frames)
    start = data.draw(st.integers(0, len(content) - len(frames[-1])))
    found = find_last_frame(read_header(content), content[start:], start)
    assert found is not None
    assert found.event_idx == len(frames) - 1


def test_samples_of_the_real_software() -> None:
    content = recorded("samples", "partial-readout.graw")
    found = find_last_frame(read_header(content), content[-60000:], len(content) - 60000)
    assert found is not None
    assert (found.event_idx, found.offset) == (2, 86528)


def test_header_copied_into_the_data_is_not_taken_for_a_frame() -> None:
    """Samples can be anything, so also what looks like a header at a block's start."""
    lure = FRAMES[0][:256]
    words = [int.from_bytes(lure[i : i + 4]) for i in range(0, 256, 4)]
    rows = [(word >> 30, word >> 23 & 127, word >> 14 & 511, word & 4095) for word in words]
    frames = [
        build_frame(cobo_idx=3, asad_idx=1, event_idx=event, event_time=0, items=items_of(rows * 8))
        for event in range(4)
    ]
    content = b"".join(frames)
    for length in (len(frames[0]), len(frames[0]) + 512, 3 * len(frames[0]) - 256, len(content)):
        found = find_last_frame(read_header(content), content[-length:], len(content) - length)
        assert found is not None
        assert found.offset == 3 * len(frames[0])


def test_garbage_after_the_last_frame_is_no_frame() -> None:
    assert find_last_frame(FIRST, FILE[SIZE:] + 300 * b"\xff", SIZE) is None
    assert find_last_frame(FIRST, bytes(100_000), SIZE) is None
    assert find_last_frame(FIRST, b"", 0) is None


def test_other_sources_do_not_count() -> None:
    other = b"".join(run_of(2, first=10, cobo=4))
    assert find_last_frame(FIRST, other, len(FILE)) is None


def test_event_numbers_must_rise() -> None:
    """A repeated number begins a new file, so it cannot follow in this one."""
    assert find_last_frame(read_header(b"".join(run_of(2, first=10))), FILE, SIZE) is None


def test_frames_of_another_kind_do_not_follow() -> None:
    mutant = build_mutant(9, size=256)
    assert find_last_frame(FIRST, FRAMES[0] + mutant, 0) is None
    assert find_last_frame(read_header(mutant), mutant + FRAMES[5], 0) is None
    assert find_last_frame(FIRST, FRAMES[0] + run_of(1, first=9, cobo=4)[0], 0) is None


def test_mutant_file() -> None:
    content = b"".join(build_mutant(event, size=72) for event in range(100, 200))
    first = read_header(content)
    for length in (72, 100, 1000, len(content)):
        found = find_last_frame(first, content[-length:], len(content) - length)
        assert found is not None
        assert found.event_idx == 199


def test_readout_mode_may_change_within_a_file() -> None:
    content = FRAMES[0] + build_frame(cobo_idx=3, asad_idx=1, event_idx=7, event_time=0, frame_type=2)
    found = find_last_frame(FIRST, content, 0)
    assert found is not None
    assert (found.event_idx, found.frame_type) == (7, 2)
