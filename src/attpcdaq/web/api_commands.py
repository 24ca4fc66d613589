"""The HTTP API's orders: commands, adopting, exclusions, restarts, preferences."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from ninja.errors import HttpError
from ninja.params.functions import Path

from attpcdaq.runcontrol.asking import adopt, exclude, preferences, restarts
from attpcdaq.runcontrol.asking.commands import request as request_command
from attpcdaq.runcontrol.asking.commands import request_set_aside
from attpcdaq.runcontrol.models import Command, Restart
from attpcdaq.runcontrol.seeing.snapshot import command_view
from attpcdaq.runcontrol.seeing.views import CommandView
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, expert, operator
from attpcdaq.web.api_runs import run_out
from attpcdaq.web.api_status_schemas import CommandOut, RestartOut

router = Router()
UNAUTHORIZED = {401: schemas.Problem}
NOT_FOUND = {**UNAUTHORIZED, 404: schemas.Problem, 422: schemas.WrongInput}
ORDERED = {
    **UNAUTHORIZED,
    400: schemas.Problem,
    403: schemas.Problem,
    409: schemas.Refused,
    422: schemas.WrongInput,
}
Answer = Status[schemas.CommandAccepted]


@router.post(
    "/commands", auth=TOKEN, response={202: schemas.CommandAccepted, **ORDERED}, summary="Ask for an operation"
)
def command(request: HttpRequest, wish: schemas.CommandIn) -> Answer:
    """202: the command is recorded and will be carried out; follow it under its id. 409: it may not be given now."""
    made = request_command(
        wish.action,
        wish.ecc_servers,
        operator(request),
        title=wish.title,
        run_class=wish.run_class,
        confirm=wish.confirm,
        seen_plan=wish.plan,
    )
    return Status(HTTPStatus.ACCEPTED, schemas.CommandAccepted(id=str(made.pk), state=made.state))


@router.get("/commands/{command_id}", response={200: CommandOut, **NOT_FOUND}, summary="A command and its steps")
def command_by_id(request: HttpRequest, command_id: UUID) -> CommandView:
    found = Command.objects.select_related("run").prefetch_related("steps").filter(pk=command_id).first()
    if found is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no command {command_id}.")
    return command_view(found)


@router.post(
    "/set-aside", auth=TOKEN, response={202: None, **ORDERED}, summary="Put files aside that lie around without a run"
)
def set_aside(request: HttpRequest) -> Status[None]:
    """202: it is asked for. 409: a run is open, whose files they may be."""
    request_set_aside(operator(request))
    return Status(HTTPStatus.ACCEPTED, None)


@router.post(
    "/adopt", auth=TOKEN, response={201: schemas.RunOut, **ORDERED}, summary="Make a run of boards found Running"
)
def adopt_loose(request: HttpRequest, adoption: schemas.AdoptIn) -> Status[schemas.RunOut]:
    """201: the run is open and running. 409: a run is open, or no board is Running."""
    run = adopt.adopt(operator(request), timezone.now(), title=adoption.title, run_class=adoption.run_class)
    return Status(HTTPStatus.CREATED, run_out(run))


@router.post(
    "/exclusions", auth=TOKEN, response={201: schemas.ExclusionOut, **ORDERED}, summary="Go on without an ECC server"
)
def exclude_server(request: HttpRequest, exclusion: schemas.ExclusionIn) -> Status[schemas.ExclusionOut]:
    """201: plans, starts and close-outs leave the server and its data routers out until it is included again."""
    made = exclude.exclude(exclusion.ecc_server, exclusion.reason, operator(request), timezone.now())
    return Status(HTTPStatus.CREATED, schemas.ExclusionOut(reason=made.reason, by=made.by, at=made.at))


@router.delete(
    "/exclusions/{ecc_server}", auth=TOKEN, response={204: None, **ORDERED}, summary="Include an ECC server again"
)
def include_server(request: HttpRequest, ecc_server: str = Path(..., max_length=63)) -> Status[None]:
    """204: it takes part again. 409: it was not excluded. 422: there is no such server."""
    exclude.include(ecc_server, operator(request), timezone.now())
    return Status(HTTPStatus.NO_CONTENT, None)


@router.post(
    "/restarts",
    auth=TOKEN,
    response={202: schemas.CommandAccepted, **ORDERED},
    summary="Restart an ECC server or data router",
)
def restart(request: HttpRequest, wanted: schemas.RestartIn) -> Answer:
    """For experts. 202: the restart is recorded; follow it under its id."""
    made = restarts.request_restart(wanted.kind, wanted.name, expert(request), confirm=wanted.confirm)
    return Status(HTTPStatus.ACCEPTED, schemas.CommandAccepted(id=str(made.pk), state=made.state))


@router.get("/restarts/{restart_id}", response={200: RestartOut, **NOT_FOUND}, summary="What came of a restart")
def restart_by_id(request: HttpRequest, restart_id: UUID) -> RestartOut:
    found = Restart.objects.filter(pk=restart_id).first()
    if found is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no restart {restart_id}.")
    return RestartOut(
        id=str(found.pk),
        kind="router" if found.data_router_id else "ecc",
        name=found.subject,
        state=found.state,
        message=found.message,
        requested_by=found.requested_by,
        requested_at=found.requested_at,
        finished_at=found.finished_at,
    )


@router.post(
    "/preferences", auth=TOKEN, response={200: schemas.PreferencesOut, **ORDERED}, summary="Say how runs are started"
)
def prefer(request: HttpRequest, preferred: schemas.PreferencesIn) -> schemas.PreferencesOut:
    """For experts; it holds from the next Start on."""
    preferences.set_preferences(expert(request), timezone.now(), **preferred.dict())
    now = preferences.preferences()
    return schemas.PreferencesOut(reconfigure_mutant=now.reconfigure_mutant, min_free_gb=now.min_free_gb)
