"""Times without a run as tables show them: how long, what the DAQ saw, what the crew says."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from attpcdaq.runlog.models import Experiment
from attpcdaq.shifts.accounting import account, whole_seconds
from attpcdaq.shifts.models import Gap, LossCause
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


def gap_lines(made: Reckoned) -> tuple[GapLine, ...]:
    """The first first; those shorter than a second are none."""
    wanted = {gap.experiment_id for gap in made.gaps if gap.experiment_id is not None}
    names = dict(Experiment.objects.filter(pk__in=wanted).values_list("pk", "name"))
    lines, coming = [], 0
    for gap in made.gaps:
        while coming < len(made.segments) and made.segments[coming].begin < gap.begin:
            coming += 1
        first = coming
        while coming < len(made.segments) and made.segments[coming].begin < gap.end:
            coming += 1
        if gap.end - gap.begin < SHORTEST or gap.experiment_id is None:
            continue
        sums = sums_of(account(segment.as_seen() for segment in made.segments[first:coming]))
        lines_of = sorted(sums.lines, key=lambda line: -line.seconds)
        seen = tuple((_words(line.label, line.details), line.seconds) for line in lines_of if line.seconds)
        lines.append(_line(gap.begin, gap.end, names.get(gap.experiment_id, ""), gap.after_number, gap.named, seen))
    return tuple(lines)


def _words(label: str, details: tuple[tuple[str, int], ...]) -> str:
    said = ", ".join(detail for detail, _ in details if detail)
    return f"{label}: {said}" if said else label


def _line(
    begin: datetime,
    end: datetime,
    experiment: str,
    after: int | None,
    named: Gap | None,
    seen: tuple[tuple[str, int], ...],
) -> GapLine:
    said = (named.cause, named.comment, named.by) if named else ("", "", "")
    return GapLine(begin, end, whole_seconds([end - begin])[0], experiment, after, *said, seen)
