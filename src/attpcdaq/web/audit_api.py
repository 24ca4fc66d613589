"""The audit trail over the API."""

from typing import Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params.functions import Query

from attpcdaq.audit.models import Entry
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_schemas import Moment
from attpcdaq.web.audit_lines import Wanted, matching

router = Router()
LIMIT = 500
NO_NUL = "^[^\0]*$"  # PostgreSQL cannot even be asked for one


class EntryOut(Schema):
    """One line; what came of a command is a line of its own with the same `command`."""

    id: int
    at: Moment
    who: str
    role: str
    origin: str
    what: str
    subject: str
    outcome: str
    text: str
    command: UUID | None
    request_id: str


class AuditQuery(Schema):
    who: str = Query("", max_length=150, pattern=NO_NUL)
    what: str = Query("", max_length=40, pattern=NO_NUL)
    outcome: Literal["", "accepted", "refused", "done", "failed"] = ""
    text: str = Query(
        "", description="Looked for in subject, text, origin and request_id.", max_length=100, pattern=NO_NUL
    )
    command: UUID | None = None
    before: int | None = Query(None, description="Only lines older than the one with this id.", ge=1, lt=1 << 63)
    limit: int = Query(100, ge=1, le=LIMIT)


@router.get(
    "/audit",
    response={200: list[EntryOut], 401: schemas.Problem, 422: schemas.WrongInput},
    summary="Who did what, newest first",
)
def audit(request: HttpRequest, wanted: AuditQuery = Query(...)) -> list[Entry]:
    """Go on with `before` the last id of the answer."""
    asked = Wanted(wanted.who, wanted.what, wanted.outcome, wanted.text, wanted.command)
    rows = matching(asked)
    if wanted.before is not None:
        rows = rows.filter(pk__lt=wanted.before)
    return list(rows[: wanted.limit])
