"""Files of a run made of real frames, scanned as they are on a node."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attpcdaq.runcontrol.planning.completeness import CheckedFile
from get_protocol.graw_build import build_frame, build_mutant
from get_protocol.graw_names import graw_name
from get_protocol.graw_scan import scan

TICKS_PER_SECOND = 100_000_000
FIRST, EVERY = 10.0, 0.1
"""Seconds of event 0, and between two events."""
BEGIN = datetime.fromisoformat("2026-11-22T09:48:24.458")


def frames(cobo: int, asad: int, events: Iterable[int], start: float = 0.0) -> bytes:
    """A frame of each event, its time `start` seconds later than it would be."""
    return b"".join(
        build_frame(
            cobo_idx=cobo,
            asad_idx=asad,
            event_idx=event,
            event_time=round((FIRST + start + EVERY * (event % 1000)) * TICKS_PER_SECOND),
        )
        for event in events
    )


def mutant_frames(events: Iterable[int]) -> bytes:
    return b"".join(build_mutant(event) for event in events)


def name_of(cobo: int | None, asad: int | None, index: int = 0, *, late: bool = False) -> str:
    name = graw_name(cobo, asad, BEGIN + timedelta(milliseconds=index), index)
    return name.replace(".graw", "_late1.graw") if late else name


def data_file(
    cobo: int,
    asad: int,
    events: Iterable[int],
    *,
    start: float = 0.0,
    index: int = 0,
    tail: bytes = b"",
    size: int | None = None,
    late: bool = False,
    proof: str = "",
) -> CheckedFile:
    """A file of one AsAd; `size` is what it had when it was moved, if that is another one."""
    data = frames(cobo, asad, events, start) + tail
    return CheckedFile(
        f"node-cobo{cobo}",
        f"router-cobo{cobo}",
        name_of(cobo, asad, index, late=late),
        len(data) if size is None else size,
        scan(data),
        late=late,
        proof=proof,
    )


def mutant_file(events: Iterable[int]) -> CheckedFile:
    data = mutant_frames(events)
    return CheckedFile("node-mutant", "router-mutant", name_of(None, None), len(data), scan(data))
