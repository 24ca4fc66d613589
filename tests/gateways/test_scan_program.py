"""The program that nodes run, as the file that travels to them."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from attpcdaq.gateways import node_program
from attpcdaq.gateways.node_program_file import program_file
from get_protocol.graw import build_mutant
from get_protocol.graw_scan import scan
from tests.protocol.frames import run_of
from tests.protocol.recorded import recorded

LIMIT = 60.0
SPARSE = 2 << 30
"""Bytes of a file without any on the disk: long enough to look at who reads it."""


def works(python: str) -> bool:
    """A version manager's stand-in for a Python that is not there fails."""
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


PYTHONS = [sys.executable]
PYTHONS += [path for minor in range(8, 15) if (path := shutil.which(f"python3.{minor}")) and works(path)]
PYTHONS += [str(path) for path in sorted(Path.home().glob(".pyenv/versions/3.[89].*/bin/python3"))]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / program_file().name
    path.write_bytes(program_file().data)
    return path


def told(program: Path, *arguments: str, python: str = sys.executable) -> list[dict[str, Any]]:
    command = [python, "-I", program, *arguments]
    done = subprocess.run(command, cwd=program.parent, capture_output=True, timeout=LIMIT)
    assert (done.returncode, done.stderr) == (0, b"")
    return [line for line in map(json.loads, done.stdout.splitlines()) if "read" not in line]


@contextmanager
def at_work(program: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program while it reads a file of 2 GiB, having said so once."""
    with (program.parent / name).open("wb") as file:
        file.truncate(SPARSE)
    process = subprocess.Popen(
        [sys.executable, "-I", program, name], cwd=program.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert 0 < json.loads(process.stdout.readline())["read"] < SPARSE
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_at_hand_says_the_same(program: Path, python: str) -> None:
    files = {name: recorded("samples", name) for name in ("full-readout.graw", "partial-readout.graw")}
    files |= {"long.graw": b"".join(run_of(800)), "cut.graw": build_mutant(3)[:-1], "empty.graw": b"", "-x.graw": b"x"}
    for name, data in files.items():
        (program.parent / name).write_bytes(data)
    assert told(program, "--", *files, python=python) == [
        {
            "name": name,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "summary": scan(data).to_json(),
        }
        for name, data in files.items()
    ]


def test_it_is_made_of_the_sources_alone_and_always_the_same(program: Path) -> None:
    archive = zipfile.ZipFile(program)
    assert archive.namelist()[0] == "__main__.py"
    assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
    assert len(program_file().data) < 30_000
    program_file.cache_clear()
    assert program.read_bytes() == program_file().data
    assert hashlib.sha256(program.read_bytes()).hexdigest()[:16] in program.name


def test_what_cannot_be_read_does_not_hide_the_others(program: Path) -> None:
    here = program.parent
    os.mkfifo(here / "pipe.graw")
    (here / "directory.graw").mkdir()
    (here / "loop.graw").symlink_to(here / "loop.graw")
    (here / "good.graw").write_bytes(build_mutant(1))
    (here / "link.graw").symlink_to(here / "good.graw")
    names = ["pipe.graw", "directory.graw", "loop.graw", "none.graw", "link.graw", "good.graw"]
    *bad, link, good = told(program, "--no-checksum", *names)
    assert bad == [
        {"name": "pipe.graw", "error": "it is no regular file"},
        {"name": "directory.graw", "error": "Is a directory"},
        {"name": "loop.graw", "error": "Too many levels of symbolic links"},
        {"name": "none.graw", "error": "No such file or directory", "missing": True},
    ]
    assert (link["size"], good["size"], good["sha256"]) == (len(build_mutant(1)), len(build_mutant(1)), "")


def test_it_gives_way_tells_and_needs_little_memory(program: Path) -> None:
    with at_work(program, "large.graw") as process:
        watched = psutil.Process(process.pid)
        assert watched.nice() == psutil.Process().nice() + 10
        assert watched.memory_info().rss < 64 << 20
        assert process.stdout is not None
        before = time.monotonic()
        more = [json.loads(process.stdout.readline())["read"] for _ in range(2)]
        assert time.monotonic() - before < LIMIT
        assert sorted(set(more)) == more


def test_it_ends_when_nobody_listens_any_more(program: Path) -> None:
    with at_work(program, "large.graw") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(LIMIT) == 1
        assert process.stderr.read() == b""


def test_a_file_that_grows_is_read_as_it_was_when_it_was_opened() -> None:
    """Else a file that grows as quickly as it is read would never end."""
    data = b"".join(run_of(1000))
    assert len(data) > 4 * node_program.PIECE_BYTES
    half = len(data) // 2
    found = node_program.read(io.BytesIO(data), half, True, node_program.Teller())
    assert found["summary"] == scan(data[:half]).to_json()
    assert (found["size"], found["sha256"]) == (half, hashlib.sha256(data[:half]).hexdigest())


def test_a_file_that_shrinks_ends_where_it_ends() -> None:
    found = node_program.read(io.BytesIO(build_mutant(1)), 10**9, True, node_program.Teller())
    assert found["summary"] == scan(build_mutant(1)).to_json()
