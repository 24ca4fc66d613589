"""What happened, for who looks for it; and who has taken note of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.live.models import Event, Severity
from attpcdaq.live.prepared import Prepared
from attpcdaq.live.store import add_event

AT_LEAST = {
    Severity.INFO: tuple(Severity.values),
    Severity.WARNING: (Severity.WARNING.value, Severity.ERROR.value),
    Severity.ERROR: (Severity.ERROR.value,),
}
TO_BE_NOTED = AT_LEAST[Severity.WARNING]
# Written into the question: of values handed over beside it SQLite does not know that they are those of the index, and
# every page and every beat would look through all events.
WRITTEN_OUT = tuple(RawSQL(f"'{severity}'", ()) for severity in TO_BE_NOTED)  # noqa: S611  # words of our own
# More than anybody counts: the question costs the same after a night in which nobody took note.
MOST_COUNTED = 999
MOST_AT_ONCE = 500
NEWEST = (1 << 63) - 1
"""As great as an id can be."""


class NoSuchEventError(LookupError):
    """There is no event of this id, in words."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty fields ask for nothing; `text` is looked for in text and subject, `severity` and worse is shown."""

    text: str = ""
    severity: str = ""
    topic: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_open: bool = False
    """Warnings and errors which nobody has acknowledged."""


def told() -> QuerySet[Event]:
    """Those with words, newest first: the others only refresh pages, and are forgotten after an hour."""
    return Event.objects.exclude(text="")


def matching(wanted: Wanted) -> QuerySet[Event]:
    """The events that fit, newest first."""
    rows = not_acknowledged() if wanted.is_open else told()
    if wanted.text:
        rows = rows.filter(Q(text__icontains=wanted.text) | Q(subject__icontains=wanted.text))
    if wanted.severity and wanted.severity != Severity.INFO:
        rows = rows.filter(severity__in=AT_LEAST[Severity(wanted.severity)])
    exact = {"topic": wanted.topic, "subject": wanted.subject, "at__gte": wanted.since, "at__lt": wanted.until}
    return rows.filter(**{name: value for name, value in exact.items() if value})


def not_acknowledged() -> QuerySet[Event]:
    """Warnings and errors that nobody has taken note of, newest first."""
    return told().filter(acknowledged_at__isnull=True, severity__in=WRITTEN_OUT)


def count_open() -> int:
    """How many of these there are, MOST_COUNTED + 1 for more than that."""
    return len(_OPEN.rows())


_OPEN = Prepared(lambda: not_acknowledged().values_list("pk")[: MOST_COUNTED + 1])


def acknowledge(by: Requester, now: datetime, *, ids: Collection[int] = (), through: int = 0) -> int:
    """Take note of these events, or of all up to the id `through`; how many nobody had taken note of before.

    Of two at the same moment the first counts. NoSuchEventError, and nothing is done, where one of `ids` is none.
    """
    with transaction.atomic():
        rows = not_acknowledged().filter(pk__lte=min(through, NEWEST)) if through else _these(ids)
        count = rows.update(acknowledged_at=now, acknowledged_by=by.name[:150])
        if count:
            said = f"all up to {through}" if through else ", ".join(map(str, sorted(ids)))
            trail.record(by, "acknowledge", Outcome.DONE, subject="events", text=f"{count} of {said}", at=now)
            add_event("acknowledged", at=now)
    return count


def _these(ids: Collection[int]) -> QuerySet[Event]:
    known = set(told().filter(pk__in=ids).values_list("pk", flat=True))
    missing = sorted(set(ids) - known)
    if missing:
        raise NoSuchEventError(f"There is no event {', '.join(map(str, missing[:5]))}; nothing was acknowledged.")
    return not_acknowledged().filter(pk__in=known)
