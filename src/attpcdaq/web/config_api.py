"""Configurations as they were, for programs."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from ninja.errors import HttpError
from ninja.params.functions import Path, Query
from pydantic import Field

from attpcdaq.runcontrol.seeing import configurations
from attpcdaq.runcontrol.seeing.configurations import Compared, Likeness, Pair, UnknownSideError
from attpcdaq.runlog.listing import find_run
from attpcdaq.runlog.models import RunConfig
from attpcdaq.topology import config_blobs
from attpcdaq.topology.models import ConfigBlob
from attpcdaq.web import api_schemas as schemas

router = Router(tags=["configurations"])
NOT_FOUND = {401: schemas.Problem, 404: schemas.Problem, 422: schemas.WrongInput}


class KeptConfig(Schema):
    """One configuration of one ECC server of a run."""

    ecc_server: str
    kind: str = Field(description="describe, hardware, prepare, configure or links.")
    source: str = Field(description="file: the bytes on the node; loaded: what the ECC server said it loaded.")
    name: str
    path: str
    size: int | None
    sha256: str | None
    problem: str = Field(description="Why its bytes are not kept, or what else is to be known.")
    taken_at: schemas.Moment
    loaded_is: Likeness | None = Field(description="The file against what was loaded; null where one is not kept.")


class DifferenceOut(Schema):
    group: str = Field(description="A board such as CoBo[0], where * is a template, or another part of the file.")
    parameter: str
    old: str | None
    new: str | None


class PairOut(Schema):
    """Two files that these ECC servers have in common."""

    kind: str
    ecc_servers: list[str]
    old_name: str | None
    new_name: str | None
    old_sha256: str | None
    new_sha256: str | None
    likeness: Likeness
    problem: str
    count: int = Field(description="All differences; at most 1000 are listed.")
    differences: list[DifferenceOut]


Side = Query(..., description="EXPERIMENT/NUMBER, EXPERIMENT/NUMBER/loaded, or now.", max_length=100)


@router.get(
    "/runs/{experiment}/{number}/configuration",
    response={200: list[KeptConfig], **NOT_FOUND},
    summary="What every ECC server of a run was set up with",
)
def configuration(
    request: HttpRequest, experiment: str = Path(..., max_length=64), number: int = Path(..., ge=1, lt=10**9)
) -> list[KeptConfig]:
    run = find_run(experiment, number)
    rows = list(run.configs.select_related("blob").defer("blob__data"))
    likeness = configurations.loaded_as_filed(rows)
    return [_kept(row, likeness.get((row.server, row.kind, row.name))) for row in rows]


def _kept(row: RunConfig, found: Compared | None) -> KeptConfig:
    return KeptConfig(
        ecc_server=row.server,
        kind=row.kind,
        source=row.source,
        name=row.name,
        path=row.path,
        size=row.blob.size if row.blob else None,
        sha256=row.blob_id,
        problem=row.problem,
        taken_at=row.taken_at,
        loaded_is=found.likeness if found else None,
    )


@router.get("/configurations/diff", response={200: list[PairOut], **NOT_FOUND}, summary="Two configurations compared")
def diff(request: HttpRequest, a: str = Side, b: str = Side) -> list[PairOut]:
    try:
        sides = configurations.side(a), configurations.side(b)
    except UnknownSideError as error:
        raise HttpError(HTTPStatus.NOT_FOUND, str(error)) from None
    return [_pair_out(pair) for pair in configurations.pairs(*sides)]


def _pair_out(pair: Pair) -> PairOut:
    return PairOut(
        kind=pair.kind,
        ecc_servers=list(pair.servers),
        old_name=pair.old.name if pair.old else None,
        new_name=pair.new.name if pair.new else None,
        old_sha256=pair.old.blob if pair.old else None,
        new_sha256=pair.new.blob if pair.new else None,
        likeness=pair.compared.likeness,
        problem=pair.compared.problem,
        count=pair.compared.count,
        differences=[
            DifferenceOut(group=each.group, parameter=each.parameter, old=each.old, new=each.new)
            for each in pair.compared.differences
        ],
    )


@router.get(
    "/configurations/{sha256}",
    response={200: None, **NOT_FOUND},
    summary="The exact bytes of a configuration",
    openapi_extra={"responses": {"200": {"content": {"application/octet-stream": {}}}}},
)
def one_configuration(request: HttpRequest, sha256: str = Path(..., pattern="^[0-9a-f]{64}$")) -> HttpResponse:
    try:
        data = config_blobs.get(sha256)
    except ConfigBlob.DoesNotExist:
        raise HttpError(HTTPStatus.NOT_FOUND, f"No configuration with the SHA-256 {sha256} is kept.") from None
    return HttpResponse(data, content_type="application/octet-stream")
