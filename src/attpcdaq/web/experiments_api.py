"""Experiments over the API: made, renamed, made active."""

from http import HTTPStatus

from django.db.models import Count
from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError
from ninja.params.functions import Path

from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import activate_experiment, create_experiment, rename_experiment
from attpcdaq.runlog.experiments import ExperimentRefusedError
from attpcdaq.runlog.listing import find_experiment
from attpcdaq.runlog.models import Experiment
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_commands import ORDERED, UNAUTHORIZED
from attpcdaq.web.api_sheet_schemas import ExperimentIn, ExperimentOut

router = Router(tags=["experiments"])
ORDERS = {**ORDERED, 404: schemas.Problem}
Name = Path(..., max_length=64)


@router.get("/experiments", response={200: list[ExperimentOut], **UNAUTHORIZED}, summary="All experiments")
def all_experiments(request: HttpRequest) -> list[ExperimentOut]:
    """Newest first; runs are numbered in the active one."""
    return [_out(row) for row in Experiment.objects.annotate(count=Count("runs"))]


@router.post("/experiments", auth=TOKEN, response={201: ExperimentOut, **ORDERED}, summary="Make an experiment")
def create(request: HttpRequest, named: ExperimentIn) -> Status[ExperimentOut]:
    """Not yet active. 409: the name, or the directory of this name, is another's."""
    by = operator(request)
    try:
        made = create_experiment(named.name, by)
    except ExperimentRefusedError as error:
        raise CommandRefused((str(error),)) from None
    return Status(HTTPStatus.CREATED, _out(made))


@router.patch("/experiments/{name}", auth=TOKEN, response={200: ExperimentOut, **ORDERS}, summary="Rename it")
def rename(request: HttpRequest, named: ExperimentIn, name: str = Name) -> ExperimentOut:
    """The directory of its data stays as it is from the first run on."""
    by = operator(request)
    try:
        return _out(rename_experiment(_known(name), named.name, by))
    except ExperimentRefusedError as error:
        raise CommandRefused((str(error),)) from None


@router.post(
    "/experiments/{name}/activate", auth=TOKEN, response={200: ExperimentOut, **ORDERS}, summary="New runs belong to it"
)
def activate(request: HttpRequest, name: str = Name) -> ExperimentOut:
    """409 while a run is open, or while somebody else is in charge."""
    by = operator(request)
    try:
        return _out(activate_experiment(_known(name), by))
    except ExperimentRefusedError as error:
        raise CommandRefused((str(error),)) from None


def _known(name: str) -> str:
    """The name as it is now; 404 names the known ones."""
    found = find_experiment(name)
    if found is None:
        known = ", ".join(Experiment.objects.values_list("name", flat=True)) or "none"
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no experiment {name!r}; known: {known}.")
    return found.name


def _out(row: Experiment) -> ExperimentOut:
    counted: int | None = getattr(row, "count", None)
    return ExperimentOut(
        name=row.name,
        directory=row.data_directory,
        directory_is_fixed=bool(row.directory),
        active=row.is_active,
        runs=row.runs.count() if counted is None else counted,
        created_at=row.created_at,
    )
