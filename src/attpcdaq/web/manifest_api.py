"""What is proven of a run's data, for programs."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from ninja.errors import HttpError
from ninja.params.functions import Path, Query
from pydantic import ConfigDict, Field

from attpcdaq.runcontrol.asking.checks import check_again
from attpcdaq.runlog import experiments
from attpcdaq.runlog.listing import find_run
from attpcdaq.runlog.manifest_file import document
from attpcdaq.runlog.manifests import manifest_of
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_commands import ORDERED
from attpcdaq.web.manifest_view import progress_of

router = Router(tags=["manifest"])
NOT_FOUND = {401: schemas.Problem, 404: schemas.Problem, 422: schemas.WrongInput}


class ReasonOut(Schema):
    level: str = Field(description="incomplete, not_proven or remarks.")
    text: str


class SourceOut(Schema):
    """What the files of one CoBo and AsAd, or of the MuTAnT, hold together."""

    source: str
    nodes: list[str]
    routers: list[str]
    files: int
    bytes: int
    frames: int
    events: int = Field(description="Different event numbers.")
    first_event: int | None
    last_event: int | None
    first_time: int | None = Field(description="Time stamp in ticks of 10 ns.")
    last_time: int | None
    longest_step: int = Field(description="Longest time between two frames, in ticks.")
    gaps: int = Field(description="Event numbers left out between the first and the last.")
    gap_ranges: list[list[int]] = Field(description="The first 20, as first and last.")
    missing: int = Field(description="Events that other sources have.")
    missing_ranges: list[list[int]]
    behind: int = Field(description="Those of them after its own last one.")
    twice: int = Field(description="Event numbers that are there more than once.")


class ProgressOut(Schema):
    files: int = Field(description="Data files that were read.")
    of_files: int
    bytes: int
    of_bytes: int


class ManifestFileOut(Schema):
    """A file; of a data file also what is in it, once it was read."""

    model_config = ConfigDict(extra="allow")

    kind: str
    node: str
    owner: str
    path: str
    size: int
    sha256: str = ""
    problem: str = Field("", description="Why it could not be read.")
    proof: str = Field("", description="Why it belongs to this run.")


class ManifestOut(Schema):
    """The same as the file manifest.json beside the data, and how far the reading has come."""

    format: str
    version: int
    experiment: str
    run: int
    requested_at: str | None
    started_at: str | None
    stopped_at: str | None
    closed_at: str | None
    without: dict[str, str]
    verdict: str = Field(description="complete, remarks, incomplete or not_proven; empty while it is being checked.")
    reasons: list[ReasonOut]
    made_at: str | None
    sources: list[SourceOut]
    files: list[ManifestFileOut]
    progress: ProgressOut


@router.get(
    "/runs/{experiment}/{number}/manifest",
    response={200: ManifestOut, **NOT_FOUND},
    summary="Whether a run's data are complete, and why not",
)
def manifest(
    request: HttpRequest, experiment: str = Path(..., max_length=64), number: int = Path(..., ge=1, lt=10**9)
) -> dict[str, Any]:
    run = find_run(experiment, number)
    if manifest_of(run) is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"Run {number} of {experiment!r} has no manifest: it is not closed yet.")
    return document(run) | {"progress": progress_of(run)}


@router.post(
    "/runs/{number}/check",
    auth=TOKEN,
    response={202: None, **ORDERED, 404: schemas.Problem},
    summary="Check it once more",
)
def check(
    request: HttpRequest,
    number: int = Path(..., ge=1, lt=10**9),
    experiment: str | None = Query(None, description="Without it the active one.", max_length=64),
) -> Status[None]:
    """202: all files of the run are read and judged anew. 409: it is open, or being checked, or has no data."""
    by = operator(request)
    active = experiments.active()
    name = experiment if experiment is not None else active.name if active else ""
    check_again(find_run(name, number), by, timezone.now())
    return Status(HTTPStatus.ACCEPTED, None)
