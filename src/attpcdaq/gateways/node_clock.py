"""A node's clock against ours: it is asked a few times, and the quickest answer counts."""

import re
from collections.abc import Awaitable, Callable

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.ports import NodeClock

TRIES = 4
GOOD_ENOUGH_S = 0.005
"""An error at which nobody needs a better answer."""
# `date` of an older macOS prints an N for %N; perl and python3 are what such a node may have instead.
COMMAND = (
    "t=$(date '+%s.%N %z'); case $t in *N*) "
    't="$(perl -MTime::HiRes=time -e \'printf "%.6f", time\' 2>/dev/null'
    ' || python3 -c \'import time; print("%.6f" % time.time())\' 2>/dev/null || date +%s) $(date +%z)";; esac; '
    'echo "$t"'
)
_ANSWER = re.compile(r"([0-9]{9,11})(\.[0-9]{1,9})? ([+-])([0-9]{2})([0-5][0-9])\Z")


async def compare(ask: Callable[[str], Awaitable[str]], wall_time: Callable[[], float]) -> NodeClock:
    """The best of a few answers; its error is half the way there and back. Refused when it is no time."""
    best: NodeClock | None = None
    for _ in range(TRIES):
        before = wall_time()
        answer = await ask(COMMAND)
        told = _told(answer, before, wall_time())
        if best is None or told.error < best.error:
            best = told
        if best.error <= GOOD_ENOUGH_S:
            break
    assert best is not None
    return best


def _told(answer: str, before: float, after: float) -> NodeClock:
    found = _ANSWER.search(answer.strip())
    if found is None:
        raise Refused(f"date told no time: {answer[:80]!r}")
    fraction = float(found[2] or 0.5)  # whole seconds only: it is half a second more in the mean
    error = (after - before) / 2 + (0.0 if found[2] else 0.5)
    minutes = int(found[4]) * 60 + int(found[5])
    offset = int(found[1]) + fraction - (before + after) / 2
    return NodeClock(offset, error, -minutes if found[3] == "-" else minutes)
