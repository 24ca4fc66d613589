"""Wrong settings stop `make demo` with one line that says what to set, before anything is started."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.processes import LOOPBACK, free_port

ROOT = Path(__file__).resolve().parents[2]


def refused(*words: object) -> str:
    """What a demo that does not start says."""
    command = [sys.executable, "-m", "attpcdaq.demo", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2, done
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


def test_make_passes_its_settings_on() -> None:
    command = ["make", "--no-print-directory", "--dry-run", "demo", "PORT=8111", "DATA=else where"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1].endswith('python -m attpcdaq.demo --port "8111" --data "else where"')


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8080.0", ""])
def test_a_port_that_is_none(port: str, tmp_path: Path) -> None:
    line = refused(f"--port={port}", "--data", tmp_path / "data")
    assert f"PORT={port} is not a port: give a whole number from 1 to 65535" in line
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        line = refused("--port", port, "--data", tmp_path / "data")
    assert line == f"demo: port {port} on {LOOPBACK} is taken (or not allowed to you): give another with PORT="


def test_data_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    line = refused("--port", free_port(), "--data", tmp_path / "file")
    assert f"DATA={tmp_path / 'file'} is a file: name a directory" in line
    line = refused("--port", free_port(), "--data", tmp_path / "file" / "below")
    assert "cannot be written to (Not a directory): name another directory" in line
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["what?", "50%", 'say "hello"', "back\\slash", "new\nline"])
def test_data_with_characters_that_settings_cannot_hold(name: str, tmp_path: Path) -> None:
    assert "use a path without any of" in refused("--port", free_port(), "--data", tmp_path / name)
    assert not (tmp_path / name).exists()


def test_data_that_is_empty() -> None:
    assert "DATA is empty: name a directory" in refused("--port", free_port(), "--data", "")
