"""What a whole experiment adds up to. Days that are over are worked out once: the same rows give the same sums."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Q

from attpcdaq.live.models import Spell
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts import reckoning
from attpcdaq.shifts.history import ENDED_BADLY
from attpcdaq.shifts.models import Gap
from attpcdaq.shifts.reckoning import Reckoned, joined, midnights, reckoned
from attpcdaq.shifts.spans import Interval

SETTLED_AFTER = timedelta(minutes=1)
"""So long after a midnight nothing of before it is still being written."""
MOST_KEPT = 8
Key = tuple[Any, ...]
_kept: dict[Key, Reckoned] = {}


def of_experiment(
    experiment: Experiment, now: datetime, since: date | None = None, until: date | None = None
) -> Reckoned:
    """From its first run or shift to its last (to `now` while it is active), cut to whole days `since`..`until`."""
    within = reckoning.beam_time_of(experiment, now)
    begin = max(within.begin, reckoning.midnight(since)) if since else within.begin
    end = min(within.end, reckoning.midnight(until, days=1)) if until else within.end
    return _with_the_past_kept(Interval(begin, max(begin, end)), now, experiment)


def _with_the_past_kept(within: Interval, now: datetime, experiment: Experiment) -> Reckoned:
    cut = max(midnights(within), default=None)
    # What this transaction wrote is nobody else's yet.
    if cut is None or now - cut < SETTLED_AFTER or connection.in_atomic_block:
        return reckoned(within, now, experiment)
    past = _past(Interval(within.begin, cut), now, experiment)
    return joined(past, reckoned(Interval(cut, within.end), now, experiment))


def _past(within: Interval, now: datetime, experiment: Experiment) -> Reckoned:
    """As it was worked out before, if no row of that time has come, gone or changed since."""
    key = (experiment.pk, within, *_version(within))
    found = _kept.get(key)
    if found is None:
        found = reckoned(within, now, experiment)
        # Copied, for other threads keep theirs meanwhile.
        for oldest in list(_kept)[: max(0, len(_kept) + 1 - MOST_KEPT)]:
            _kept.pop(oldest, None)
        _kept[key] = found
    return found


def _version(within: Interval) -> Key:
    """Rows of spells and failed commands are only added; runs end; causes are named, changed and taken back."""
    end = within.end
    counted = (
        Spell.objects.filter(began_at__lt=end).aggregate(
            n=Count("id"), last=Max("id"), end=Max("ended_at", filter=Q(ended_at__lt=end))
        ),
        Run.objects.filter(started_at__lt=end).aggregate(
            n=Count("id"), ended=Count("stopped_at"), end=Max("stopped_at")
        ),
        Command.objects.filter(state__in=ENDED_BADLY, requested_at__lt=end).aggregate(n=Count("id")),
    )
    named = hash(tuple(Gap.objects.order_by("id").values_list("id", "cause", "comment")))
    return (named, *(value for each in counted for value in each.values()))
