"""Runs for programs: the list as the page filters and sorts it, its exports, and one run with all there is of it."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Router
from ninja.errors import HttpError
from ninja.params.functions import Path, Query

from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.seeing.timeline import timeline
from attpcdaq.runlog import experiments
from attpcdaq.runlog.listing import NoSuchRunError, by_number, find_experiment, find_run, loaded, matching
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_run_schemas import FormatName, RunDetail, RunsQuery
from attpcdaq.web.api_runs import run_detail, run_out
from attpcdaq.web.run_exports import EXCEL, exported

router = Router(tags=["runs"])
NOT_FOUND = {401: schemas.Problem, 404: schemas.Problem, 422: schemas.WrongInput}
ExperimentName = Query(None, description="Name of an experiment; without it the active one.", max_length=64)
MOST, USUAL = 1000, 100
FILES: dict[str, dict[str, object]] = {kind: {} for kind in ("text/csv", "application/json", EXCEL)}


def chosen(name: str | None) -> Experiment | None:
    """The experiment of this name, or the active one; 404 names the known ones."""
    if name is None:
        return experiments.active()
    found = find_experiment(name)
    if found is None:
        known = ", ".join(Experiment.objects.values_list("name", flat=True)) or "none"
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no experiment {name!r}; known: {known}.")
    return found


def chosen_run(number: int, experiment: str | None) -> Run:
    """The run of this number of the experiment, or of the active one; 404."""
    found = chosen(experiment)
    if found is None:
        raise NoSuchRunError(f"There is no run {number}: no experiment is active, so name one.")
    return find_run(found.name, number)


def checked(query: RunsQuery) -> RunsQuery:
    """The same; BadCommand where its days are the wrong way round."""
    if query.since and query.until and query.until < query.since:
        raise BadCommand("until", f"must not be before since, {query.since}.")
    return query


@router.get("/runs", response={200: list[schemas.RunOut], **NOT_FOUND}, summary="Runs of an experiment, newest first")
def runs(
    request: HttpRequest,
    response: HttpResponse,
    experiment: str | None = ExperimentName,
    query: RunsQuery = Query(...),
    limit: int = Query(USUAL, ge=1, le=MOST),
    offset: int = Query(0, ge=0, le=10**9),
) -> list[schemas.RunOut]:
    """The header X-Total-Count says how many fit; without an active experiment and without a name there are none."""
    found = chosen(experiment)
    if found is None:
        response["X-Total-Count"] = "0"
        return []
    fitting = matching(found, checked(query).wanted())
    response["X-Total-Count"] = str(fitting.count())
    ids = list(fitting.values_list("pk", flat=True)[offset : offset + limit])
    return [run_out(row) for row in loaded(ids, whole=True)]


@router.get(
    "/runs/export",
    response={200: None, **NOT_FOUND},
    summary="The same runs with their measurements as a file",
    openapi_extra={"responses": {"200": {"content": FILES}}},
)
def export(
    request: HttpRequest,
    experiment: str | None = ExperimentName,
    query: RunsQuery = Query(...),
    format: FormatName = "csv",  # noqa: A002  # its name in the address
) -> HttpResponseBase:
    """All that fit, in the order of their numbers unless another is asked for."""
    found = chosen(experiment)
    if found is None:
        raise HttpError(HTTPStatus.NOT_FOUND, "No experiment is active: name one.")
    wanted = checked(query).wanted()
    return exported(found, by_number(matching(found, wanted), wanted), format, query.asked())


@router.get(
    "/runs/{number}",
    response={200: RunDetail, **NOT_FOUND},
    summary="A run with its files, run sheet and timeline",
)
def run_by_number(
    request: HttpRequest, number: int = Path(..., ge=1), experiment: str | None = ExperimentName
) -> RunDetail:
    run = chosen_run(number, experiment)
    return run_detail(run, timeline(run, timezone.now()))
