"""Events over the API: looked through, and acknowledged."""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal, Self

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from ninja.errors import HttpError
from ninja.params.functions import Query
from pydantic import BeforeValidator, Field, model_validator

from attpcdaq.live.events import MOST_AT_ONCE, NEWEST, NoSuchEventError, Wanted, acknowledge, count_open, matching
from attpcdaq.live.models import Event
from attpcdaq.runlog.listing import NoSuchRunError, find_run
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_schemas import BODIES, STRICT, Moment
from attpcdaq.web.event_filter import just_after, run_of

router = Router()
LIMIT = 1000
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")
NO_NUL = "^[^\0]*$"  # PostgreSQL cannot even be asked for one
UNAUTHORIZED = {401: schemas.Problem}
Id = Annotated[int, Field(ge=1, le=NEWEST)]


def _written(given: object) -> object:
    """A number would be taken for seconds, a day for its midnight in Greenwich."""
    if isinstance(given, str) and not RFC_3339.fullmatch(given):
        raise ValueError("give a moment with its zone: 2026-11-22T03:12:44+01:00")
    return given


WrittenMoment = Annotated[datetime | None, BeforeValidator(_written)]


class NotedEventOut(Schema):
    """Something that happened, and who has taken note of it."""

    id: int
    at: Moment
    topic: str
    severity: str
    subject: str
    text: str
    acknowledged_at: Moment | None
    acknowledged_by: str


class EventQuery(Schema):
    text: str = Query("", description="Looked for in text and subject.", max_length=100, pattern=NO_NUL)
    severity: Literal["", "info", "warning", "error"] = Query("", description="As bad as this, or worse.")
    topic: str = Query("", max_length=12, pattern=NO_NUL, description="ecc, router, command, run, setup, ...")
    subject: str = Query("", max_length=80, pattern=NO_NUL, description="Exactly this server, router, node or run.")
    run: str = Query("", max_length=80, pattern=NO_NUL, description="During the run EXPERIMENT/NUMBER: e20009/12.")
    since: WrittenMoment = Query(None, description="From this moment on.")
    until: WrittenMoment = Query(None, description="Before this moment.")
    is_open: bool = Query(False, description="Only warnings and errors that nobody acknowledged.")
    before: int | None = Query(None, description="Only events older than the one with this id.", ge=1, le=NEWEST)
    after: int | None = Query(None, description="Only events newer than the one with this id.", ge=0, le=NEWEST)
    limit: int = Query(100, ge=1, le=LIMIT)


@router.get(
    "/events",
    response={200: list[NotedEventOut], **UNAUTHORIZED, 404: schemas.Problem, 422: schemas.WrongInput},
    summary="What happened, newest first",
)
def list_events(request: HttpRequest, asked: EventQuery = Query(...)) -> list[Event]:
    """Go on with `before` the last id of the answer, or follow with `after` the first."""
    rows = matching(_wanted(asked))
    if asked.before is not None:
        rows = rows.filter(pk__lt=asked.before)
    if asked.after is not None:
        rows = rows.filter(pk__gt=asked.after)
    return list(rows[: asked.limit])


def _wanted(asked: EventQuery) -> Wanted:
    begins, ends = _during(asked.run)
    since = [at for at in (begins, asked.since) if at]
    until = [at for at in (just_after(ends), asked.until) if at]
    return Wanted(
        text=asked.text,
        severity=asked.severity,
        topic=asked.topic,
        subject=asked.subject,
        since=max(since, default=None),
        until=min(until, default=None),
        is_open=asked.is_open,
    )


def _during(text: str) -> tuple[datetime | None, datetime | None]:
    if not text:
        return None, None
    named = run_of(text)
    if named is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"run: {text[:80]!r} is no run; give it as EXPERIMENT/NUMBER: e20009/12.")
    try:
        run = find_run(*named)
    except NoSuchRunError as error:
        raise HttpError(HTTPStatus.NOT_FOUND, str(error)) from None
    return run.requested_at, run.closed_at


class AcknowledgeIn(Schema):
    """Either the events named, or all up to one."""

    model_config = STRICT

    ids: Annotated[list[Id], Field(max_length=MOST_AT_ONCE)] = []
    through: Annotated[int, Field(ge=0, le=NEWEST)] = Field(0, description="Id of the newest one that was seen.")

    @model_validator(mode="after")
    def either_or(self) -> Self:
        if bool(self.ids) == bool(self.through):
            raise ValueError("give either ids or through")
        return self


class AcknowledgedOut(Schema):
    acknowledged: int = Field(description="How many nobody had acknowledged before.")
    left: int = Field(description="Warnings and errors that nobody has acknowledged (1000: as many or more).")


BODIES["noted"] = AcknowledgeIn


@router.post(
    "/events/acknowledge",
    auth=TOKEN,
    response={
        200: AcknowledgedOut,
        **UNAUTHORIZED,
        400: schemas.Problem,
        403: schemas.Problem,
        404: schemas.Problem,
        422: schemas.WrongInput,
    },
    summary="Take note of warnings and errors",
)
def acknowledge_events(request: HttpRequest, noted: AcknowledgeIn) -> AcknowledgedOut:
    """What somebody has acknowledged before stays as it is. 404 names what is no event; then nothing is done."""
    try:
        count = acknowledge(operator(request), timezone.now(), ids=noted.ids, through=noted.through)
    except NoSuchEventError as error:
        raise HttpError(HTTPStatus.NOT_FOUND, str(error)) from None
    return AcknowledgedOut(acknowledged=count, left=count_open())
