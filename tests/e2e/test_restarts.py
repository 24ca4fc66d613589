"""What only a restart cures, cured through the API: over SSH on the demo's nodes, by its worker."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from attpcdaq.demo.place import Place
from attpcdaq.demo.programs import environment
from tests.e2e.demos import Demo
from tests.e2e.system import SERVERS, System
from tests.e2e.waiting import wait_for

ROOT = Path(__file__).parents[2]
# A restart may take 60 s before it is given up, in words that the failure then shows.
ENDED_WITHIN = 70.0


@pytest.fixture(scope="module")
def expert_token(demo: Demo) -> str:
    """Restarting is for experts."""
    settings = environment(Place(demo.data), demo.port)
    command = [sys.executable, "manage.py", "token", "create", "restarts", "--user", "expert"]
    return subprocess.check_output(command, env={**os.environ, **settings}, cwd=ROOT, text=True).strip()


@pytest.fixture
def system(system: System, expert_token: str) -> System:
    system.token = expert_token
    return system


def restart(system: System, kind: str, name: str, **more: Any) -> dict[str, Any]:
    """Ask for it and wait for its end."""
    code, accepted = system.api("POST", "/restarts", {"kind": kind, "name": name, **more})
    assert code == 202, accepted

    def ended() -> dict[str, Any] | None:
        _, seen = system.api("GET", f"/restarts/{accepted['id']}")
        return seen if seen["state"] not in ("queued", "running") else None

    found: dict[str, Any] = wait_for(ended, f"the end of the restart of {name}", ENDED_WITHIN)
    return found


def test_a_wedged_server_is_restarted_and_goes_to_ready(system: System) -> None:
    system.ready()
    system.fault("ecc-cobo3", "wedge")
    wait_for(lambda: system.server("ecc-cobo3")["state"] == "wedged", "the page to say it")
    seen = system.server("ecc-cobo3")
    assert seen["trouble"]["key"] == "wedged"
    assert seen["restart"]["allowed"]
    done = restart(system, "ecc", "ecc-cobo3")
    assert (done["state"], done["name"]) == ("done", "ecc-cobo3"), done
    system.do("go_ready")
    assert system.all_in("ready")


def test_a_call_that_hangs_ends_with_the_process(system: System) -> None:
    system.ready()
    system.do("breakup")
    system.fault("ecc-cobo5", "hang", operation="Configure", times=1)
    command = system.request("configure")
    wait_for(lambda: system.server("ecc-cobo5")["going_to"] == "Ready", "the call to hang")
    wait_for(lambda: system.server("ecc-cobo4")["state"] == "ready", "the others to be Ready")
    assert restart(system, "ecc", "ecc-cobo5")["state"] == "done"
    ended = system.finished(command)
    assert ended["state"] == "failed"
    assert "ecc-cobo5" in ended["message"]
    system.clear_faults()
    system.do("go_ready")
    assert system.states() == dict.fromkeys(SERVERS, "ready")


def test_a_restarted_router_is_deaf_until_go_to_ready(system: System) -> None:
    system.ready()
    assert restart(system, "router", "router-cobo1")["state"] == "done"
    routers = {router["name"]: router for router in system.status()["data_routers"]}
    assert routers["router-cobo1"]["trouble"]["key"] == "router-deaf"
    system.do("go_ready")
    system.do("start")
    wait_for(lambda: system.files()["node-cobo1"], "frames through the new process")
    code, refused = system.api("POST", "/restarts", {"kind": "router", "name": "router-cobo1"})
    assert (code, "receives nothing more in this run" in str(refused)) == (409, True)
    system.do("stop")
    assert system.closed()["verdict"] == ""


def test_what_fails_on_the_node_is_said(system: System) -> None:
    system.ready()
    system.fault("node-cobo2", "fail", message="Access denied")
    failed = restart(system, "ecc", "ecc-cobo2")
    assert failed["state"] == "failed"
    assert failed["message"] == "'systemctl restart ecc-cobo2' on node-cobo2 ended with status 1: Access denied"
    system.clear_faults()
    assert restart(system, "ecc", "ecc-cobo2")["state"] == "done"
