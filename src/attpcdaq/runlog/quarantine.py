"""Which runs a file in quarantine may be of."""

import re
from datetime import datetime

from attpcdaq.runlog.models import Run, RunState

LOOKED_BACK = 50
"""Runs, at the most, before a file was put there."""
LAST_RUNS = 2
"""A file that nobody could tell is seldom older, and an earlier run that was found whole lacks nothing."""
# As it is put together where a file's run is told (runcontrol/planning/whose_*).
_EITHER = re.compile(r"run \d+(?: or run \d+)+")
_NUMBER = re.compile(r"\d+")


def may_be_of(why: str, at: datetime) -> set[int]:
    """Rows of the last runs before it was put there, of those which the words say it may be of where they do.

    A failed run took no frame, so that none may be of it.
    """
    before = Run.objects.filter(requested_at__lte=at).exclude(state=RunState.FAILED)
    recent = list(before.values_list("pk", "number")[:LOOKED_BACK])
    if named := _EITHER.search(why):
        numbers = {int(number) for number in _NUMBER.findall(named[0])}
        recent = [(pk, number) for pk, number in recent if number in numbers]
    return {pk for pk, _ in recent[:LAST_RUNS]}
