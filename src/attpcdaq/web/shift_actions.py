"""Buttons of the shift's pages: begin, take over, write and end, name a cause."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runlog.listing import find_experiment
from attpcdaq.shifts import desk, gaps
from attpcdaq.shifts.texts import number
from attpcdaq.web.audited import because
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.shift_pages import hand_over_page, overview_page

BEAM_TIME_FIELDS = ("experiment", "since", "until", "page")


@require_POST
@operators_change
def begin(request: HttpRequest) -> HttpResponse:
    """Begin a shift; with `instead_of` (a shift's id) take over from that one in the same moment."""
    instead = request.POST.get("instead_of", "")
    crew = request.POST.get("crew", "")
    try:
        on = number("instead_of", instead) if instead else None
        desk.begin(crew, requester_of(request), timezone.now(), instead_of=on)
    except BadCommand as error:
        because(request, [str(error)])
        return overview_page(request, crew=crew, error=str(error), status=400)
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    messages.success(request, "The shift has begun. Go through the checklist now.")
    return redirect("shift-checklist")


@require_POST
@operators_change
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Save what the next crew has to know; with `end` also end the shift."""
    text, was = request.POST.get("hand_over"), request.POST.get("was")
    if text is None:
        return refused(request, ["hand_over: send the text, which may be empty."], 400)
    by, now = requester_of(request), timezone.now()
    try:
        if "end" in request.POST:
            desk.end(pk, by, now, hand_over=text, was=was)
        else:
            desk.write_hand_over(pk, text, by, now, was=was)
    except (BadCommand, CommandRefused) as error:
        because(request, [str(error)])
        status = 400 if isinstance(error, BadCommand) else 409
        return hand_over_page(request, pk, text=text, refusal=str(error), status=status)
    messages.success(request, "The shift has ended." if "end" in request.POST else "Saved.")
    return redirect("shift", pk)


@require_POST
@operators_change
def name_gap(request: HttpRequest) -> HttpResponse:
    """Say why there was no run; back to the page that it was said on."""
    experiment = find_experiment(request.POST.get("experiment", ""))
    if experiment is None:
        return refused(request, ["experiment: there is none of that name."], 400)
    sent = request.POST
    after = sent.get("after", "")
    try:
        run = number("after", after) if after else None
        said = (run, sent.get("cause", ""), sent.get("comment", ""))
        gaps.name_cause(experiment, *said, requester_of(request), timezone.now(), was=sent.get("was"))
    except BadCommand as error:
        return refused(request, [str(error)], 400)
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    messages.success(request, "The cause was saved." if sent.get("cause") else "No cause is named for it.")
    return redirect(_back(sent.get("back", "")))


def _back(place: str) -> str:
    """Only to pages of ours: a shift by its number, else the beam time with the days of a query."""
    if place.isascii() and place.isdigit() and len(place) < 19:
        return f"{reverse('shift', args=[int(place)])}#gaps"
    asked = {name: value for name, value in QueryDict(place).items() if name in BEAM_TIME_FIELDS and value}
    return f"{reverse('shift-beam-time')}{'?' * bool(asked)}{urlencode(asked)}#gaps"
