"""The checker itself: every rule complains when it is broken, and only then."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.closeout.checker import check, counted, quarantined
from tests.closeout.evidence import Evidence, FileRow, OnDisk, QuarantineRow, RunRow
from tests.closeout.frames import COBO_FRAME, Tag, read_tags, tagged, whole_frames
from tests.closeout.router import Written

NODE, STAGING = "node-cobo0", "/staging"
NAME = "CoBo0_AsAd0_2026-11-22T12:00:11.000_0000.graw"
QUARANTINED = f"{STAGING}/_quarantine/2026-11-22T12-00-30"


def frames(run: int, *serials: int) -> list[bytes]:
    return [tagged(bytearray(COBO_FRAME), Tag(serial, run)) for serial in serials]


def in_run(number: int) -> str:
    return f"{STAGING}/e20009/run_{number:04d}"


def run(number: int, **more: Any) -> RunRow:
    return replace(RunRow(number, "closed", f"e20009/run_{number:04d}", "", "complete", (), 1.0), **more)


ONE, TWO = frames(1, 1, 2, 3), frames(2, 4, 5)
FIRST = OnDisk(NODE, in_run(1), NAME, b"".join(ONE))
SECOND = OnDisk(NODE, in_run(2), NAME, b"".join(TWO))


def written(chunks: Sequence[bytes], at: float = 11.0) -> Written:
    return Written(NODE, STAGING, NAME, at, list(chunks))


def row(file: OnDisk, number: int, **more: Any) -> FileRow:
    return replace(FileRow(number, file.node, file.path, len(file.data), planned=False), **more)


def evidence(**more: Any) -> Evidence:
    """Two runs as they should be, with what a test changes."""
    good = Evidence(
        runs=[run(1), run(2)],
        written=[written(ONE), written(TWO, 21.0)],
        on_disk=[FIRST, SECOND],
        files=[row(FIRST, 1), row(SECOND, 2)],
        quarantined=[],
        taken={1: {1, 2, 3}, 2: {4, 5}},
        struck={},
    )
    return replace(good, **more)


def kinds(**more: Any) -> set[str]:
    return {finding.kind for finding in check(evidence(**more))}


def test_good_runs_are_left_in_peace() -> None:
    assert check(evidence()) == []


def test_a_file_of_another_run_is_misfiled_with_every_frame() -> None:
    wrong = OnDisk(NODE, in_run(2), "late.graw", FIRST.data)
    found = check(evidence(on_disk=[wrong, SECOND], files=[row(wrong, 2), row(SECOND, 2)]))
    assert ("misfiled", 3) in {(finding.kind, finding.frames) for finding in found}
    assert "3 of 3 frames" in str(found[0])


def test_a_mixed_file_is_misfiled_wherever_it_lies_but_in_quarantine() -> None:
    mixed = b"".join([*ONE, *TWO])
    for number in (1, 2):
        file = OnDisk(NODE, in_run(number), NAME, mixed)
        found = check(evidence(written=[written([*ONE, *TWO])], on_disk=[file], files=[row(file, number)]))
        assert counted(found)["misfiled"] == (2 if number == 1 else 3)
    kept = OnDisk(NODE, QUARANTINED, NAME, mixed)
    whole = evidence(
        runs=[run(1, proof="incomplete"), run(2, proof="incomplete")],
        written=[written([*ONE, *TWO])],
        on_disk=[kept],
        files=[],
        quarantined=[QuarantineRow(NODE, kept.path, "mixed", planned=False)],
    )
    assert check(whole) == []
    assert quarantined(whole) == (1, 5, 0)


def test_frames_of_no_run_belong_into_no_run() -> None:
    strange = OnDisk(NODE, in_run(1), "notes.graw", b"".join(frames(0, 9)))
    found = check(evidence(on_disk=[FIRST, SECOND, strange], files=[*evidence().files, row(strange, 1)]))
    assert [finding.kind for finding in found] == ["misfiled"]
    assert "of run none" in str(found[0])


def test_a_frame_in_two_places_is_in_a_wrong_one() -> None:
    copy = OnDisk(NODE, in_run(1), "copy.graw", FIRST.data)
    assert kinds(on_disk=[FIRST, copy, SECOND], files=[*evidence().files, row(copy, 1)]) == {"misfiled"}


def test_a_file_that_is_gone_is_lost() -> None:
    assert "lost" in kinds(on_disk=[SECOND], files=[row(SECOND, 2)])


def test_a_file_in_whose_place_lies_another_was_overwritten() -> None:
    other = OnDisk(NODE, in_run(1), NAME, b"".join(frames(1, 7)))
    found = kinds(
        written=[written(ONE), written(TWO), written(frames(1, 7))],
        on_disk=[other, SECOND],
        files=[row(other, 1), row(SECOND, 2)],
        runs=[run(1, proof="incomplete"), run(2)],
        struck={1: frozenset({"something"})},
    )
    assert found == {"overwritten"}


@pytest.mark.parametrize(
    "data",
    [FIRST.data[:-1], FIRST.data + b"x", FIRST.data[:-1] + b"\x01", b"".join(reversed(ONE)), b"".join(ONE[1:])],
    ids=["cut off", "longer", "changed", "another order", "without its beginning"],
)
def test_bytes_that_changed_are_overwritten(data: bytes) -> None:
    file = replace(FIRST, data=data)
    assert "overwritten" in kinds(on_disk=[file, SECOND], files=[row(file, 1), row(SECOND, 2)])


def test_what_nobody_lists_is_lost() -> None:
    assert kinds(files=[row(SECOND, 2)]) == {"lost"}
    left = OnDisk(NODE, STAGING, NAME, FIRST.data)
    assert "lost" in kinds(on_disk=[left, SECOND], files=[row(SECOND, 2)])
    kept = OnDisk(NODE, QUARANTINED, NAME, FIRST.data)
    assert "lost" in kinds(on_disk=[kept, SECOND], files=[row(SECOND, 2)])


def test_an_empty_file_is_nothing_to_lose() -> None:
    """Rolled-over files are made empty at once (facts 4)."""
    empty = OnDisk(NODE, STAGING, NAME.replace("_0000", "_0001"), b"")
    assert kinds(on_disk=[FIRST, SECOND, empty], written=[*evidence().written, written([])]) == set()


def test_rows_must_be_true() -> None:
    gone = replace(row(FIRST, 1), path=f"{in_run(1)}/gone.graw")
    assert kinds(files=[*evidence().files, gone]) == {"lost"}
    assert kinds(quarantined=[QuarantineRow(NODE, f"{QUARANTINED}/x.graw", "", planned=False)]) == {"lost"}
    assert kinds(files=[row(FIRST, 1, size=1), row(SECOND, 2)]) == {"unproven"}
    assert kinds(files=[row(FIRST, 1, planned=True), row(SECOND, 2)]) == {"stuck"}
    assert kinds(quarantined=[QuarantineRow(NODE, f"{QUARANTINED}/x.graw", "", planned=True)]) == {"stuck"}


def test_a_run_without_a_frame_of_its_own_is_not_complete() -> None:
    assert kinds(taken={1: {1, 2, 3, 8}, 2: {4, 5}}) == {"unproven"}
    assert kinds(taken={1: {1, 2, 3, 8}, 2: {4, 5}}, runs=[run(1, proof="remarks"), run(2)]) == set()


def test_a_run_with_a_broken_file_is_not_complete() -> None:
    torn = [*ONE, ONE[0][:50]]
    file = replace(FIRST, data=b"".join(torn))
    more = {
        "written": [written(torn), written(TWO)],
        "on_disk": [file, SECOND],
        "files": [row(file, 1), row(SECOND, 2)],
    }
    assert kinds(**more) == {"unproven"}
    assert kinds(**more, runs=[run(1, proof="incomplete"), run(2)]) == set()


@pytest.mark.parametrize("proof", ["incomplete", "remarks", "not_proven"])
def test_a_run_that_nothing_happened_to_is_complete(proof: str) -> None:
    assert kinds(runs=[run(1, proof=proof), run(2)]) == {"unproven"}
    assert kinds(runs=[run(1, proof=proof), run(2)], struck={1: frozenset({"late frames"})}) == set()


def test_what_does_not_end_is_stuck() -> None:
    assert kinds(runs=[run(1, state="closing"), run(2)]) == {"stuck"}
    assert kinds(runs=[run(1, proof=""), run(2)], struck={1: frozenset({"x"})}) == {"stuck"}
    assert kinds(problems=["Start was refused for ever"]) == {"stuck"}


def test_frames_are_read_as_far_as_they_are_whole() -> None:
    assert read_tags(FIRST.data) == [Tag(1, 1), Tag(2, 1), Tag(3, 1)]
    assert read_tags(FIRST.data[:-1]) == [Tag(1, 1), Tag(2, 1)]
    assert whole_frames(FIRST.data + b"garbage") == len(FIRST.data)
    assert read_tags(b"") == []
