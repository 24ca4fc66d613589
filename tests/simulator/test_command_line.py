"""`python -m get_simulator` as a process of its own."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from get_simulator.__main__ import main

FREE = ["--ecc-port", "0", "--data-port", "0", "--ssh-port", "0", "--control-port", "0"]
COMMAND = [sys.executable, "-m", "get_simulator"]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(path: Path, process: subprocess.Popen[str]) -> dict[str, object]:
    deadline = time.monotonic() + 15
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no announce file"
        time.sleep(0.02)
    content = json.loads(path.read_text())
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_announces_itself_and_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    announce = tmp_path / "announce.json"
    arguments = ["--cobos", "2", "--mutant", "none", "--data", str(tmp_path), "--announce", str(announce)]
    with started(*arguments, *FREE) as process:
        told = wait_for(announce, process)
        assert isinstance(told["ecc_servers"], list)
        assert len(told["ecc_servers"]) == 2
        with urllib.request.urlopen(f"http://127.0.0.1:{told['control']}/state") as answer:
            assert [board["name"] for board in json.load(answer)["boards"]] == ["CoBo[0]", "CoBo[1]"]
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.communicate()[1] == ""


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("[detector]\ncobos = -1\n", "get_simulator: detector.cobos: must be a whole number from 0 to 1000, not -1"),
    ],
)
def test_a_wrong_description_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, text: str
) -> None:
    path = tmp_path / "d.toml"
    if content is not None:
        path.write_text(content)
    assert main([str(path)]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = str(other.getsockname()[1])
        assert main(["--cobos", "1", "--data", str(tmp_path), *FREE, "--ecc-port", taken]) == 2
    error = capsys.readouterr().err
    assert f"ecc-cobo0: port {taken} of 127.0.0.1 cannot be used: Address already in use" in error


def test_help_says_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert "10 CoBos and a MuTAnT" in text
    assert "--event-rate" in text
