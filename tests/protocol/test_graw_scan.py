"""Summaries of whole files: they agree with the frames that `walk` reads, whatever the bytes and the pieces."""

import tracemalloc
from typing import Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from get_protocol.graw import Topology, build_frame, build_mutant, build_topology, read_header
from get_protocol.graw_scan import Scanner, scan
from get_protocol.graw_summary import MOST_RANGES, BadSummary, Summary
from tests.protocol.frames import SIMPLE, frame_arguments, run_of
from tests.protocol.recorded import recorded
from tests.protocol.scanning import check

SAMPLES = ["full-readout.graw", "partial-readout.graw", "real-frame.graw"]


NUMBERS = st.one_of(st.integers(0, 5), st.integers(2**32 - 3, 2**32 - 1))
TIMES = st.one_of(st.integers(0, 5), st.integers(2**48 - 3, 2**48 - 1))
COBO_FRAMES = st.builds(
    lambda arguments, event, time, cobo: build_frame(
        **arguments | {"event_idx": event, "event_time": time, "cobo_idx": cobo, "asad_idx": 0}
    ),
    frame_arguments(),
    NUMBERS,
    TIMES,
    st.sampled_from([0, 1, 255]),
)
FRAMES = st.one_of(
    COBO_FRAMES,
    st.builds(build_mutant, NUMBERS, size=st.integers(18, 64)),
    st.builds(build_topology, st.builds(Topology, st.integers(0, 255), st.integers(0, 15), st.integers(0, 1))),
)
CUTS = st.lists(st.integers(0, 2**20), max_size=12)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", [1, 7, 30, 31, 32, 4096, 2**20])
def test_recorded_files_in_pieces_of_any_size(name: str, size: int) -> None:
    data = recorded("samples", name)
    check(data if size > 1 else data[:3000], list(range(0, len(data), size)))


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAMES, max_size=6), CUTS, st.integers(0, 2**20))
def test_streams_of_every_kind_of_frame_cut_anywhere(frames: list[bytes], cuts: list[int], end: int) -> None:
    data = b"".join(frames)
    check(data, cuts)
    check(data[: end % (len(data) + 1)], cuts)


@settings(max_examples=300, deadline=None)
@given(st.lists(COBO_FRAMES, min_size=1, max_size=4), st.integers(0, 2**20), st.binary(max_size=3), CUTS)
def test_frames_with_damaged_headers(frames: list[bytes], at: int, damage: bytes, cuts: list[int]) -> None:
    data = bytearray(b"".join(frames * 2))
    start = len(frames[0]) * (at % 2) + at // 2 % 40
    data[start : start + len(damage)] = damage
    check(bytes(data), cuts)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200), CUTS)
@example(b"\0" * 100, [3, 9])
@example(b"\xff" * 100, [])
@example(b"\x08\xff\xff\xff\0\0\2\5\0\1\0\2" + bytes(300), [31])
def test_any_bytes(data: bytes, cuts: list[int]) -> None:
    check(data, cuts)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 40)), max_size=8), CUTS)
def test_frames_alike_but_for_a_few_bytes(damages: list[tuple[int, int]], cuts: list[int]) -> None:
    """The quick way through frames of one shape must notice whatever changes."""
    for frame in (run_of(1)[0], build_frame(**SIMPLE, little_endian=True), build_mutant(3)):
        data = bytearray(frame * 9)
        for number, (value, place) in enumerate(damages, 1):
            data[min(number * len(frame) + place, len(data) - 1)] = value
        check(bytes(data), cuts)


@pytest.mark.parametrize("order", ["big", "little"])
def test_as_many_items_as_there_is_room_for_and_not_one_more(order: Literal["big", "little"]) -> None:
    frame = build_frame(**SIMPLE, revision=5, little_endian=order == "little")
    room = (len(frame) - 256) // 4
    full, more = (frame[:12] + items.to_bytes(4, order) + frame[16:] for items in (room, room + 1))
    assert (scan(full).tail, scan(more).tail) == ("", "garbage")
    assert (scan(frame + full).frames, scan(frame + more).frames) == (2, 1)
    check(frame + full + more, [])


def test_gaps_repeats_and_times_that_go_back() -> None:
    events = [5, 6, 7, 10, 11, 11, 3, 4, 8]
    times = [100, 110, 120, 500, 510, 509, 600, 600, 601]
    frames = [build_frame(**SIMPLE | {"event_idx": e, "event_time": t}) for e, t in zip(events, times, strict=True)]
    seen = scan(b"".join(frames))
    assert seen.ranges == [(5, 7), (10, 11), (11, 11), (3, 4), (8, 8)]
    assert (seen.first_event, seen.last_event, seen.first_time, seen.last_time) == (5, 8, 100, 601)
    assert (seen.missing, seen.numbers_back, seen.times_back, seen.largest_step) == (2 + 3, 2, 1, 380)
    assert (seen.frames, seen.sources, seen.tail) == (9, {"CoBo1_AsAd2": 9}, "")


def test_words_for_what_is_wrong_with_an_end() -> None:
    frame, mutant = build_frame(**SIMPLE), build_mutant(7)
    size = len(frame)
    wrong_items = frame[:12] + (10**6).to_bytes(4) + frame[16:]
    ends = {
        frame[:-5]: f"at byte {size}: the frame has {size} bytes; 5 are missing",
        frame[:20]: f"at byte {size}: 20 bytes are left, no header of a frame",
        bytes(500): f"at byte {size}: frame type is 0; known: 1 (CoBo), 2 (CoBo full readout), 7 (topology), 8",
        frame[:7] + b"\x09" + frame[8:]: f"at byte {size}: frame type 1 has no revision 9",
        frame[:11] + b"\x09" + frame[12:]: f"at byte {size}: item size is 9; type 1 has 4",
        frame[:9] + b"\x99" + frame[10:]: f"at byte {size}: header size does not fit a frame of {size} bytes",
        wrong_items: f"at byte {size}: item count is 1000000; the frame of {size} bytes has room for ",
        mutant[:3] + b"\x01" + mutant[4:]: f"at byte {size}: frame size is 1; type 8 has at least 18 bytes",
    }
    for end, words in ends.items():
        assert words in scan(frame + end).tail_text


def test_what_follows_garbage_counts_as_bytes_only() -> None:
    frame, scanner = build_frame(**SIMPLE), Scanner()
    scanner.feed(frame + b"\1" * 40)
    scanner.feed(frame)
    seen = scanner.finish()
    assert (seen.frames, seen.size, seen.tail, seen.tail_at) == (1, 2 * len(frame) + 40, "garbage", len(frame))


def test_a_summary_may_be_asked_for_in_between() -> None:
    frames = run_of(4)
    scanner = Scanner()
    for number, frame in enumerate(frames, 1):
        scanner.feed(frame[:100])
        assert (scanner.finish().frames, scanner.finish().tail) == (number - 1, "truncated")
        scanner.feed(frame[100:])
        assert scanner.finish() == scan(b"".join(frames[:number]))


def test_ranges_are_limited_and_the_rest_is_counted() -> None:
    data = b"".join(build_mutant(event) for event in range(0, 5000, 2))
    seen = scan(data)
    assert (len(seen.ranges), seen.ranges_dropped) == (MOST_RANGES, 2500 - MOST_RANGES)
    assert (seen.missing, seen.frames, seen.last_event) == (2499, 2500, 4998)


def test_more_shapes_than_are_remembered() -> None:
    frames = [build_frame(**SIMPLE | {"event_idx": n}, data_source=n % 256, revision=n // 256 % 6) for n in range(1536)]
    seen = scan(b"".join(frames + frames))
    assert (seen.frames, seen.numbers_back, seen.missing) == (3072, 1, 0)


def test_memory_does_not_grow_with_the_file() -> None:
    chunk, scanner = b"".join(run_of(30)) + build_mutant(1), Scanner()
    tracemalloc.start()
    try:
        for _ in range(300):
            scanner.feed(chunk)
        first = tracemalloc.get_traced_memory()[0]
        for _ in range(3000):
            scanner.feed(chunk)
        assert tracemalloc.get_traced_memory()[0] - first < 200_000
    finally:
        tracemalloc.stop()
    assert scanner.finish().frames == 3300 * 31


GOOD = scan(recorded("samples", "partial-readout.graw")).to_json()
BAD: list[tuple[str, Any, str]] = [
    ("size", -1, "size is -1; allowed: whole numbers from 0 to"),
    ("frames", True, "frames is True"),
    ("frames", 1.0, "frames is 1.0"),
    ("missing", None, "missing is None"),
    ("first_event", 2**32, "first_event is 4294967296"),
    ("last_time", "7", "last_time is '7'"),
    ("ranges", {}, "ranges is no list of at most 1000 pairs"),
    ("ranges", [[1, 2]] * 1001, "ranges is no list"),
    ("ranges", [[1]], r"ranges has \[1\]; allowed: pairs"),
    ("ranges", [[3, 2]], "ranges is 3; allowed: whole numbers from 0 to 2"),
    ("ranges", [[0, "2"]], "ranges is 0; allowed"),
    ("ranges", [[0, 2**32]], "ranges is 4294967296; allowed"),
    ("ranges", [[0, True]], "ranges is True; allowed"),
    ("sources", [], "sources is no object"),
    ("sources", {"CoBo1_AsAd1\n": 1}, "sources has 'CoBo1_AsAd1"),
    ("sources", {"<b>": 1}, "sources has '<b>'; allowed: CoBo"),
    ("sources", {"MuTanT": -1}, "sources: MuTanT is -1"),
    ("tail", "fine", "tail is 'fine'; allowed"),
    ("tail", [], r"tail is \[\]; allowed"),
    ("tail_text", "a\nb", "tail_text is no line of at most 500 characters"),
    ("tail_text", "x" * 501, "tail_text is no line"),
    ("tail_text", 3, "tail_text is no line"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_a_summary_from_outside_is_checked(name: str, value: Any, words: str) -> None:
    with pytest.raises(BadSummary, match=words) as caught:
        Summary.from_json(GOOD | {name: value})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("value", [None, [], "{}", {}, GOOD | {"more": 1}, {"size": 0}])
def test_what_is_no_summary_at_all(value: object) -> None:
    with pytest.raises(BadSummary, match="a summary is an object of size, frames, "):
        Summary.from_json(value)


def test_samples_say_what_read_header_says() -> None:
    for name in SAMPLES:
        data = recorded("samples", name)
        assert scan(data).first_event == read_header(data).event_idx
