"""What came of a block, for the report."""

from dataclasses import dataclass, field

from tests.closeout.checker import Finding
from tests.closeout.plan import BlockPlan


@dataclass
class Result:
    """What came of a block; times in simulated seconds."""

    plan: BlockPlan
    findings: list[Finding]
    said: list[str]
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    """Runs, frames, files, late frames, quarantined files and frames, and how many of these could have been told."""
    proofs: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Run by run what its manifest and its verdict say."""
    closing: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    """Why files were quarantined."""
