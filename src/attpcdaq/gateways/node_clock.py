"""A node's clock against ours: it is asked a few times, and the quickest answer counts."""

import re
from collections.abc import Awaitable, Callable

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.node_shell import Output
from attpcdaq.gateways.ports import CLOCK_KNOWN, NodeClock

TRIES = 4
WAYS = (
    "date '+%s.%N %z'",
    # An older macOS has no %N and prints the letter.
    'perl -MTime::HiRes=time -MPOSIX=strftime -e \'printf "%.6f %s", time, strftime("%z", localtime)\'',
    'python3 -c \'import time; print("%.6f" % time.time(), time.strftime("%z"))\'',
    "date '+%s %z'",
)
_ANSWER = re.compile(r"([0-9]{9,11})(\.[0-9]{1,9})? ([+-])([0-9]{2})([0-5][0-9])")


async def compare(
    look: Callable[[str], Awaitable[Output]], wall_time: Callable[[], float], good_enough: float = CLOCK_KNOWN
) -> NodeClock:
    """The best of a few answers, or the first whose error is `good_enough`: half the way there and back, in seconds.

    Refused when nothing tells the time.
    """
    said = ""
    for way in WAYS:
        best: NodeClock | None = None
        for _ in range(TRIES):
            before = wall_time()
            said = (await look(way)).text.strip()
            told = _told(said, before, wall_time())
            if told is None:
                break
            best = told if best is None else min(best, told, key=lambda one: one.error)
            if best.error <= good_enough:
                return best
        if best is not None:
            return best
    raise Refused(f"date told no time: {said[:80]!r}")


def _told(said: str, before: float, after: float) -> NodeClock | None:
    found = _ANSWER.fullmatch(said)
    if found is None:
        return None
    # Where whole seconds are all there is, it is half a second later in the mean.
    unknown = 0.0 if found[2] else 0.5
    offset = int(found[1]) + (float(found[2]) if found[2] else 0.5) - (before + after) / 2
    minutes = int(found[4]) * 60 + int(found[5])
    return NodeClock(offset, (after - before) / 2 + unknown, -minutes if found[3] == "-" else minutes)
