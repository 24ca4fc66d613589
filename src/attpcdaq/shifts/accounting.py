"""Pure: every moment of a time counted once, as running, lost by a cause, or watched by nobody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from attpcdaq.shifts.causes import Cause
from attpcdaq.shifts.spans import NOTHING, Interval, Layer, Span, laid_out

RUNNING, LOST, NOT_WATCHED = "running", "lost", "not_watched"
Judged = tuple[str, str, str, bool, tuple[str, str] | None]
"""Kind, cause, detail, whether in a run, and what the DAQ saw: the fields of a Segment but for its times."""
IN_RUN: Judged = (RUNNING, "", "", True, None)


@dataclass(frozen=True, slots=True)
class Watched:
    """How the detector was: level of the bar, the trouble named first, and that by which data of the run were lost."""

    level: str
    trouble: str = ""
    missing: str = ""
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Taking:
    """A run that took data; `ours`: it counts as running in this account."""

    run_id: int
    number: int
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Named:
    """Why no run was taken, as the crew says."""

    cause: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a time; each list in the order in which it was written, and it may overlap."""

    watched: Sequence[Span[Watched]] = ()
    runs: Sequence[Span[Taking]] = ()
    named: Sequence[Span[Named]] = ()
    failed: Sequence[Span[str]] = ()
    """Operations that failed, as words: "Start failed"."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time that counts as one thing; `cause` and `detail` where it was lost.

    `seen`: cause and detail as the DAQ tells them by itself, where the crew named another.
    """

    begin: datetime
    end: datetime
    kind: str
    cause: str = ""
    detail: str = ""
    in_run: bool = False
    seen: tuple[str, str] | None = None

    def as_seen(self) -> "Segment":
        """Without what the crew says."""
        return self if self.seen is None else replace(self, cause=self.seen[0], detail=self.seen[1], seen=None)


@dataclass(slots=True)
class Account:
    """What a time adds up to: running + everything lost + not watched is its length, exactly."""

    running: timedelta = NOTHING
    not_watched: timedelta = NOTHING
    unseen_runs: timedelta = NOTHING
    """Of what nobody watched: while a run was open that took data before and after."""
    lost: dict[str, timedelta] = field(default_factory=dict)
    details: dict[tuple[str, str], timedelta] = field(default_factory=dict)
    """By cause and detail."""

    @property
    def lost_time(self) -> timedelta:
        return sum(self.lost.values(), NOTHING)

    @property
    def length(self) -> timedelta:
        return self.running + self.lost_time + self.not_watched

    def add(self, segment: Segment) -> None:
        """Count one stretch more."""
        length = segment.end - segment.begin
        if segment.kind == RUNNING:
            self.running += length
        elif segment.kind == NOT_WATCHED:
            self.not_watched += length
            self.unseen_runs += length if segment.in_run else NOTHING
        else:
            self.lost[segment.cause] = self.lost.get(segment.cause, NOTHING) + length
            key = (segment.cause, segment.detail)
            self.details[key] = self.details.get(key, NOTHING) + length


def segments(within: Interval, history: History, borders: Iterable[datetime] = ()) -> list[Segment]:
    """The whole interval without a gap; it is also cut at the `borders` inside it, as at midnights."""
    if within.length <= NOTHING:
        return []
    watched, runs = laid_out(history.watched, within), laid_out(history.runs, within)
    named, failed = laid_out(history.named, within), laid_out(history.failed, within)
    cuts = {within.begin, within.end, *(moment for moment in borders if within.begin < moment < within.end)}
    fixed = frozenset(cuts)
    for spans in (watched, runs, named, failed):
        cuts.update(one.begin for one in spans)
        cuts.update(one.end for one in spans)
    seen, run, why, failure = Layer(watched), Layer(runs), Layer(named), Layer(failed)
    moments = sorted(cuts)
    found: list[Segment] = []
    begin, before = moments[0], None
    for moment in moments[:-1]:
        counted = _judged(seen.at(moment), run.at(moment), why.at(moment), failure.at(moment))
        if before is not None and (counted != before or moment in fixed):
            found.append(Segment(begin, moment, *before))
            begin = moment
        before = counted
    if before is not None:
        found.append(Segment(begin, moments[-1], *before))
    return found


def account(stretches: Iterable[Segment]) -> Account:
    """What they add up to."""
    total = Account()
    for one in stretches:
        total.add(one)
    return total


def _judged(seen: Watched | None, run: Taking | None, named: Named | None, failed: str | None) -> Judged:
    """What nobody saw counts as nothing else, whatever the run log says of it."""
    if seen is None:
        return (NOT_WATCHED, "", "", run is not None, None)
    if run is not None:
        if not run.ours:
            return (LOST, Cause.ELSEWHERE, "", True, None)
        if seen.missing and seen.run_id == run.run_id:
            return (LOST, Cause.DAQ, seen.missing, True, None)
        return IN_RUN
    by_itself = _why_no_run(seen, failed)
    if named is not None:
        return (LOST, named.cause, named.comment, False, by_itself)
    return (LOST, *by_itself, False, None)


def _why_no_run(seen: Watched, failed: str | None) -> tuple[str, str]:
    """Cause and detail, as far as the DAQ can tell."""
    if failed is not None:
        return Cause.DAQ, failed
    if seen.level == "bad":
        return Cause.DAQ, seen.trouble
    return (Cause.CHANGING, "") if seen.level == "busy" else (Cause.UNNAMED, "")


def whole_seconds(parts: Sequence[timedelta]) -> list[int]:
    """The parts in whole seconds whose sum is that of the parts, cut off: each is less than a second off.

    So a table adds up on paper too.
    """
    second = timedelta(seconds=1)
    floors = [part // second for part in parts]
    left = sum(parts, NOTHING) // second - sum(floors)
    by_rest = sorted(range(len(parts)), key=lambda number: parts[number] % second, reverse=True)
    for number in by_rest[:left]:
        floors[number] += 1
    return floors
