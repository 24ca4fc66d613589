"""Whether a run's data are complete, and why not: from what its files hold and what is known of the run. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from attpcdaq.runcontrol.planning import event_ranges
from attpcdaq.runcontrol.planning.event_ranges import Range
from get_protocol.graw_scan import Summary

MUTANT = "MuTanT"
SOURCE = re.compile(r"(?P<cobo>CoBo\d+)_AsAd\d+")
TICKS = 100_000_000
"""Time stamps count 10 ns (facts 5)."""
SPAN_MARGIN = 90.0
"""Seconds by which time stamps may span more than we saw the run last: late frames come up to a minute after it."""
SHOWN_ALIKE = 4
"""Of findings of one kind; how many more there are is said."""


class Level(StrEnum):
    """How much a finding weighs, the worst first; the worst of all is the verdict."""

    INCOMPLETE = "incomplete"
    NOT_PROVEN = "not_proven"
    REMARK = "remarks"


COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A data file of the run: `size` in bytes when it was moved; `summary` None where it could not be read."""

    node: str
    owner: str
    name: str
    size: int
    summary: Summary | None = None
    problem: str = ""
    """Why it could not be read."""
    gone: bool = False
    """It does not lie where it was put."""
    late: bool = False
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """A board that took part; `cobo` is the number in its frames, `asads` None where the configuration is not known."""

    sender: str
    router: str
    mutant: bool = False
    cobo: int | None = None
    asads: frozenset[int] | None = None
    excluded: str = ""
    """That the crew went on without it from some moment on, in words."""

    def sends(self, source: str) -> bool:
        """Whether a source is of this board, as its frames say."""
        return source == MUTANT if self.mutant else source.startswith(f"CoBo{self.cobo}_")


class Finding(NamedTuple):
    """`subject` is what it is about: findings that differ in nothing else are one sentence."""

    level: Level
    subject: str
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of the run beside its files; `seconds` is the longest that its frames may span."""

    boards: tuple[Board, ...] = ()
    synchronous: bool = True
    """A MuTAnT triggered all boards: they have the same events."""
    seconds: float | None = None
    known: tuple[Finding, ...] = ()


@dataclass(slots=True)
class Source:
    """One CoBo and AsAd, or the MuTAnT: what its files hold together."""

    name: str
    files: list[CheckedFile] = field(default_factory=list)
    own: tuple[Range, ...] = ()
    shift: int = 0
    """What is added to its event numbers to compare them with the others'."""
    twice: int = 0
    """Event numbers that are there more than once, counted by how often too much."""
    lacks: tuple[Range, ...] = ()
    """Events that others have; those behind its last one are `behind`."""
    behind: tuple[Range, ...] = ()

    @property
    def compared(self) -> tuple[Range, ...]:
        return event_ranges.shifted(self.own, self.shift)

    @property
    def scans(self) -> list[Summary]:
        """Of the files that hold frames, in the order of their events."""
        found = [file.summary for file in self.files if file.summary is not None and file.summary.frames]
        return sorted(found, key=lambda scan: (scan.first_event or 0, scan.first_time or 0))

    @property
    def times(self) -> tuple[int, int] | None:
        """First and last time stamp in ticks; None where its frames carry none."""
        first = [scan.first_time for scan in self.scans if scan.first_time is not None]
        last = [scan.last_time for scan in self.scans if scan.last_time is not None]
        return (min(first), max(last)) if first and last else None

    def row(self, most_ranges: int) -> dict[str, Any]:
        """As the manifest shows it: event numbers as they are in the frames, at most so many ranges of each kind."""
        scans, times = self.scans, self.times
        gaps = event_ranges.without(event_ranges.span(self.own), self.own)
        missing = event_ranges.shifted((*self.lacks, *self.behind), -self.shift)
        return {
            "source": self.name,
            "nodes": sorted({file.node for file in self.files}),
            "routers": sorted({file.owner for file in self.files}),
            "files": len(self.files),
            "bytes": sum(file.size for file in self.files),
            "frames": sum(scan.frames for scan in scans),
            "events": event_ranges.count(self.own),
            "first_event": self.own[0][0] if self.own else None,
            "last_event": self.own[-1][1] if self.own else None,
            "first_time": times[0] if times else None,
            "last_time": times[1] if times else None,
            "longest_step": max((scan.largest_step for scan in scans), default=0),
            "gaps": event_ranges.count(gaps),
            "gap_ranges": [list(each) for each in gaps[:most_ranges]],
            "missing": event_ranges.count(missing),
            "missing_ranges": [list(each) for each in missing[:most_ranges]],
            "behind": event_ranges.count(self.behind),
            "twice": self.twice,
        }


class Reason(NamedTuple):
    """One sentence, and how much it weighs."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict (`complete` or the worst level), every reason with the worst first, and what each source has."""

    verdict: str
    reasons: tuple[Reason, ...]
    sources: tuple[Source, ...]


def data_sources(scan: Summary) -> tuple[str, ...]:
    """The sources of data frames: a topology frame, which an FDT board sends at Start, is none (facts 3)."""
    return tuple(sorted(name for name in scan.sources if not name.endswith("_topology")))


def gather_sources(files: Iterable[CheckedFile]) -> tuple[Source, ...]:
    """The sources of which there is a frame, by name."""
    sources: dict[str, Source] = {}
    for file in files:
        for name in data_sources(file.summary) if file.summary else ():
            sources.setdefault(name, Source(name)).files.append(file)
    for source in sources.values():
        ranges = [each for scan in source.scans for each in _ranges(scan)]
        source.own = event_ranges.merged(ranges)
        source.twice = event_ranges.count(ranges) - event_ranges.count(source.own)
    return tuple(sorted(sources.values(), key=lambda source: _natural(source.name)))


def _ranges(scan: Summary) -> Iterator[Range]:
    """What a file holds; where more gaps are than it tells of, nothing is said to be missing between them."""
    yield from ((first, last) for first, last in scan.ranges)
    if scan.ranges_dropped and scan.last_event is not None:
        told = max(last for _, last in scan.ranges)
        if told < scan.last_event:
            yield told + 1, scan.last_event


def _natural(name: str) -> tuple[object, ...]:
    """CoBo2 before CoBo10, the MuTAnT last."""
    numbers = "".join(letter if letter.isdigit() else " " for letter in name).split()
    return (not numbers, *(int(number) for number in numbers))


def in_sentences(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    """The worst first; subjects of which the same is found are named together, and of many alike a few are shown."""
    subjects: dict[tuple[Level, str, str], list[str]] = {}
    for finding in findings:
        subjects.setdefault((finding.level, finding.kind, finding.text), []).append(finding.subject)
    by_kind: dict[tuple[Level, str], list[str]] = {}
    for (level, kind, text), names in subjects.items():
        by_kind.setdefault((level, kind or text), []).append(_sentence(names, text))
    order = list(Level)
    kinds = sorted(by_kind.items(), key=lambda item: order.index(item[0][0]))
    return tuple(Reason(level, text) for (level, _), texts in kinds for text in _few(texts))


def _sentence(names: Sequence[str], text: str) -> str:
    named = _by_cobo(dict.fromkeys(name for name in names if name))
    shown = ", ".join(named[:SHOWN_ALIKE]) + (f" and {len(named) - SHOWN_ALIKE} more" * (len(named) > SHOWN_ALIKE))
    return f"{shown}: {text}" if shown else text


def _by_cobo(names: Iterable[str]) -> list[str]:
    """Names in their order, several AsAds of one CoBo as one: "CoBo3 AsAds 0 to 2"."""
    together: dict[str, list[str]] = {}
    for name in names:
        source = SOURCE.fullmatch(name)
        together.setdefault(source["cobo"] if source else name, []).append(name)
    return [f"{first} AsAds {_asads(each)}" if len(each) > 1 else each[0] for first, each in together.items()]


def _asads(names: Iterable[str]) -> str:
    numbers = (int(name.rpartition("AsAd")[2]) for name in names)
    return event_ranges.words(event_ranges.merged((number, number) for number in numbers))


def _few(texts: Sequence[str]) -> Iterator[str]:
    yield from texts[:SHOWN_ALIKE]
    if len(texts) > SHOWN_ALIKE:
        yield f"And {len(texts) - SHOWN_ALIKE} more of this kind."


def verdict_of(reasons: Sequence[Reason]) -> str:
    """The worst level, or complete."""
    return str(reasons[0].level) if reasons else COMPLETE
