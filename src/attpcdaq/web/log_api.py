"""The ends of logs over the API, in pieces for who follows."""

from http import HTTPStatus
from typing import Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from ninja.errors import HttpError
from ninja.params.functions import Path, Query
from pydantic import Field

from attpcdaq.live.log_cursor import CURSOR
from attpcdaq.live.log_reading import LogView, NoSuchLogError, look
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_schemas import Moment

router = Router()


class LogLineOut(Schema):
    at: int = Field(description="Where it begins in the file, in bytes.")
    text: str = Field(description="UTF-8 or Latin-1, without escape codes; what cannot be seen as a sign that can.")
    level: str = Field(description="error, warning or nothing.")
    left_out: int = Field(description="Characters in its middle that are not shown.")
    times: int = Field(description="As often it stands there, one written over the other.")
    has_head: bool = Field(description="False: its beginning was not read.")


class LogOut(Schema):
    """What is new in a log; `lines` stand instead of all that was given from `begin` on."""

    kind: str
    name: str
    node: str
    path: str
    state: str = Field(
        description="ok; problem; waiting: the monitor was asked to read it; silent: the monitor is not at work; "
        "unset: the setup says not where it is; agent: its node lets nobody read files."
    )
    problem: str
    read_at: Moment | None
    size: int | None
    modified: float | None = Field(description="The file's time on the node, seconds since 1970.")
    lines: list[LogLineOut]
    begin: int
    cursor: str = Field(description="Give it as `seen` to get what follows.")
    is_anew: bool = Field(description="It is another file than that of `seen`: rotated, emptied or replaced.")
    missed: int = Field(description="Bytes between `seen` and these lines that nobody has read.")
    left_out: int = Field(description="Lines before these that are too many.")


@router.get(
    "/logs/{kind}/{name}",
    response={200: LogOut, 401: schemas.Problem, 404: schemas.Problem, 422: schemas.WrongInput},
    summary="The end of the log of an ECC server or data router",
)
def log_tail(
    request: HttpRequest,
    kind: Literal["ecc", "router"] = Path(...),
    name: str = Path(..., max_length=63),
    seen: str = Query("", pattern=CURSOR, description="The cursor of the answer before; empty: all that was read."),
) -> LogOut:
    """Asking lets the monitor read it each second, for 15 s more: ask again, and you see it grow."""
    try:
        return _out(look(kind, name, seen, timezone.now()))
    except NoSuchLogError as error:
        raise HttpError(HTTPStatus.NOT_FOUND, str(error)) from None


def _out(log: LogView) -> LogOut:
    return LogOut(
        kind=log.kind.value,
        name=log.name,
        node=log.node,
        path=log.path,
        state=log.state,
        problem=log.problem,
        read_at=log.read_at,
        size=log.size,
        modified=log.modified,
        lines=[LogLineOut.from_orm(line) for line in log.news.lines],
        begin=log.news.begin,
        cursor=str(log.news.cursor),
        is_anew=log.news.is_anew,
        missed=log.news.missed,
        left_out=log.news.left_out,
    )
