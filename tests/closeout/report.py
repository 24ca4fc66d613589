"""The report of a campaign; its last line counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.closeout.checker import KINDS, OTHERS, counted
from tests.closeout.plan import Habit, Kind
from tests.closeout.results import Result

COUNTS = {
    "runs": "runs in the log",
    "frames": "frames that boards took in them",
    "late": "frames that came late",
    "files": "files on the nodes' disks, every frame of them read",
    "quarantined files": "files in quarantine",
    "quarantined frames": "frames in them",
    "of one run": "of these files with frames of one run only",
    "presses": "times the crew had to press for files to be put in order",
}


@dataclass
class Summary:
    """What all blocks together came to."""

    seed: int
    runs: int = 0
    simulated: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)
    broken_with: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    proofs: Counter[str] = field(default_factory=Counter)
    closing: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.runs += len(result.plan.runs)
        self.simulated += result.seconds
        kinds = [str(strike.kind) for run in result.plan.runs for strike in run.strikes]
        self.struck.update(kinds)
        self.struck.update({str(habit): len(result.plan.runs) for habit in result.plan.habits})
        if result.findings:
            self.broken_with.update({*kinds, *map(str, result.plan.habits)})
        self.broken.update(counted(result.findings))
        self.counts.update(result.counts)
        self.proofs.update(proof or "not made" for proof in result.proofs)
        self.closing += result.closing
        self.waited += result.waited

    @property
    def clean(self) -> bool:
        return not any(self.broken.values())

    def last_line(self) -> str:
        counts = " ".join(f"{kind}={self.broken[kind]}" for kind in KINDS)
        return f"closeout: runs={self.runs} {counts} seed={self.seed}"


def complaint(result: Result) -> str:
    """A block in which something was broken: its plan, what the crew did, and what the checker says."""
    lines = [str(result.plan), *(f"    {said}" for said in (*result.said, *result.reasons, *result.whys))]
    return "\n".join([*lines, *(f"  !! {finding}" for finding in result.findings)])


def report(summary: Summary, seconds: float, more: Sequence[str] = ()) -> str:
    """The whole report; `more` are the lines of the part with real processes."""
    head = f"{summary.runs} runs, {summary.simulated / 60:.0f} simulated minutes in {seconds:.0f} s"
    others = ", ".join(f"{kind}: {summary.broken[kind]}" for kind in OTHERS)
    return "\n".join(
        [
            f"closing runs, seed {summary.seed}: {head}",
            "",
            "what struck" + " " * 47 + "times   blocks with findings",
            *_struck(summary),
            "",
            *(f"  {summary.counts[name]:7} {words}" for name, words in COUNTS.items()),
            "",
            "manifests: " + ", ".join(f"{count} {proof}" for proof, count in sorted(summary.proofs.items())),
            _times("seconds from stopped to closed", summary.closing),
            _times("seconds until Start was accepted", summary.waited),
            *(["", *more] if more else []),
            "",
            f"other findings: {others}",
            summary.last_line(),
        ]
    )


def _struck(summary: Summary) -> Iterable[str]:
    for kind in (*map(str, Kind), *map(str, Habit)):
        yield f"  {kind:55} {summary.struck[kind]:5} {summary.broken_with[kind]:5}"


def _times(what: str, values: Sequence[float]) -> str:
    if not values:
        return f"{what}: none"
    return f"{what}: median {median(values):.2f}, worst {max(values):.2f} (simulated)"
