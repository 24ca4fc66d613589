"""Which run frames were taken in, by the board's own clock: two frames of a run lie no further apart than it lasts."""

from collections.abc import Sequence
from itertools import pairwise

from attpcdaq.runcontrol.planning.whose_facts import TICKS, Frames, Owner, RunSpan, Unknown

MARGIN = 0.2
# Shorter steps back than this are no reset.
JITTER = TICKS // 10


def reckon(mine: Frames, base: RunSpan, ends: tuple[Frames, Frames], possible: Sequence[RunSpan]) -> Owner | Unknown:
    """The run among `possible`, oldest first, of which all frames of `mine` are.

    `ends` are the first and the last file of the same source in `base`, a run not later than the first of them.
    """
    names = " or ".join(run.label for run in possible)
    first, last = ends[0].first_time, ends[1].last_time
    if mine.first_time is None or mine.last_time is None or first is None or last is None:
        return Unknown(f"it may be of {names}, and there are no time stamps to tell by.")
    if mine.times_back:
        return Unknown(f"its time stamps go back inside it, so frames of {names} may be mixed.")
    if mine.first_time + JITTER < last:
        return _after_reset(base, possible, names)
    earliest = base.told + (mine.first_time - first) / TICKS
    latest_first = base.stopped + (mine.first_time - last) / TICKS
    latest = base.stopped + (mine.last_time - last) / TICKS
    owners = [
        run
        for run, before, after in _between(possible)
        if (before is None or earliest > before.stopped + MARGIN)
        and (after is None or latest + MARGIN < after.told)
        and (before is None or latest_first + MARGIN >= run.told)
    ]
    if len(owners) != 1:
        return Unknown(f"by the board's clock its frames may be of {names}.")
    return Owner(owners[0].run, f"by the board's clock, reckoned from {base.label}, all of it was taken in this run.")


def length(frames: Frames) -> float:
    """Seconds between its first and its last frame; 0 where they carry no time."""
    if frames.first_time is None or frames.last_time is None:
        return 0.0
    return (frames.last_time - frames.first_time) / TICKS


def is_of_one(frames: Frames, possible: Sequence[RunSpan]) -> bool:
    """Whether no two frames that follow each other lie as far apart as the runs do, nor does the clock go back."""
    gaps = (after.told - run.stopped for run, after in pairwise(possible))
    known = frames.first_time is not None and not frames.times_back
    return known and frames.largest_step / TICKS < min(gaps, default=float("inf")) - MARGIN


def _after_reset(base: RunSpan, possible: Sequence[RunSpan], names: str) -> Owner | Unknown:
    """The board's clock was set back since: a start lies between."""
    later = [run for run in possible if run.told > base.told]
    if len(later) != 1:
        return Unknown(f"the board's clock was set back since {base.label}, which may have been for any of {names}.")
    return Owner(later[0].run, f"the board's clock was set back since {base.label}, so it was taken in this run.")


def _between(runs: Sequence[RunSpan]) -> list[tuple[RunSpan, RunSpan | None, RunSpan | None]]:
    """Each run with the one before it and the one after it."""
    around: list[RunSpan | None] = [None, *runs, None]
    return [(run, around[i], around[i + 2]) for i, run in enumerate(runs)]
