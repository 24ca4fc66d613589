"""How a demo begins, goes on, and ends, whatever happens to its processes."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.demos import Demo, running_demo, start
from tests.e2e.http_json import AWAY
from tests.e2e.waiting import wait_for
from tests.services.processes import LOOPBACK, free_port


def all_gone(family: list[psutil.Process]) -> bool:
    return not any(map(lives, family))


def lives(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False


def named(demo: Demo, words: str) -> psutil.Process | None:
    """The child whose command line holds these words; None between its end and its next beginning."""
    for child in psutil.Process(demo.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # a zombie, or gone since it was listed
            if words in " ".join(child.cmdline()):
                return child
    return None


def test_nothing_listens_outside_loopback(demo: Demo) -> None:
    family = demo.family()
    listening = [c.laddr for p in family for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {LOOPBACK}
    assert demo.port in {address.port for address in listening}
    assert not [c for p in family for c in p.net_connections("udp")]


def test_everything_lies_under_data_and_secrets_are_private(demo: Demo) -> None:
    opened = {Path(file.path) for process in demo.family() for file in process.open_files()}
    assert any(demo.data in path.parents for path in opened)
    outside = {path for path in opened if demo.data not in path.parents and path != demo.process.log}
    assert {path for path in outside if os.access(path, os.W_OK) and not path.is_relative_to(sys.prefix)} == set()
    keys = list((demo.data / "secrets").glob("*key"))
    assert keys
    for path in (demo.data / "token", demo.data / "password", *keys):
        assert path.stat().st_mode & 0o077 == 0, path
    assert str(demo.data / "token") in demo.output
    assert demo.password_of("shifter") in demo.output


def test_another_demo_on_the_same_data_is_refused(demo: Demo) -> None:
    command = [sys.executable, "-m", "attpcdaq.demo", "--port", str(free_port()), "--data", demo.data]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert f"another demo (process {demo.process.pid}) uses DATA={demo.data}" in done.stderr


@pytest.mark.parametrize(("name", "words"), [("web", "gunicorn"), ("celery", "celery"), ("monitor", "manage.py")])
def test_a_process_that_dies_is_named_and_started_again(demo: Demo, name: str, words: str) -> None:
    child = named(demo, words)
    assert child is not None
    child.kill()
    wait_for(lambda: f"{name} ended unexpectedly (status -9) and is started again" in demo.output, "its name")
    wait_for(lambda: (other := named(demo, words)) is not None and other.pid != child.pid, "another in its place")
    system = demo.system()
    wait_for(lambda: _works(demo), "the system to work again", 60)
    assert set(system.states().values()) <= {"idle", "described"}


def _works(demo: Demo) -> bool:
    """Whether pages, worker and monitor together bring a command to its end."""
    system = demo.system()
    try:
        action = "undo" if "described" in system.states().values() else "describe"
        code, answer = system.api("POST", "/commands", {"action": action})
        return code == 202 and system.finished(answer["id"])["state"] == "done"
    except AWAY:
        return False


def test_ctrl_c_ends_everything_and_the_next_demo_goes_on(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "my data"
    with running_demo(data, tmp_path, port) as first:
        system, family = first.system(), first.family()
        system.speed(20)
        system.ready()
        system.do("start", title="kept")
        system.do("stop")
        system.closed()
        token, control = system.token, system.control
    assert all_gone(family)
    assert not (data / "address").exists()
    with running_demo(data, tmp_path, port) as second:
        again = second.system()
        assert (again.token, again.control) == (token, control)
        assert [run["title"] for run in again.runs()] == ["kept"]
        assert again.all_in("idle")
        assert {server["config"].split(" / ")[1] for server in again.status()["ecc_servers"]} == {"experiment"}


def test_ports_that_others_took_are_chosen_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_demo(data, tmp_path) as first:
        taken = int(first.system().control.rsplit(":", 1)[1])
        system = first.system()
        system.speed(20)
        system.ready()
        system.do("start")
    with socket.create_server((LOOPBACK, taken)), running_demo(data, tmp_path) as second:
        system = second.system()
        system.speed(20)
        assert not system.control.endswith(f":{taken}")
        # The run of the first demo is still open: the boards are Idle, and Stop closes it.
        assert system.all_in("idle")
        assert system.status()["run"]["number"] == 1
        system.do("stop")
        assert system.closed()["number"] == 1
        system.ready()


def test_two_demos_side_by_side(tmp_path: Path, demo: Demo) -> None:
    with running_demo(tmp_path / "data", tmp_path) as other:
        mine, theirs = demo.system(), other.system()
        before = mine.states()
        theirs.do("describe", ecc_servers=["ecc-mutant"])
        assert theirs.server("ecc-mutant")["state"] == "described"
        assert mine.states() == before
        assert mine.api("GET", "/status", token=theirs.token)[0] == 401
    assert _works(demo)


def test_ctrl_c_while_it_prepares_ends_everything(tmp_path: Path) -> None:
    process = start(tmp_path / "my data", free_port(), tmp_path)
    demo = Demo(tmp_path / "my data", 0, process)
    try:
        wait_for(lambda: len(demo.family()) >= 4, "watchdog, preparation and simulator")
        family = demo.family()
        os.kill(process.pid, signal.SIGINT)
        wait_for(lambda: all_gone(family), "the end of all its processes", 15)
        assert "The demo has ended" in demo.output
    finally:
        process.stop()


def test_kill_9_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path / "data", port, tmp_path)
    demo = Demo(tmp_path / "data", port, process)
    try:
        process.wait_until(demo.is_up, 90)
        family = demo.family()
        assert len(family) >= 7
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: all_gone(family), "the end of all its processes", 15)
    finally:
        process.stop()


def test_without_its_simulator_a_demo_ends_and_says_why(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path / "data", port, tmp_path)
    demo = Demo(tmp_path / "data", port, process)
    try:
        process.wait_until(demo.is_up, 90)
        family = demo.family()
        simulator = named(demo, "get_simulator")
        assert simulator is not None
        simulator.kill()
        wait_for(lambda: all_gone(family), "the end of all its processes", 15)
        assert f"demo: simulator ended; the end of {demo.data / 'logs' / 'simulator.log'}" in demo.output
        assert "get_simulator: 11 boards" in demo.output
    finally:
        process.stop()
