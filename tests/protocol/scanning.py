"""A summary made the plain way, and the scanner held against it."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator

from get_protocol.errors import FrameError, TruncatedFrame
from get_protocol.graw import walk
from get_protocol.graw_scan import Scanner, scan
from get_protocol.graw_summary import Summary


def by_walking(data: bytes) -> Summary:
    """The same from the headers that `walk` reads, the plain way."""
    seen = Summary(size=len(data))
    events: list[int] = []
    times: list[int] = []
    sources: Counter[str] = Counter()
    try:
        for header in walk(data):
            seen.frames += 1
            events += [] if header.event_idx is None else [header.event_idx]
            times += [] if header.event_time is None else [header.event_time]
            asad = "_topology" if header.asad_idx is None else f"_AsAd{header.asad_idx}"
            sources["MuTanT" if header.cobo_idx is None else f"CoBo{header.cobo_idx}{asad}"] += 1
    except FrameError as error:
        seen.tail = "truncated" if isinstance(error, TruncatedFrame) else "garbage"
        seen.tail_at = error.offset
    if events:
        seen.first_event, seen.last_event = events[0], events[-1]
    if times:
        seen.first_time, seen.last_time = times[0], times[-1]
    steps = [after - before for before, after in itertools.pairwise(events)]
    seen.ranges, seen.sources = list(ranges_of(events)), dict(sources)
    seen.missing, seen.numbers_back = sum(step - 1 for step in steps if step > 0), sum(step <= 0 for step in steps)
    waits = [after - before for before, after in itertools.pairwise(times)]
    seen.times_back, seen.largest_step = sum(wait < 0 for wait in waits), max([0, *waits])
    return seen


def ranges_of(events: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of numbers that go up one by one."""
    if events:
        ends = [at for at in range(1, len(events)) if events[at] != events[at - 1] + 1]
        for first, after in itertools.pairwise([0, *ends, len(events)]):
            yield events[first], events[after - 1]


def in_pieces(data: bytes, cuts: list[int]) -> Summary:
    """Scanned in pieces that end at `cuts`."""
    scanner = Scanner()
    for first, after in itertools.pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
        scanner.feed(memoryview(data)[first:after])
    return scanner.finish()


def check(data: bytes, cuts: list[int]) -> None:
    """Every way comes to the same, and survives its way as JSON."""
    seen = scan(data)
    assert in_pieces(data, cuts) == seen
    assert Summary.from_json(json.loads(json.dumps(seen.to_json()))) == seen
    assert bool(seen.tail) == bool(seen.tail_text)
    if seen.tail:
        assert f"at byte {seen.tail_at}: " in seen.tail_text
    seen.tail_text = ""
    assert seen == by_walking(data)
