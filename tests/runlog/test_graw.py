"""`manage.py graw`: what it tells of data files, without a database and without settings."""

import hashlib
import json
import os
import pty
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from attpcdaq.runlog import graw_words
from get_protocol.graw import build_frame, build_mutant
from get_protocol.graw_scan import scan
from tests.protocol.frames import SIMPLE, run_of
from tests.protocol.recorded import recorded

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("full-readout.graw", "partial-readout.graw", "real-frame.graw")


@pytest.fixture
def samples(tmp_path: Path) -> list[str]:
    for name in NAMES:
        (tmp_path / name).write_bytes(recorded("samples", name))
    return [str(tmp_path / name) for name in NAMES]


def told(*arguments: str) -> tuple[str, int]:
    """Output and exit status."""
    output = StringIO()
    try:
        call_command("graw", *arguments, stdout=output)
    except SystemExit as end:
        return output.getvalue(), int(str(end.code))
    return output.getvalue(), 0


def test_recorded_files(samples: list[str]) -> None:
    text, status = told(*samples)
    head, line, *rows = text.splitlines()
    assert head.split() == [
        "file",
        "bytes",
        "frames",
        "events",
        "missing",
        "time",
        "stamps",
        "(s)",
        "frames",
        "of",
        "state",
    ]
    assert set(line) == {"-"}
    assert [row.split()[1:] for row in rows] == [
        ["278,784", "1", *["0", "-", "0"], "0", *["1.007552", "-", "1.007552"], "CoBo0_AsAd0", "whole"],
        ["131,840", "3", *["0", "-", "2"], "0", *["0.507401", "-", "1.514029"], "CoBo0_AsAd0", "whole"],
        ["78,336", "1", *["12", "-", "12"], "0", *["12.345679", "-", "12.345679"], "CoBo0_AsAd0", "whole"],
    ]
    assert status == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"".join(run_of(2))[:-1], "truncated at byte"),
        (b"\0" * 99, "garbage at byte 0: frame type is 0"),
        (build_mutant(1) + b"\xff" * 50, "the last 50 bytes were not looked into"),
    ],
)
def test_a_file_that_is_not_whole_is_told_of_and_ends_with_1(
    tmp_path: Path, samples: list[str], data: bytes, words: str
) -> None:
    (tmp_path / "bad.graw").write_bytes(data)
    text, status = told(str(tmp_path / "bad.graw"), *samples)
    assert f"{tmp_path}/bad.graw: " in text
    assert words in text
    assert text.count("whole\n") == 3
    assert status == 1


def test_what_cannot_be_read_does_not_hide_the_others(tmp_path: Path, samples: list[str]) -> None:
    os.mkfifo(tmp_path / "pipe.graw")
    text, status = told(str(tmp_path), str(tmp_path / "none.graw"), str(tmp_path / "pipe.graw"), *samples)
    assert f"{tmp_path}: Is a directory" in text
    assert f"{tmp_path}/none.graw: No such file or directory" in text
    assert f"{tmp_path}/pipe.graw: is no regular file" in text
    assert text.count("whole\n") == 3
    assert status == 1


def test_nothing_but_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert told(str(tmp_path / "none.graw")) == (f"{tmp_path}/none.graw: No such file or directory\n", 1)


def test_an_empty_file_is_as_the_router_makes_it(tmp_path: Path) -> None:
    (tmp_path / "a.graw").touch()
    text, status = told(str(tmp_path / "a.graw"))
    assert text.splitlines()[-1].split()[1:] == ["0", "0", "0", "empty"]
    assert status == 0


@pytest.mark.parametrize("checksum", [[], ["--checksum"]])
def test_json_for_programs(tmp_path: Path, samples: list[str], checksum: list[str]) -> None:
    text, status = told("--json", *checksum, str(tmp_path / "none.graw"), *samples)
    missing, *lines = [json.loads(line) for line in text.splitlines()]
    assert missing == {"file": str(tmp_path / "none.graw"), "error": "No such file or directory"}
    assert status == 1
    for line, path in zip(lines, samples, strict=True):
        data = Path(path).read_bytes()
        assert line["sha256"] == (hashlib.sha256(data).hexdigest() if checksum else None)
        assert (line["file"], line["summary"], line["problems"]) == (path, scan(data).to_json(), [])


def test_checksums_as_sha256sum_prints_them(samples: list[str]) -> None:
    text, _ = told("--checksum", samples[0])
    assert f"{hashlib.sha256(Path(samples[0]).read_bytes()).hexdigest()}  {samples[0]}\n" in text


def test_files_larger_than_one_piece(tmp_path: Path) -> None:
    frame = bytearray(recorded("samples", "full-readout.graw"))
    path = tmp_path / "large.graw"
    with path.open("wb") as file:
        for event in range(300):
            frame[22:26] = event.to_bytes(4)
            file.write(frame)
    assert path.stat().st_size > 1 << 26
    for checksum in ([], ["--checksum"]):
        text, status = told("--json", *checksum, str(path))
        assert json.loads(text)["summary"]["ranges"] == [[0, 299]]
        assert status == 0


def test_names_play_no_tricks_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\n.graw"
    path.write_bytes(b"\0" * 9)
    text, _ = told(str(path))
    assert "\x1b" not in text
    assert f"{tmp_path}/a\\x1b[31m\\n.graw: garbage" in text


@pytest.mark.parametrize(
    ("name", "events", "words"),
    [
        ("a.graw", [1, 2, 5], ["2 event numbers are left out: 3 to 4"]),
        ("a.graw", [0, 2, 4, 6, 8, 10, 12], ["6 event numbers are left out: 1, 3, 5, 7, 9, ..."]),
        ("a.graw", [3, 3], ["event numbers do not go up at 1 frames", "time stamps go back at 1 frames"]),
        ("CoBo1_AsAd2_2026-11-22T09:48:24.458_0000.graw", [1], []),
        ("x/CoBo1_AsAd3_2026-11-22T09:48:24.458_0000.graw", [1], ["its name says CoBo1_AsAd3; it has frames of CoBo1"]),
        ("MuTanT_2026-11-22T09:48:24.458_0000.graw", [1], ["its name says MuTanT; it has frames of CoBo1_AsAd2"]),
        ("CoBo1_AsAd2_2026-99-22T09:48:24.458_0000.graw", [1], []),
    ],
)
def test_problems_in_words(name: str, events: list[int], words: list[str]) -> None:
    frames = [
        build_frame(**SIMPLE | {"event_idx": event, "event_time": 100 if number == 0 else 50 + number * 60})
        for number, event in enumerate(events)
    ]
    data = b"".join(frames)
    if events == [3, 3]:
        data = build_frame(**SIMPLE | {"event_time": 9}) + build_frame(**SIMPLE | {"event_time": 8})
    found = graw_words.problems(name, scan(data))
    assert len(found) == len(words)
    for problem, part in zip(found, words, strict=True):
        assert part in problem


def test_frames_of_a_high_cobo_are_kept_as_the_mutants() -> None:
    data = build_frame(**SIMPLE | {"cobo_idx": 100}) + build_mutant(4)
    assert graw_words.problems("MuTanT_2026-11-22T09:48:24.458_0000.graw", scan(data)) == []


@settings(deadline=None)
@given(st.binary(max_size=100), st.text(max_size=20))
def test_words_for_any_bytes(data: bytes, name: str) -> None:
    summary = scan(data)
    assert bool(summary.tail) <= bool(graw_words.problems(name, summary))
    assert len(graw_words.table({name.replace("\n", ""): summary}).split("\n")) == 3


def bare(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The verb in a shell that knows nothing of the system."""
    environment = {"PATH": os.environ["PATH"]}
    command = [sys.executable, ROOT / "manage.py", "graw", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, **options)


def test_it_runs_where_nothing_is_set_up(samples: list[str], tmp_path: Path) -> None:
    done = bare(*samples, cwd=tmp_path)
    assert (done.returncode, done.stdout.count("whole\n"), done.stderr) == (0, 3, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    assert bare().returncode == 2


def test_progress_is_shown_on_a_terminal_only(samples: list[str]) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [sys.executable, ROOT / "manage.py", "graw", *samples]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=True)
    seen = os.read(ours, 1 << 16).decode()
    os.close(theirs)
    os.close(ours)
    assert "real-frame.graw: " in seen
    assert "%|" in seen
    assert done.stdout.count(b"whole\n") == 3
