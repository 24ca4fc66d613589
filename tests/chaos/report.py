"""The chaos report: how often what struck, the worst times, what was broken, and the one line that counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.chaos.checker import KINDS
from tests.chaos.faults import Kind, Script
from tests.chaos.results import Result

ALLOWED = {"page right again": 10.0, "named after its deadline": 1.0, "Stop reaches the boards": 5.0}
MEANING = {
    "page right again": "seconds after the last part was back until the page agreed with the hardware",
    "named after its deadline": "seconds after its deadline (below 0: before) until a server that failed was named",
    "Stop reaches the boards": "seconds until the first Stop call left for the boards",
}


@dataclass
class Summary:
    """What all cycles together came to."""

    seed: int
    cycles: int = 0
    runs: int = 0
    simulated: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)
    scripts: Counter[str] = field(default_factory=Counter)
    clicks: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        self.cycles += 1
        self.runs += result.runs
        self.simulated += result.seconds
        self.scripts[result.schedule.script] += 1
        self.struck.update(strike.kind for strike in result.schedule.strikes)
        self.clicks.update(result.clicks)
        self.broken.update(finding.kind for finding in result.findings)
        for name, value in result.figures.items():
            self.figures.setdefault(name, []).append(value)

    @property
    def clean(self) -> bool:
        return not any(self.broken.values())

    def last_line(self) -> str:
        counts = " ".join(f"{kind}={self.broken[kind]}" for kind in KINDS)
        return f"chaos: cycles={self.cycles} {counts} seed={self.seed}"


def complaint(result: Result) -> str:
    """A cycle in which a rule was broken: its schedule, what was done, and what the checker says."""
    lines = [str(result.schedule), *(f"    {said}" for said in result.said)]
    return "\n".join([*lines, *(f"  !! {finding}" for finding in result.findings)])


def report(summary: Summary, real_seconds: float, real_parts: Sequence[str] = ()) -> str:
    """The whole report; `real_parts` are the lines of the campaign with the real processes. Its last line counts."""
    minutes = summary.simulated / 60
    head = f"{summary.cycles} cycles, {summary.runs} runs, {minutes:.0f} simulated minutes in {real_seconds:.0f} s"
    return "\n".join(
        [
            f"chaos suite, seed {summary.seed}: {head}",
            "",
            *_counted("what the crew did", list(Script), summary.scripts),
            *_counted("what struck", list(Kind), summary.struck),
            *_counted("clicks that led back to Ready", sorted(summary.clicks), summary.clicks),
            "times (simulated seconds)",
            *_times(summary),
            *(["", *real_parts] if real_parts else []),
            "",
            summary.last_line(),
        ]
    )


def _counted(title: str, names: Iterable[str], counts: Counter[str]) -> list[str]:
    return [title, *(f"  {name:40} {counts[name]:5}" for name in names), ""]


def _times(summary: Summary) -> list[str]:
    lines = []
    for name, allowed in ALLOWED.items():
        values = summary.figures.get(name, [])
        if values:
            found = f"median {median(values):6.2f}   worst {max(values):6.2f}   allowed {allowed:5.1f}"
            lines.append(f"  {name:28} {len(values):5} times   {found}   ({MEANING[name]})")
    return lines
