"""Who is in charge, over the API."""

from django.http import HttpRequest
from ninja import Router

from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.seeing.views import ControlView
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_commands import ORDERED, UNAUTHORIZED
from attpcdaq.web.api_status_schemas import ControlOut
from attpcdaq.web.control_actions import carry_out

router = Router()


@router.get("/control", response={200: ControlOut, **UNAUTHORIZED}, summary="Who is in charge")
def who_is_in_charge(request: HttpRequest) -> ControlView:
    return control.view()


@router.post(
    "/control",
    auth=TOKEN,
    response={200: ControlOut, **ORDERED},
    summary="Be in charge, ask for it, hand it over",
)
def change_control(request: HttpRequest, change: schemas.ControlIn) -> ControlView:
    """Who gives a command while nobody is in charge is in charge; 409 names who is. A Stop is never refused for it."""
    carry_out(change.action, operator(request), to=change.to, reason=change.reason, holder=change.holder)
    return control.view()
