"""Pure: stretches of time, laid over each other without overlap; times are aware datetimes."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `begin` to `end`; empty where the end is not after the begin, as when a clock was set back meanwhile."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return max(self.end - self.begin, NOTHING)


class Span(NamedTuple, Generic[T]):
    """Something that was so from `begin` to `end`."""

    begin: datetime
    end: datetime
    what: T


def laid_out(spans: Iterable[Span[T]], within: Interval) -> list[Span[T]]:
    """The parts within the interval, in order and without overlap: where two overlap, the later one in `spans` counts.

    In n log n steps for n spans.
    """
    begin, end = within.begin, within.end
    clipped = [Span(max(one.begin, begin), min(one.end, end), one.what) for one in spans]
    clipped = [one for one in clipped if one.begin < one.end]
    if all(one.end <= following.begin for one, following in itertools.pairwise(clipped)):
        return clipped
    return list(_uppermost(clipped))


def _uppermost(spans: Sequence[Span[T]]) -> Iterator[Span[T]]:
    """A sweep over all borders; on top of the heap is the latest of those that are under way."""
    order = sorted(range(len(spans)), key=lambda number: spans[number].begin)
    borders = sorted({moment for one in spans for moment in (one.begin, one.end)})
    under_way: list[int] = []
    coming = 0
    for here, there in itertools.pairwise(borders):
        while coming < len(order) and spans[order[coming]].begin <= here:
            heappush(under_way, -order[coming])
            coming += 1
        while under_way and spans[-under_way[0]].end <= here:
            heappop(under_way)
        if under_way:
            yield Span(here, there, spans[-under_way[0]].what)


def between(spans: Iterable[Span[T]], within: Interval) -> list[Span[T | None]]:
    """What lies between spans: each with what ended last before it, None where nothing did."""
    found: list[Span[T | None]] = []
    until, last = within.begin, None
    for one in sorted(spans, key=lambda span: (span.begin, span.end)):
        if min(one.begin, within.end) > until:
            found.append(Span(until, min(one.begin, within.end), last))
        if one.end >= until or last is None:
            until, last = max(until, one.end), one.what
    if within.end > until:
        found.append(Span(until, within.end, last))
    return found


class Layer(Generic[T]):
    """One list of spans without overlap, asked for moments that only go forward."""

    def __init__(self, spans: Sequence[Span[T]]) -> None:
        self._spans = spans
        self._at = 0

    def at(self, moment: datetime) -> T | None:
        """What is there at `moment`; None where nothing is."""
        spans = self._spans
        while self._at < len(spans) and spans[self._at].end <= moment:
            self._at += 1
        if self._at < len(spans) and spans[self._at].begin <= moment:
            return spans[self._at].what
        return None
