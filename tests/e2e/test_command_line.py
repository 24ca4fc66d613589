"""The whole main job from the shell: `attpcdaq` as a program of its own, against the demo."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.demos import Demo
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

PROGRAM = Path(sys.executable).with_name("attpcdaq")


class Shell:
    """A terminal with a home directory of its own."""

    def __init__(self, home: Path) -> None:
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [PROGRAM, *words]
        return subprocess.run(command, env=self.environment, input=typed, capture_output=True, text=True, timeout=120)

    def ok(self, *words: str, typed: str = "") -> str:
        ended = self.run(*words, typed=typed)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.ok(*words, "--json"))


@pytest.fixture
def shell(demo: Demo, system: System, tmp_path: Path) -> Shell:
    """Logged in as the demo's own token says."""
    system.speed(20, event_rate=5)
    shell = Shell(tmp_path)
    said = shell.ok("--url", system.url, "login", typed=f"{system.token}\n")
    assert "knows you as" in said
    return shell


def test_the_demo_says_how_to_use_it(demo: Demo) -> None:
    line = next(line for line in demo.output.splitlines() if "Command line" in line)
    command = line.split("Command line", 1)[1].strip()
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "ecc-mutant" in ended.stdout


def test_two_runs_and_their_sheets(shell: Shell, system: System) -> None:
    shell.ok("go-ready", "--wait")
    assert {server["state"] for server in shell.json("status")["ecc_servers"]} == {"ready"}
    number = shell.json("status")["next_run_number"]

    started = shell.run("start", "--title", "from the shell", "--class", "production", "--wait")
    assert started.returncode == 0, started.stderr
    assert f"start done. Run {number}." in started.stdout
    assert "start running, " in started.stderr
    wait_for(lambda: shell.ok("status").startswith(f"Run {number} is running  [ok]"), "data of every board")

    refused = shell.run("start")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Refused:\n  - ")

    stopped = shell.run("stop", "--wait")
    assert stopped.returncode == 0, stopped.stderr
    assert f"Run {number} is closed." in stopped.stderr
    shell.ok("start", "--wait")
    shell.ok("stop", "--wait")
    assert [run["number"] for run in shell.json("runs", "list")][:2] == [number + 1, number]

    shell.ok("observables", "add", "Pressure", "--unit", "torr", "--min", "0", "--max", "760")
    shell.ok("runs", "sheet", "write", str(number), "--set", "Pressure=350.5", "--notes", "all well")
    wrong = shell.run("runs", "sheet", "write", str(number), "--set", "Pressure=9000")
    assert wrong.returncode == 2
    assert "Pressure" in wrong.stderr
    rows = list(csv.DictReader(io.StringIO(shell.ok("runs", "export", "--sort", "run"))))
    row = next(row for row in rows if "from the shell" in row.values())
    assert "350.5" in row.values()
    assert "350.5" in shell.ok("measurements")
    run = shell.json("runs", "show", str(number))
    assert len({file["node"] for file in run["files"] if file["kind"] == "data"}) == len(system.nodes)
    assert "start" in shell.ok("runs", "show", str(number)).lower()


def test_without_a_board_and_with_it_again(shell: Shell) -> None:
    shell.ok("exclude", "ecc-cobo4", "--reason", "its high voltage trips")
    assert "excluded: its high voltage trips" in shell.ok("status")
    assert shell.run("exclude", "ecc-cobo4", "--reason", "again").returncode == 1
    shell.ok("include", "ecc-cobo4")
    assert "excluded" not in shell.ok("status")


def test_what_fails_is_told_and_is_an_exit_status(shell: Shell, system: System) -> None:
    system.ready()
    shell.ok("breakup", "--wait")
    system.fault("ecc-cobo3", "fail", operation="Configure", message="CoBo 3 does not answer")
    failed = shell.run("configure", "--wait")
    assert failed.returncode == 1
    assert "ecc-cobo3" in failed.stderr
    assert "CoBo 3 does not answer" in failed.stderr
    system.clear_faults()
    shell.ok("configure", "--wait")
    assert "CoBo 3 does not answer" in shell.ok("events", "--severity", "error")
    shell.ok("acknowledge", "--all")
    assert shell.json("events", "--open") == []


def test_a_shift_in_the_book(shell: Shell) -> None:
    shell.ok("shift", "begin", "Ada and Kim")
    shell.ok("note", "the beam is back")
    assert "the beam is back" in shell.ok("shift", "show")
    shell.ok("shift", "end", "--hand-over", "watch the gas")
    assert "watch the gas" in shell.ok("elog")


def test_a_token_of_less_does_less(shell: Shell, demo: Demo, system: System) -> None:
    refused = shell.run("users", "list")
    assert refused.returncode == 1
    assert "role admin" in refused.stderr
    lost = Shell(Path(shell.environment["HOME"]) / "nowhere").run("status")
    assert (lost.returncode, "attpcdaq login" in lost.stderr) == (2, True)
    assert shell.run("--url", "http://127.0.0.1:1", "--token", "t", "stop").returncode == 3
