"""Which file a frame goes to (facts 4), with time and disk given."""

from datetime import datetime

import pytest

from get_protocol.graw import Topology as TopologyFrame
from get_protocol.graw import build_frame, build_mutant, build_topology, parse_graw_name
from get_simulator.data_router import GOODBYE, HEART_BEAT, FrameCutter
from get_simulator.frame_store import FrameStore
from tests.simulator.memory import MemoryDisk

NOON = datetime(2026, 11, 22, 12, 0, 0, 458000).timestamp()  # noqa: DTZ001  file names are in local time


def frame(event: int, asad: int = 0, cobo: int = 3) -> bytes:
    return build_frame(cobo_idx=cobo, asad_idx=asad, event_idx=event, event_time=event * 1000)


def store(rollover: int = 1 << 30) -> tuple[FrameStore, MemoryDisk]:
    disk = MemoryDisk()
    return FrameStore(disk, rollover), disk


def test_one_file_for_each_asad_named_by_its_first_event() -> None:
    files, disk = store()
    for event in range(3):
        for asad in (0, 2):
            files.store(frame(event, asad), NOON + event + asad / 1000)
    assert sorted(disk.files) == [
        "CoBo3_AsAd0_2026-11-22T12:00:00.458_0000.graw",
        "CoBo3_AsAd2_2026-11-22T12:00:00.460_0000.graw",
    ]
    assert disk.files[min(disk.files)] == b"".join(frame(event) for event in range(3))


def test_the_mutant_and_cobos_from_100_on_are_stored_as_mutant() -> None:
    files, disk = store()
    files.store(build_mutant(0), NOON)
    assert list(disk.files) == ["MuTanT_2026-11-22T12:00:00.458_0000.graw"]
    files.store(frame(0, cobo=100), NOON + 1)
    assert parse_graw_name(max(disk.files)).source == "MuTanT"


@pytest.mark.parametrize("again", [5, 3, 0])
def test_a_new_file_when_the_event_number_does_not_grow(again: int) -> None:
    files, disk = store()
    files.store(frame(5), NOON)
    files.store(frame(again), NOON + 60)
    assert len(disk.files) == 2
    files.store(frame(again + 1), NOON + 61)
    assert len(disk.files) == 2


def test_a_moved_file_comes_back_under_its_old_name() -> None:
    files, disk = store()
    files.store(frame(0), NOON)
    name = next(iter(disk.files))
    del disk.files[name]
    files.store(frame(1), NOON + 5)
    assert list(disk.files) == [name]
    assert disk.files[name] == frame(1)


def test_rollover_makes_the_next_file_at_once_with_the_latest_time() -> None:
    files, disk = store(rollover=600)
    files.store(frame(0, asad=0), NOON)
    files.store(frame(0, asad=1), NOON + 0.003)
    for event in (1, 2):
        files.store(frame(event, asad=0), NOON + event)
    later = "CoBo3_AsAd0_2026-11-22T12:00:00.461_0001.graw"
    assert disk.files[later] == b"", "its time is AsAd 1's, which opened last"
    files.store(frame(3, asad=0), NOON + 3)
    assert disk.files[later] == frame(3, asad=0)


def test_unknown_frames_are_dropped() -> None:
    files, disk = store()
    files.store(build_topology(TopologyFrame(3, 15, 0)), NOON)
    files.store(bytes([0x40, 0, 0, 8, 0, 0, 99, 0]), NOON)
    assert (files.dropped, disk.files) == (2, {})


def test_a_full_disk_drops_frames_and_says_nothing() -> None:
    files, disk = store()
    disk.full = True
    files.store(frame(0), NOON)
    disk.full = False
    files.store(frame(1), NOON + 1)
    assert (files.dropped, list(disk.files.values())) == (1, [frame(1)])


@pytest.mark.parametrize("step", [1, 7, 100, 10_000])
def test_the_stream_is_cut_into_frames_however_it_arrives(step: int) -> None:
    frames = [frame(0), build_mutant(1), frame(2)]
    stream, cutter = b"".join(frames), FrameCutter(words=False)
    cut = [piece for i in range(0, len(stream), step) for piece in cutter.feed(stream[i : i + step])]
    assert cut == frames


@pytest.mark.parametrize("step", [1, 3, 4, 1000])
def test_fdt_words_between_frames_are_skipped(step: int) -> None:
    frames = [build_topology(TopologyFrame(3, 15, 0)), frame(0), frame(1)]
    stream = frames[0] + HEART_BEAT + frames[1] + HEART_BEAT * 2 + frames[2] + GOODBYE
    cutter = FrameCutter(words=True)
    assert [piece for i in range(0, len(stream), step) for piece in cutter.feed(stream[i : i + step])] == frames


def test_garbage_waits_for_a_bogus_frame() -> None:
    cutter = FrameCutter(words=False)
    assert cutter.feed(b"GARBAGE!" * 4) == []
    assert cutter.feed(frame(0)) == []
