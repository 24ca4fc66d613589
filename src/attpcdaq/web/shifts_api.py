"""Shifts over the API: begin, checklist, hand-over, end."""

from http import HTTPStatus

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router
from ninja.errors import HttpError
from ninja.params.functions import Path, Query

from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.shifts import checks, desk
from attpcdaq.shifts.hand_over import hand_over
from attpcdaq.shifts.models import Shift
from attpcdaq.web import api_schemas as plain
from attpcdaq.web import api_shift_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_commands import NOT_FOUND, ORDERED, UNAUTHORIZED
from attpcdaq.web.shift_views import checklist_out, detail_out, shift_out

router = Router(tags=["shifts"])
LIMIT = Query(100, ge=1, le=1000)
OFFSET = Query(0, ge=0, le=10**9)
LISTED = {**UNAUTHORIZED, 422: plain.WrongInput}
GIVEN = {200: schemas.ShiftOut, **ORDERED}
NONE = "No shift is on: begin one."


@router.get("/shifts", response={200: list[schemas.ShiftOut], **LISTED}, summary="Shifts, newest first")
def shifts(request: HttpRequest, limit: int = LIMIT, offset: int = OFFSET) -> list[schemas.ShiftOut]:
    rows = Shift.objects.select_related("experiment")[offset : offset + limit]
    return [shift_out(row) for row in rows]


@router.get("/shifts/current", response={200: schemas.ShiftDetail, **NOT_FOUND}, summary="The shift that is on")
def current(request: HttpRequest) -> schemas.ShiftDetail:
    """404 when none is."""
    shift = desk.current()
    if shift is None:
        raise HttpError(HTTPStatus.NOT_FOUND, NONE)
    return detail_out(hand_over(shift, timezone.now()))


@router.get("/shifts/current/checks", response={200: schemas.ChecklistOut, **UNAUTHORIZED}, summary="The checklist")
def checklist(request: HttpRequest) -> schemas.ChecklistOut:
    """What the DAQ tells of itself at this moment; the ticks are those of the shift that is on."""
    return checklist_out(desk.current(), checks.items_now())


@router.get("/shifts/{shift_id}", response={200: schemas.ShiftDetail, **NOT_FOUND}, summary="A shift and its hand-over")
def shift(request: HttpRequest, shift_id: int = Path(..., ge=1, le=2**31 - 1)) -> schemas.ShiftDetail:
    found = Shift.objects.select_related("experiment").filter(pk=shift_id).first()
    if found is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no shift {shift_id}.")
    return detail_out(hand_over(found, timezone.now()))


@router.post("/shifts", auth=TOKEN, response={200: schemas.ShiftOut, **ORDERED}, summary="Begin a shift")
def begin(request: HttpRequest, new_shift: schemas.ShiftIn) -> schemas.ShiftOut:
    """409 when one is on, unless it is the one that this takes over from."""
    by = operator(request)
    return shift_out(desk.begin(new_shift.crew, by, timezone.now(), instead_of=new_shift.instead_of))


@router.post("/shifts/current/end", auth=TOKEN, response={200: schemas.ShiftOut, **ORDERED}, summary="End the shift")
def end(request: HttpRequest, ending: schemas.ShiftEndIn) -> schemas.ShiftOut:
    by = operator(request)
    return shift_out(desk.end(_current(), by, timezone.now(), hand_over=ending.hand_over))


@router.post(
    "/shifts/current/checks", auth=TOKEN, response={200: schemas.ChecklistOut, **ORDERED}, summary="Tick items"
)
def tick(request: HttpRequest, ticked: schemas.ChecksIn) -> schemas.ChecklistOut:
    """Keeps the ticks, and how the items of the DAQ are at this moment."""
    by, items = operator(request), checks.items_now()
    return checklist_out(checks.tick(_current(), ticked.ticks, by, timezone.now(), items), items)


@router.post("/shifts/current/hand-over", auth=TOKEN, response=GIVEN, summary="Write for the next crew")
def write(request: HttpRequest, words: schemas.HandOverIn) -> schemas.ShiftOut:
    by, pk = operator(request), _current()
    desk.write_hand_over(pk, words.hand_over, by, timezone.now(), was=words.was)
    return shift_out(Shift.objects.select_related("experiment").get(pk=pk))


def _current() -> int:
    shift = desk.current()
    if shift is None:
        raise CommandRefused((NONE,))
    return shift.pk
