"""Times without a run as tables show them: how long, what the DAQ saw, what the crew says."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from attpcdaq.runlog.models import Experiment
from attpcdaq.shifts.accounting import Segment, account, whole_seconds
from attpcdaq.shifts.history import Between
from attpcdaq.shifts.models import LossCause
from attpcdaq.shifts.reckoning import Reckoned, sums_of

SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class GapLine:
    """A time without a run: `seen` is what the DAQ tells by itself, `cause` what the crew named (empty: nothing)."""

    begin: datetime
    end: datetime
    seconds: int
    experiment: str
    after: int | None
    cause: str
    comment: str
    by: str
    seen: tuple[tuple[str, int], ...]

    @property
    def key(self) -> str:
        return f"{self.experiment}-{self.after or 0}"


CAUSES = tuple((str(value), str(label)) for value, label in LossCause.choices)


def gaps_of(made: Reckoned) -> list[Between]:
    """The first first; those shorter than a second are none."""
    return [gap for gap in made.gaps if gap.end - gap.begin >= SHORTEST and gap.experiment_id is not None]


def gap_lines(made: Reckoned, gaps: Sequence[Between] | None = None) -> tuple[GapLine, ...]:
    """Of these gaps of it, or of all."""
    gaps = gaps_of(made) if gaps is None else gaps
    names = dict(Experiment.objects.filter(pk__in={gap.experiment_id for gap in gaps}).values_list("pk", "name"))
    begins = [one.begin for one in made.segments]
    lines = []
    for gap in gaps:
        first, end = bisect_left(begins, gap.begin), bisect_left(begins, gap.end)
        lines.append(_line(gap, names.get(gap.experiment_id or 0, ""), _seen(made.segments[first:end])))
    return tuple(lines)


def _seen(segments: Iterable[Segment]) -> tuple[tuple[str, int], ...]:
    """What the DAQ tells by itself, the most first."""
    sums = sums_of(account(segment.as_seen() for segment in segments))
    lines = sorted(sums.lines, key=lambda line: -line.seconds)
    return tuple((_words(line.label, line.details), line.seconds) for line in lines if line.seconds)


def _words(label: str, details: tuple[tuple[str, int], ...]) -> str:
    said = ", ".join(detail for detail, _ in details if detail)
    return f"{label}: {said}" if said else label


def _line(gap: Between, experiment: str, seen: tuple[tuple[str, int], ...]) -> GapLine:
    named = gap.named
    said = (named.cause, named.comment, named.by) if named else ("", "", "")
    seconds = whole_seconds([gap.end - gap.begin])[0]
    return GapLine(gap.begin, gap.end, seconds, experiment, gap.after_number, *said, seen)
