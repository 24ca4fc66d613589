"""Run cycles with kill -9 at seeded random moments: how long until the page is right again, and what never was."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.chaos.real_crew import Crew, page_is_wrong, under_way, what_is_wrong
from tests.chaos.real_parts import BACK_WITHIN, KINDS, Part, Real
from tests.e2e.waiting import wait_for

RIGHT_WITHIN = 10.0
# The operation itself, which somebody else takes up, may need some time.
REST_WITHIN = 25.0
PATIENCE = 60.0
LONGEST_OPERATION = 1.6
AT_ONCE, AWAY_AT_MOST = 0.75, 3.0


Say = Callable[[str], None]


@dataclass
class Kills:
    """Seconds from a part's return until the page was right, and until nothing was under way; what took too long."""

    right: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    at_rest: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    stuck: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [
            f"killed {kind}: {len(times)}; page right again after {median(times):.1f} s (worst {max(times):.1f}), "
            f"nothing under way after {median(self.at_rest[kind]):.1f} s (worst {max(self.at_rest[kind]):.1f})"
            for kind, times in self.right.items()
            if times
        ]

    def note(self, back: dict[str, float], right: float, at_rest: float) -> None:
        """Parts that were back at these times of our clock, and when all was well."""
        for kind, at in back.items():
            self.right[kind].append(right - at)
            self.at_rest[kind].append(at_rest - at)


def schedule(choice: random.Random, of_each: int) -> list[tuple[str, ...]]:
    """Every kind so many times, up to three in one operation, in a random order; brokers are slow to come back."""
    others = [kind for kind in KINDS for _ in range(of_each) if kind != "broker"]
    choice.shuffle(others)
    groups: list[tuple[str, ...]] = [("broker", others.pop()) for _ in range(of_each)]
    while others:
        group = tuple(dict.fromkeys(others[-3:]))
        for kind in group:
            others.remove(kind)
        groups.append(group)
    choice.shuffle(groups)
    return groups


def kill_through_cycles(
    real: Real,
    seed: int,
    groups: Sequence[tuple[str, ...]],
    say: Say = print,
    rest_within: float = REST_WITHIN,
) -> Kills:
    """Press, kill while it works, let the parts come back, and look until all is well; for each of `groups`."""
    choice = random.Random(seed)
    crew, kills = Crew(real, choice), Kills()
    wait_until_right(real, crew, PATIENCE)
    for group in groups:
        pressed, back = kill_at_work(real, crew, group, choice)
        wrong = wait_until(RIGHT_WITHIN, lambda: page_is_wrong(crew, real.system.control))
        right = time.monotonic()
        left = wrong or wait_until(rest_within - (right - max(back.values())), lambda: under_way(crew))
        kills.note(back, right, time.monotonic())
        what = f"{' and '.join(group)} killed during {pressed}"
        if left:
            still = wait_until_right(real, crew, PATIENCE)
            late = time.monotonic() - max(back.values())
            out = get_out(real, crew) if still else ""
            kills.stuck.append(f"{what}: {left}; after {late:.0f} s {still or 'right'}; after a Stop {out or 'right'}")
        say(f"{what}: {right - max(back.values()):.1f} s, {time.monotonic() - max(back.values()):.1f} s {left}")
    return kills


def kill_at_work(real: Real, crew: Crew, group: Sequence[str], choice: random.Random) -> tuple[str, dict[str, float]]:
    """Kill parts at random moments of an operation, and have them back; what was pressed, and when each was back."""
    status = crew.look()
    action = crew.next_action(status) if status else ""
    moments = sorted(choice.uniform(0, LONGEST_OPERATION) for _ in group)
    absences = [0.0 if choice.random() < AT_ONCE else choice.uniform(0, AWAY_AT_MOST) for _ in group]
    press = crew.press(action) if action else None
    pressed = time.monotonic()
    for kind, moment, absence in zip(group, moments, absences, strict=True):
        # the random moments themselves, not a wait for anything
        time.sleep(max(0.0, pressed + moment - time.monotonic()))
        real.parts[kind].kill()
        time.sleep(absence)
        real.parts[kind].start()
    back = wait_until_back([real.parts[kind] for kind in group])
    if press:
        press.thread.join(30)
    return f"{action or 'nothing'} ({', '.join(f'{moment:.1f}' for moment in moments)} s)", back


def wait_until_back(parts: Sequence[Part]) -> dict[str, float]:
    """When each of these parts was there again, in seconds of our clock."""
    back: dict[str, float] = {}

    def look() -> bool:
        for part in parts:
            part.start_what_ended()
            if part.name not in back and part.answers():
                back[part.name] = time.monotonic()
        return len(back) == len(parts)

    try:
        wait_for(look, "every part to be back", BACK_WITHIN)
    except AssertionError as error:
        words = "\n".join(part.last_words() for part in parts if part.name not in back)
        raise AssertionError(f"{error}:\n{words}") from None
    return back


def wait_until_right(real: Real, crew: Crew, seconds: float) -> str:
    """Why the page is not right and at rest when the time is over."""
    return wait_until(seconds, lambda: what_is_wrong(crew, real.system.control))


def wait_until(seconds: float, wrong: Callable[[], str]) -> str:
    """What is still wrong when the time is over; nothing as soon as nothing is."""
    deadline = time.monotonic() + seconds
    while why := wrong():
        if time.monotonic() > deadline:
            return why
        time.sleep(0.1)
    return ""


def get_out(real: Real, crew: Crew) -> str:
    """One click leads out of any mess: Stop. Why it did not."""
    crew.press("stop").thread.join(30)
    return wait_until_right(real, crew, 30)


def end_the_last_run(real: Real, crew: Crew) -> str:
    """So that nothing is open when the checker comes."""
    status = crew.look()
    return get_out(real, crew) if status and status["run"] else wait_until_right(real, crew, RIGHT_WITHIN)
