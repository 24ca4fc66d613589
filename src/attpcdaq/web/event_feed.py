"""What the event hub reads from the database; every function is blocking and belongs into the hub's own thread."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils import timezone

from attpcdaq.config.version import VERSION
from attpcdaq.live import lease
from attpcdaq.live.models import ECCState, Event
from attpcdaq.live.store import REFRESH_KEPT
from attpcdaq.web import figures
from attpcdaq.web.event_counts import unacknowledged

# PostgreSQL gives out ids before the commits: an event may appear after one with a higher id, but not much later.
OVERLAP = 50
LATE = timedelta(seconds=15)
SAID = "said"
"""The topic, besides its own, of every event that has words: most only refresh pages."""
HAS_WORDS = ExpressionWrapper(~Q(text=""), output_field=BooleanField())


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event."""

    kind: str
    data: str
    id: int | None = None

    def encode(self) -> bytes:
        head = "" if self.id is None else f"id: {self.id}\n"
        return f"{head}event: {self.kind}\ndata: {self.data}\n\n".encode()


def change(last: int, topics: set[str]) -> Message:
    """Something of these topics changed; everything up to event `last` is told."""
    return Message("change", json.dumps({"topics": sorted(topics)}), last)


def reset(last: int) -> Message:
    """Nobody can say any more what changed: fetch everything again."""
    return Message("reset", "{}", last)


def latest_id() -> int:
    """Id of the newest event, 0 when there is none."""
    return Event.objects.values_list("id", flat=True).first() or 0


def resume(wanted: str, now: datetime | None = None, drawn: datetime | None = None) -> Message | None:
    """What somebody missed who has seen everything up to event `wanted`; None when that is nothing.

    `drawn`: when the page was made that he sees, if he says so: what was committed long before is in it.
    """
    latest = latest_id()
    seen = Event.objects.filter(pk=int(wanted)).first() if wanted.isdecimal() and int(wanted) <= latest else None
    if seen is None:
        return None if wanted == str(latest) else reset(latest)
    if (now or timezone.now()) - seen.at > REFRESH_KEPT:
        return reset(latest)
    late = Q(id__gt=seen.pk - OVERLAP)
    if drawn is not None:
        late &= Q(at__gt=drawn - LATE)
    missed = Event.objects.filter(Q(id__gt=seen.pk) | late).exclude(pk=seen.pk)
    topics = set(missed.order_by().values_list("topic", flat=True).distinct())
    if missed.exclude(text="").exists():
        topics.add(SAID)
    return change(latest, topics) if topics else None


def opening(wanted: str, drawn: datetime | None = None) -> list[Message]:
    """What a stream begins with: what was missed since event `wanted` (empty: nothing; see `resume`), and a beat."""
    missed = resume(wanted, drawn=drawn) if wanted else None
    return [message for message in (missed, beat()) if message is not None]


def beat(now: datetime | None = None) -> Message:
    """The server's time and when monitor, ECC servers and data routers were last seen, in seconds since 1970.

    With them the version of the program (a page of another one says that it is old), how much nobody acknowledged,
    the figures that change all the time, and which routers have written nothing for too long: whoever shows the status
    looks again when that changes.
    """
    now, monitor = now or timezone.now(), lease.written_at()
    routers = figures.read(now)
    said = {
        "version": VERSION,
        "now": now.timestamp(),
        "unacknowledged": unacknowledged(),
        "monitor": monitor.timestamp() if monitor else None,
        "ecc": _epochs(ECCState.objects.values_list("pk", "seen_at")),
        "routers": _epochs((router.id, router.seen_at) for router in routers),
        "figures": figures.texts(routers),
        "quiet": sorted(router.id for router in routers if router.quiet),
    }
    return Message("beat", json.dumps(said))


def _epochs(seen: Iterable[tuple[int, datetime | None]]) -> dict[str, float]:
    return {str(pk): at.timestamp() for pk, at in seen if at is not None}


class News:
    """Tells every event once, however late it was committed."""

    def __init__(self) -> None:
        self._last = latest_id()
        self._told = {pk for pk, *_ in self._recent()}

    def _recent(self) -> list[tuple[int, str, bool]]:
        """Id, topic, and whether it has words."""
        rows = Event.objects.filter(id__gt=self._last - OVERLAP).annotate(said=HAS_WORDS).order_by("id")
        return list(rows.values_list("id", "topic", "said"))

    def look(self) -> Message | None:
        """What came since the last look."""
        recent = self._recent()
        new = [(topic, said) for pk, topic, said in recent if pk not in self._told]
        topics = {topic for topic, _ in new} | ({SAID} if any(said for _, said in new) else set())
        self._told = {pk for pk, *_ in recent}
        self._last = max([self._last, *self._told])
        return change(self._last, topics) if topics else None
