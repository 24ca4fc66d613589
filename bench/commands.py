"""From a command asked for to the last call sent, and to what the status shows."""

import time
from collections.abc import Callable

from bench import world as worlds
from bench.figures import Figure
from tests.e2e.http_json import call
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

TRIALS = 9


def describe_latencies(system: System, servers: int, trials: int = TRIALS) -> tuple[Figure, Figure]:
    """Seconds from the POST's answer to the last server's Describe, and from asking to all shown Described."""
    called, shown = [], []
    for _ in range(trials):
        seq = system.truth()["seq"]
        asked = time.time()
        command = system.request("describe")
        accepted = time.time()
        wait_for(lambda: set(system.states().values()) == {"described"}, "all to be described", 60)
        shown.append(time.time() - asked)
        calls = [one for one in _calls(system, seq) if one["operation"] == "Describe"]
        assert len({one["ecc_server"] for one in calls}) == servers, calls
        called.append(max(one["at"] for one in calls) - accepted)
        assert system.finished(command)["state"] == "done"
        assert system.finished(system.request("undo"))["state"] == "done"
    return Figure(tuple(called), "Describe: one stage for all servers"), Figure(tuple(shown))


def _calls(system: System, seq: int) -> list[dict[str, object]]:
    code, calls = call("GET", f"{system.control}/calls?since={seq}")
    assert code == 200, calls
    found: list[dict[str, object]] = calls
    return found


def hundred() -> Figure:
    """The same with 100 ECC servers, each on a node of its own with a data router that is watched too."""
    with worlds.simulated(100) as world:
        worlds.set_up(world, routers=True)
        system = worlds.serve(world)
        return describe_latencies(system, 100, 5)[0]


def page_meanwhile(system: System, get: Callable[[str], float]) -> Figure:
    """The slowest answer of the run list while the hardware is brought from Idle to Ready at its real speed."""
    assert call("POST", f"{system.control}/speed", {"speed": 1})[0] == 200
    times = []
    for action in ("describe", "prepare", "configure"):
        command = system.request(action)
        while system.command(command)["state"] in ("queued", "running"):
            times.append(get("/runs/"))
    assert system.all_in("ready"), system.states()
    return Figure((max(times),), f"{len(times)} requests, one after the other, with a log-in")
