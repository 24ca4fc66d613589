"""What is measured beside kills: Stop with dead parts, pages while an operation hangs, Starts pressed at once."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.real_crew import Crew, what_is_wrong
from tests.chaos.real_parts import Real
from tests.e2e.http_pages import get, log_in
from tests.e2e.system import System
from tests.e2e.waiting import wait_for

STOP_WITHIN = 5.0
PAGES_WITHIN = 0.2
TOGETHER = 30.0
PANELS = "/partials/status?panels=overall,run,servers,routers,events"


def running(real: Real) -> None:
    """A run with every board running, from wherever the system is."""
    real.system.ready()
    real.system.do("start")


def stop_with(real: Real, harm: Callable[[], None], mend: Callable[[], object]) -> tuple[float, float]:
    """Seconds until no board ran after Stop was pressed with something dead; then, mended, until the page was right."""
    running(real)
    crew = Crew(real, random.Random(0))
    harm()
    pressed = time.monotonic()
    crew.press("stop")
    wait_for(lambda: not any(board["running"] for board in real.system.truth()["boards"]), "every board to stop", 30)
    stopped = time.monotonic() - pressed
    mend()
    mended = time.monotonic()
    wait_for(lambda: not what_is_wrong(crew, real.system.control), "the page to be right again", 60)
    return stopped, time.monotonic() - mended


def start_together(real: Real, people: int) -> Counter[int]:
    """So many press Start in the same moment; how often each HTTP status was the answer."""
    real.system.ready()
    together = threading.Barrier(people)
    answers: Counter[int] = Counter()

    def press() -> None:
        together.wait(TOGETHER)
        answers[real.system.api("POST", "/commands", {"action": "start"})[0]] += 1

    threads = [threading.Thread(target=press) for _ in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TOGETHER)
    return answers


def page_times(real: Real, for_seconds: float) -> dict[str, list[float]]:
    """Seconds that each page took to answer, by path, while a server hangs in Configure."""
    system = real.system
    system.ready()
    system.do("breakup")
    system.fault("ecc-cobo3", "hang", operation="Configure")
    command = system.request("configure")
    wait_for(lambda: system.server("ecc-cobo3")["going_to"], "the server to hang")
    try:
        times = visit(system, log_in(system, real.password), for_seconds)
        assert system.command(command)["state"] == "running", "the operation waited all the time"
    finally:
        system.clear_faults()
    system.finished(command, 60)
    return times


def visit(system: System, cookies: str, for_seconds: float) -> dict[str, list[float]]:
    """Fetch every page again and again, one after the other, for so long; seconds by path."""
    times: dict[str, list[float]] = {page: [] for page in pages_of(system, cookies)}
    end = time.monotonic() + for_seconds
    while time.monotonic() < end:
        for page, seconds in times.items():
            began = time.monotonic()
            answer = get(system, page, cookies)
            answer.read()
            seconds.append(time.monotonic() - began)
            assert answer.status == 200, (page, answer.status)
    return times


def p99(times: dict[str, list[float]]) -> float:
    """Of all answers."""
    every = sorted(seconds for one in times.values() for seconds in one)
    return every[int(0.99 * (len(every) - 1))]


def pages_of(system: System, cookies: str) -> list[str]:
    """Every page that the status page leads to, and what scripts and programs fetch."""
    found = re.findall(r'href="(/[^"#?]*)', get(system, "/", cookies).read().decode())
    pages = {path for path in found if not path.startswith(("/static/", "/logout"))}
    reached = {page for page in pages if get(system, page, cookies).status == 200}
    return sorted(reached | {"/", PANELS, "/api/v1/status", "/api/v1/runs"})
