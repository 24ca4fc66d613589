"""The only writer of the audit trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester

_written: ContextVar[list[int] | None] = ContextVar("written", default=None)


def record(
    by: Requester,
    what: str,
    outcome: str,
    *,
    subject: str = "",
    text: str = "",
    command: UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Add a line; call it in the transaction of the change that it tells of."""
    entry = Entry.objects.create(
        at=at or timezone.now(),
        who=by.name,
        role=by.role,
        origin=by.origin,
        what=_storable(what)[:40],
        subject=_storable(subject)[:200],
        outcome=outcome,
        text=_storable(text),
        command=command,
        request_id=by.request_id,
    )
    written = _written.get()
    if written is not None:
        written.append(entry.pk)


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL: who sends one shall not be refused without a line."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@contextmanager
def watching() -> Iterator[list[int]]:
    """The ids of the lines that are added inside, those of a transaction that failed in the end among them."""
    written: list[int] = []
    token = _written.set(written)
    try:
        yield written
    finally:
        _written.reset(token)


def stands(ids: list[int]) -> bool:
    """Whether any of these lines is really there."""
    return bool(ids) and Entry.objects.filter(pk__in=ids).exists()
