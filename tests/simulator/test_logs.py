"""The logs of the simulated programs: real files that grow, and tell what went wrong (facts 4, 6)."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from get_protocol.state_machine import Transition
from get_simulator.description import RouterSpec
from get_simulator.journal import Entry
from get_simulator.logs import ProcessLog, ecc_words
from get_simulator.router_words import RouterWords
from tests.simulator.conftest import UP, Simulation, running, until

STAMPED = re.compile(r"\(\d\d:\d\d:\d\d - \d\d/\d\d/\d{4}\) (DEBUG|INFO|WARN|ERROR|FATAL) - .+")
NOON = datetime(2026, 11, 23, 12, 0, 1).timestamp()  # noqa: DTZ001  local time, as the programs print it


def log_of(simulation: Simulation, board: str, kind: str = "ecc") -> str:
    simulation.detector.logs.flush(at_once=True)
    path = simulation.detector.root(f"node-{board}") / "logs" / f"{kind}-{board}.log"
    return path.read_bytes().decode()


async def test_an_ecc_server_tells_its_transitions(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP, Transition.STOP)
    lines = log_of(one_cobo, "cobo0").splitlines()
    assert all(map(STAMPED.fullmatch, lines)), lines
    told = [line.partition(" - ")[2].partition(") ")[2].split(" in ")[0] for line in lines]
    assert "INFO - getEccSoapServer started; state IDLE" in told
    assert [line for line in told if "->" in line] == [
        "INFO - Describe: IDLE -> DESCRIBED",
        "INFO - Prepare: DESCRIBED -> PREPARED",
        "INFO - Configure: PREPARED -> READY",
        "INFO - Start: READY -> RUNNING",
        "INFO - Stop: RUNNING -> READY",
    ]
    assert "DEBUG - CoBo[0]: started at event 0" in told


async def test_what_fails_is_an_error_line(one_cobo: Simulation) -> None:
    await one_cobo.fault("CoBo[0]", "fail", operation="Describe", message="AsAd board no. 0 is not connected!")
    assert (await one_cobo.ask("cobo0", Transition.DESCRIBE)).error_code == 1
    assert "ERROR - Describe failed (code 1): Could not connect" in log_of(one_cobo, "cobo0")


async def test_what_is_swallowed_is_a_warning(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP)
    await one_cobo.fault("CoBo[0]", "die")
    await one_cobo.go("cobo0", Transition.STOP)
    assert "WARN - CoBo[0] could not be stopped" in log_of(one_cobo, "cobo0")


async def test_the_wedged_and_the_crashed_say_so(one_cobo: Simulation) -> None:
    await one_cobo.fault("ecc-cobo0", "wedge")
    assert "ERROR - The state machine is OFF" in log_of(one_cobo, "cobo0")
    await one_cobo.restart("ecc-cobo0")
    await one_cobo.go("cobo0", *UP, Transition.PAUSE)
    await one_cobo.fault("ecc-cobo0", "die", operation="Describe")
    with pytest.raises((ValueError, IndexError)):
        await one_cobo.ask("cobo0", Transition.DESCRIBE)
    log = log_of(one_cobo, "cobo0")
    assert log.count("getEccSoapServer started") == 2
    assert "FATAL - fault at Describe: the process ends" in log


async def test_a_router_tells_connections_and_files(one_cobo: Simulation) -> None:
    assert " Waiting for client connection ...\r" in log_of(one_cobo, "cobo0", "router")
    await one_cobo.go("cobo0", *UP)
    await until(lambda: len(one_cobo.files("cobo0")) == 4)
    log = log_of(one_cobo, "cobo0", "router")
    assert {f"== New file: ./{name}" for name in one_cobo.files("cobo0")} <= set(log.splitlines())
    port = one_cobo.detector.routers["router-cobo0"].port
    assert f"== Connection established between peer and 127.0.0.1:{(port >> 8) | (port & 255) << 8}\n" in log
    assert "-- " not in log
    await one_cobo.go("cobo0", Transition.STOP, Transition.BREAKUP)
    await until(lambda: "== Connection closed by peer" in log_of(one_cobo, "cobo0", "router"))


async def test_three_lines_for_each_frame_where_that_is_asked_for(tmp_path: Path) -> None:
    tables = {"detector": {"cobos": 1, "mutant": "none", "log_frames": True}}
    async with running(tables, tmp_path) as simulation:
        await simulation.go("cobo0", *UP)
        router = simulation.detector.routers["router-cobo0"]
        await until(lambda: router.frames_written > 8)
        await simulation.go("cobo0", Transition.STOP)
        log = log_of(simulation, "cobo0", "router")
        assert log.count("\n-- ") == 3 * router.frames_written


async def test_a_deaf_router_says_why(one_cobo: Simulation) -> None:
    await one_cobo.fault("router-cobo0", "deaf")
    await one_cobo.restart("router-cobo0")
    router = one_cobo.detector.routers["router-cobo0"]
    assert f"** Binding socket 127.0.0.1:{router.port} failed: Address already in use" in log_of(
        one_cobo, "cobo0", "router"
    )


async def test_the_announce_file_names_the_logs(one_cobo: Simulation) -> None:
    assert one_cobo.announced["log_file"] == "/logs/{name}.log"


def process_log(path: Path, *, ahead: float = 0.0, full: bool = False, most: int = 1000) -> ProcessLog:
    return ProcessLog(path, lambda: NOON, lambda: ahead, lambda: full, most)


def test_a_node_whose_clock_is_ahead_writes_its_own_time(tmp_path: Path) -> None:
    log = process_log(tmp_path / "ecc.log", ahead=3600.0)
    log.stamped("INFO", "hello")
    log.flush()
    assert (tmp_path / "ecc.log").read_text() == "(13:00:01 - 23/11/2026) INFO - hello\n"


def test_a_full_disk_and_a_missing_directory_swallow_what_is_said(tmp_path: Path) -> None:
    for log in (process_log(tmp_path / "ecc.log", full=True), process_log(tmp_path / "no" / "ecc.log")):
        log.say("lost")
        log.flush()
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_has_grown_too_large_is_put_aside(tmp_path: Path) -> None:
    log = process_log(tmp_path / "ecc.log", most=20)
    for text in ("the first, which is long", "the second"):
        log.say(text)
        log.flush()
    assert (tmp_path / "ecc.log").read_text() == "the second\n"
    assert (tmp_path / "ecc.log.1").read_text() == "the first, which is long\n"


def test_an_unknown_frame_is_told_and_a_full_disk_is_not() -> None:
    said: list[str] = []
    words = RouterWords(RouterSpec("r", "127.0.0.1", 46005, "TCP", "n"), said.append, frames=False)
    words.dropped(bytes([0x40, 0, 0, 12, 0, 0, 7, 0, 0, 0, 0, 0]))
    words.dropped(bytes([0x06, 0, 0, 12, 0, 0, 1, 4, 0, 0, 0, 0]))
    words.disconnected(0)
    words.disconnected(5)
    assert said[0] == "!! Dumping frame of type 0x7"
    assert said[1:] == ["== Connection closed by peer"] * 2 + ["!! 5 bytes of an unfinished frame are discarded"]


@pytest.mark.parametrize("why", ["fault", "restart", "end of the simulation", "systemctl stop"])
def test_who_is_killed_says_nothing(why: str) -> None:
    assert ecc_words(Entry(1, NOON, "process", "ecc-cobo0", {"did": "died", "why": why})) == []
