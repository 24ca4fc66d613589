"""What a scan found in a data file, for people: a table and sentences."""

import itertools
from collections.abc import Iterator, Mapping

from get_protocol.errors import RemoteProtocolError
from get_protocol.graw_names import parse_graw_name
from get_protocol.graw_summary import GARBAGE, Summary

TICK_S = 1e-8
"""Time stamps count 10 ns (facts 5)."""
MOST_GAPS = 5
FIRST_COBO_OF_MUTANT_FILES = 100
"""From this CoBo on the data router takes frames for the MuTAnT's (facts 4)."""
HEADINGS = ("file", "bytes", "frames", "events", "missing", "time stamps (s)", "frames of", "state")


def table(found: Mapping[str, Summary]) -> str:
    """A line per file, by the name under which it is shown."""
    rows = [HEADINGS, *(_row(name, summary) for name, summary in found.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    # Numbers to the right, words to the left.
    lines = [
        "  ".join(
            cell.rjust(width) if 0 < column < 6 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def problems(name: str, summary: Summary) -> list[str]:
    """What a physicist should know of the file `name`; none for a file that is as it should be."""
    return [*_end(summary), *_events(summary), *_others(name, summary)]


def _row(name: str, summary: Summary) -> tuple[str, ...]:
    events = _span(summary.first_event, summary.last_event)
    times = _span(
        *(None if time is None else f"{time * TICK_S:.6f}" for time in (summary.first_time, summary.last_time))
    )
    state = summary.tail or ("whole" if summary.frames else "empty")
    sources = ", ".join(summary.sources) if len(summary.sources) <= 2 else f"{len(summary.sources)} sources"
    counts = (f"{summary.size:,}", f"{summary.frames:,}", events, f"{summary.missing:,}")
    return name, *counts, times, sources, state


def _seconds(time: int | None) -> str | None:
    return None if time is None else f"{time * TICK_S:.6f}"


def _span(first: object, last: object) -> str:
    return "" if first is None else f"{first} - {last}"


def _end(summary: Summary) -> Iterator[str]:
    if summary.tail:
        yield f"{summary.tail} {summary.tail_text}"
    if summary.tail == GARBAGE:
        yield f"the last {summary.size - summary.tail_at:,} bytes were not looked into"


def _events(summary: Summary) -> Iterator[str]:
    if summary.missing:
        pairs = itertools.pairwise(summary.ranges)
        gaps = [(last + 1, first - 1) for (_, last), (first, _) in pairs if first > last + 1]
        shown = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in gaps[:MOST_GAPS])
        more = ", ..." if len(gaps) > MOST_GAPS or summary.ranges_dropped else ""
        yield f"{summary.missing:,} event numbers are left out: {shown}{more}"
    if summary.numbers_back:
        yield f"event numbers do not go up at {summary.numbers_back:,} frames"
    if summary.times_back:
        yield f"time stamps go back at {summary.times_back:,} frames"


def _others(name: str, summary: Summary) -> Iterator[str]:
    """Frames that the name does not announce."""
    try:
        told = parse_graw_name(name.rpartition("/")[2])
    except RemoteProtocolError:
        return
    source = f"{told.source}_AsAd{told.asad}" if told.cobo is not None else told.source
    others = [one for one in summary.sources if one != source and not (told.cobo is None and _is_high(one))]
    if others:
        yield f"its name says {source}; it has frames of {', '.join(others[:MOST_GAPS])}"


def _is_high(source: str) -> bool:
    number = source.removeprefix("CoBo").partition("_")[0]
    return number.isdigit() and int(number) >= FIRST_COBO_OF_MUTANT_FILES
