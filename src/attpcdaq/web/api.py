"""The HTTP API: status, commands, runs. Every answer is JSON, errors too."""

from http import HTTPStatus

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.params.functions import Path, Query

from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.views import Snapshot
from attpcdaq.runlog import experiments
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import READ, requester
from attpcdaq.web.api_commands import router
from attpcdaq.web.api_errors import JsonApi
from attpcdaq.web.api_runs import run_detail, run_out
from attpcdaq.web.api_status_schemas import StatusOut
from attpcdaq.web.audit_api import router as audit_router
from attpcdaq.web.config_api import router as config_router
from attpcdaq.web.control_api import router as control_router
from attpcdaq.web.host_key_api import router as host_key_router
from attpcdaq.web.manifest_api import router as manifest_router
from attpcdaq.web.roles import as_seen_by
from attpcdaq.web.samples_api import router as samples_router

api = JsonApi(
    title="AT-TPC DAQ",
    version="1",
    description="Status, commands and runs of the AT-TPC's data acquisition. "
    "Send `Authorization: Bearer TOKEN`; `manage.py token create NAME` makes one.",
    urls_namespace="api",
    auth=READ,
)
api.add_router("", router)
api.add_router("", control_router)
api.add_router("", audit_router)
api.add_router("", manifest_router)
api.add_router("", config_router)
api.add_router("", host_key_router)
api.add_router("", samples_router)
UNAUTHORIZED = {401: schemas.Problem}
NOT_FOUND = {**UNAUTHORIZED, 404: schemas.Problem, 422: schemas.WrongInput}
ExperimentName = Query(None, description="Name of an experiment; without it the active one.", max_length=64)


@api.get("/status", response={200: StatusOut, **UNAUTHORIZED}, summary="The whole status at this moment")
def status(request: HttpRequest) -> Snapshot:
    return as_seen_by(requester(request), snapshot())


@api.get("/runs", response={200: list[schemas.RunOut], **NOT_FOUND}, summary="Runs of an experiment, newest first")
def runs(request: HttpRequest, experiment: str | None = ExperimentName) -> list[schemas.RunOut]:
    """Without an active experiment and without a name the list is empty."""
    found = _experiment(experiment)
    rows = Run.objects.filter(experiment=found).select_related("experiment", "operator").order_by("-number")
    return [run_out(row) for row in rows]


@api.get("/runs/{number}", response={200: schemas.RunDetail, **NOT_FOUND}, summary="A run with its files and run sheet")
def run_by_number(
    request: HttpRequest, number: int = Path(..., ge=1), experiment: str | None = ExperimentName
) -> schemas.RunDetail:
    found = _experiment(experiment)
    row = Run.objects.filter(experiment=found, number=number).select_related("experiment", "operator").first()
    if row is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no run {number} of {found or 'an active experiment'}.")
    return run_detail(row)


def _experiment(name: str | None) -> Experiment | None:
    """The experiment of this name, or the active one; 404 names the known ones."""
    if name is None:
        return experiments.active()
    known = {row.name: row for row in Experiment.objects.all()}
    if name not in known:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no experiment {name!r}; known: {', '.join(known) or 'none'}.")
    return known[name]
