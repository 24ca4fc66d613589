"""What came of a cycle, for the report."""

from dataclasses import dataclass, field

from tests.chaos.checker import Finding
from tests.chaos.faults import Schedule


@dataclass
class Result:
    """One cycle's outcome; times in simulated seconds."""

    schedule: Schedule
    findings: list[Finding]
    said: list[str]
    figures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    runs: int = 0
    clicks: tuple[str, ...] = ()
