"""Which lines of the audit trail somebody wants to see."""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet

from attpcdaq.audit.models import Entry

LOOKED_THROUGH = ("subject", "text", "origin", "request_id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty fields ask for nothing; `text` is looked for in subject, text, origin and request id."""

    who: str = ""
    what: str = ""
    outcome: str = ""
    text: str = ""
    command: UUID | None = None


def matching(wanted: Wanted) -> QuerySet[Entry]:
    """The lines that fit, newest first."""
    rows = Entry.objects.all()
    if wanted.text:
        rows = rows.filter(reduce(or_, (Q(**{f"{field}__icontains": wanted.text}) for field in LOOKED_THROUGH)))
    exact = {"who": wanted.who, "what": wanted.what, "outcome": wanted.outcome, "command": wanted.command}
    return rows.filter(**{name: value for name, value in exact.items() if value})
