"""The part of the chaos suite with the real services: kills, a slow network, absences, and what is measured."""

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.chaos.real_check import Found, check
from tests.chaos.real_crew import Crew
from tests.chaos.real_kills import (
    REST_WITHIN,
    RIGHT_WITHIN,
    Kills,
    end_the_last_run,
    kill_through_cycles,
    schedule,
    wait_until_right,
)
from tests.chaos.real_measures import PAGES_WITHIN, STOP_WITHIN, p99, page_times, start_together, stop_with
from tests.chaos.real_network import slow_network
from tests.chaos.real_parts import Real, running_real
from tests.e2e.http_json import AWAY

OF_EACH_KIND = 20
MINUTE = 60.0
SLOW = 0.15
BOARDS = 11
Say = Callable[[str], None]
Measure = Callable[[Real, list[str]], list[str]]


@dataclass
class RealReport:
    """Lines for people, and what the checker found: any of it is a failure."""

    found: Found
    lines: list[str] = field(default_factory=list)


def run_real(seed: int, of_each: int = OF_EACH_KIND, say: Say = print) -> RealReport:
    """All of it (about ten minutes for 20 kills of each kind), on a system of its own."""
    choice = random.Random(seed)
    lines: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="attpcdaq-chaos-") as directory,
        slow_network() as network,
        running_real(Path(directory), network.way, on_the_way=network.ways_to_hardware) as real,
    ):
        kills = kill_through_cycles(real, seed, schedule(choice, of_each), say)
        crew = Crew(real, choice)
        stuck = kills.stuck + [f"a last run: {why}" for why in [end_the_last_run(real, crew)] if why]
        lines += kills.lines()
        for measure in (_absences, _stops, _starts, _pages):
            lines += _measured(measure, real, stuck, say)
        network.delay = SLOW
        lines += _measured(_slowly, real, stuck, say)
        network.delay = 0.0
        stuck += [f"a last run: {why}" for why in [end_the_last_run(real, crew)] if why]
        found = check(real.database_url, real.system.journal(0), BOARDS)
    found.stuck += stuck
    lines.append(f"real services: {found.runs} runs, {found.calls} operations of servers compared with the run log")
    return RealReport(found, lines)


def _measured(measure: Measure, real: Real, stuck: list[str], say: Say) -> list[str]:
    """The lines of one measurement; one that broke off is a failure, and the next one begins."""
    try:
        lines = measure(real, stuck)
    except (AssertionError, *AWAY) as error:
        stuck.append(f"{measure.__name__.strip('_')} broke off: {error}")
        return []
    for line in lines:
        say(line)
    return lines


def absence(real: Real, kind: str, seconds: float, *, frozen: bool) -> float:
    """Seconds from the return of a part that was away, or stood still, until the page was right."""
    part, crew = real.parts[kind], Crew(real, random.Random(0))
    status = crew.look()
    part.freeze() if frozen else part.kill()
    if status:
        crew.press(crew.next_action(status))
    time.sleep(seconds)  # how long it is away
    part.thaw() if frozen else part.restart()
    came_back = time.monotonic()
    why = wait_until_right(real, crew, MINUTE)
    assert not why, f"{kind} is back since {MINUTE:g} s: {why}"
    return time.monotonic() - came_back


def _absences(real: Real, stuck: list[str]) -> list[str]:
    lines = []
    for kind in ("broker", "database"):
        for frozen in (False, True):
            seconds = absence(real, kind, MINUTE if not frozen else MINUTE / 6, frozen=frozen)
            what = "stood still" if frozen else "away for a minute"
            lines.append(f"{kind} {what}: page right again after {seconds:.1f} s")
            if seconds > RIGHT_WITHIN:
                stuck.append(lines[-1])
    return lines


def _stops(real: Real, stuck: list[str]) -> list[str]:
    broker, worker = real.parts["broker"], real.parts["worker"]
    cases = {
        "broker stopped": (broker.kill, broker.restart),
        "broker stalled": (broker.freeze, broker.thaw),
        "no worker": (worker.kill, worker.restart),
        "worker stalled": (worker.freeze, worker.thaw),
    }
    lines = []
    for what, (harm, mend) in cases.items():
        stopped, right = stop_with(real, harm, mend)
        text = f"Stop with {what}: boards stopped after {stopped:.1f} s; page right {right:.1f} s after its return"
        lines.append(text)
        if stopped > STOP_WITHIN or right > REST_WITHIN:
            stuck.append(text)
    return lines


def _starts(real: Real, stuck: list[str]) -> list[str]:
    lines = []
    for people in (2, 20):
        before = len(real.system.runs())
        answers = start_together(real, people)
        made = len(real.system.runs()) - before
        lines.append(f"{people} Starts at once: {made} run; answers {dict(answers)}")
        if made != 1 or answers[202] != 1:
            stuck.append(lines[-1])
    return lines


def _pages(real: Real, stuck: list[str]) -> list[str]:
    times = page_times(real, 20.0)
    every = [seconds for one in times.values() for seconds in one]
    figures = f"median {median(every) * 1000:.0f} ms, p99 {p99(times) * 1000:.0f} ms"
    line = f"pages while an operation waits: {len(every)} answers, {figures}"
    if p99(times) > PAGES_WITHIN:
        stuck.append(line)
    return [line]


def _slowly(real: Real, stuck: list[str]) -> list[str]:
    kills: Kills = kill_through_cycles(real, 1, [("worker",), ("monitor",), ("database",)], lambda text: None, MINUTE)
    stuck += [f"slow network: {text}" for text in kills.stuck]
    worst = max(max(times) for times in kills.right.values() if times)
    return [f"slow network ({SLOW * 1000:.0f} ms each way): 3 kills, page right again after {worst:.1f} s at worst"]
