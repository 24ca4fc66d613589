"""Puts down how the whole detector is, every few seconds; while all rests it is looked at only when there is news."""

from collections.abc import Callable
from datetime import datetime, timedelta

from attpcdaq.live import spells
from attpcdaq.live.models import Event
from attpcdaq.live.spells import Look
from attpcdaq.runcontrol.seeing.looks import look
from attpcdaq.runcontrol.watching.rounds import is_quiet

EVERY = timedelta(seconds=4)
LOOK_ANYWAY = timedelta(seconds=30)
"""While all rests and no event tells of anything: ages alone change little then."""
FOLLOWED = timedelta(seconds=10)
"""What an event told of is looked at for so long: who does not answer is unknown a few seconds later."""


NO_NEWS = ("router", "run")
"""Without words these tell of rates, or that a spell began."""


class Spelling:
    """Call it as often as `sweep`. A look costs as much as a page, so at rest nearly none is taken."""

    def __init__(self, look: Callable[[datetime], Look] = look) -> None:
        self._look = look
        self._noted_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._news_at: datetime | None = None
        self._spell = 0
        self._event = 0
        self._rests = False

    def __call__(self, now: datetime) -> None:
        if not _is_over(self._noted_at, EVERY, now):
            return
        # Before the look: one that fails is not tried again at once, for it costs as much as one that does not.
        self._noted_at = now
        if not self._rests or self._has_news(now) or not spells.go_on(self._spell, now):
            self._put_down(now)

    def _put_down(self, now: datetime) -> None:
        # First the newest event and whether all rests: what changes while it is looked at is news.
        event = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
        if not self._rests:
            self._news_at = now
        rests = is_quiet()
        self._spell, self._looked_at = spells.note(self._look(now), now), now
        self._event, self._rests = event, rests

    def _has_news(self, now: datetime) -> bool:
        """Whether an event told of something but rates just now, or the last look was long ago."""
        news = Event.objects.filter(id__gt=self._event).exclude(topic__in=NO_NEWS, text="")
        if news.order_by().exists():
            self._news_at = now
        return not _is_over(self._news_at, FOLLOWED, now) or _is_over(self._looked_at, LOOK_ANYWAY, now)


def _is_over(since: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether so much time went by, or nobody knows, or the clock was set back."""
    return since is None or not timedelta(0) <= now - since < every
