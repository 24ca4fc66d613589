"""Everything that is measured on one demo, in an order that leaves it as each part needs it."""

import http.client
import shutil
import threading
import time
from urllib.parse import urlsplit

from bench import browsers, commands, look, pages, processes
from bench import world as worlds
from bench.browsing import Pages
from bench.closeout import closeout
from bench.figures import Figure
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

CLIENTS = 8
LOADED_FOR = 4.0
FILES_EACH = 40


def measure() -> dict[str, Figure]:
    """By key of bench.goals."""
    figures: dict[str, Figure] = {}
    with worlds.demo() as (world, product):
        system = world.system()
        client = Pages(system, world.place.password.read_text().strip())
        figures["idle_cpu"] = _idle_cpu(product)
        system.speed(worlds.SPEED)
        figures["command_11"], figures["describe_shown_11"] = commands.describe_latencies(system, 11)
        figures |= look.first_look(system, world.place)
        seen = pages.change_to_page(system, world.place)
        if seen is not None:
            figures["page_median"], figures["page_p95"] = seen
        if system.server("ecc-cobo0")["state"] == "described":
            system.do("undo")
        figures["page_meanwhile"] = commands.page_meanwhile(system, client.timed)
        # Before there are thousands of files to be checked, which costs more than all browsers.
        figures["browsers_30"] = browsers.thirty(system, product, client.cookies)
        system.speed(worlds.SPEED)
        figures["stop_files"] = Figure(tuple(_stop_with_files(system) for _ in range(3)))
        figures["closeout_40"] = closeout(system, 40)
        figures["closeout_1000"] = closeout(system, 1000)
        figures["status_rate"] = Figure(tuple(_requests_per_second(system) for _ in range(3)))
        figures["memory"] = Figure((processes.pss_mb(product),), "after commands, runs, pages and load")
    return figures


def _idle_cpu(product: list[int]) -> Figure:
    trials = tuple(60 * processes.cpu_share(lambda: product, 10.0) for _ in range(3))
    return Figure(trials, "state twice a second, nodes by SSH every 2 s")


def _stop_with_files(system: System) -> float:
    """Seconds from asking for Stop until the run is closed, with FILES_EACH files in every staging directory."""
    system.do("start")
    wait_for(lambda: all(map(len, system.files().values())), "files of every board")
    for paths in system.files().values():
        for number in range(len(paths), FILES_EACH):
            shutil.copy(paths[0], paths[0].with_name(paths[0].name.replace("_0000.", f"_{number:04d}.")))
    began = time.monotonic()
    system.do("stop")
    run = system.closed()
    seconds = time.monotonic() - began
    assert run["verdict"] == "", run
    moved = system.files(f"staging/demo/run_{run['number']:04d}")
    assert all(len(paths) >= FILES_EACH for paths in moved.values()), moved
    return seconds


def _requests_per_second(system: System) -> float:
    """Answers of the status JSON to CLIENTS clients that ask without pause on connections they keep."""
    counts: list[int] = []
    end = time.monotonic() + LOADED_FOR
    clients = [threading.Thread(target=lambda: counts.append(_ask_until(system, end))) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(counts) / LOADED_FOR


def _ask_until(system: System, end: float) -> int:
    address = urlsplit(system.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    done = 0
    while time.monotonic() < end:
        connection.request("GET", "/api/v1/status", headers={"Authorization": f"Bearer {system.token}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        done += 1
    connection.close()
    return done
