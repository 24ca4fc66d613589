"""The only writer of the audit trail."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester


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
    Entry.objects.create(
        at=at or timezone.now(),
        who=by.name,
        role=by.role,
        origin=by.origin,
        what=what,
        subject=subject[:200],
        outcome=outcome,
        text=text,
        command=command,
    )
