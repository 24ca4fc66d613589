"""Buttons: one POST is one command, or a refusal that says why."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from attpcdaq.runcontrol.commands import request as request_command
from attpcdaq.runcontrol.commands import request_set_aside
from attpcdaq.runcontrol.models import Action
from attpcdaq.runcontrol.refusals import BadCommand, CommandRefused
from attpcdaq.web.reasons import grouped
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import OBSERVER_REASON, may_operate


@require_POST
def act(request: HttpRequest, action: str) -> HttpResponse:
    """Ask for an operation of the whole system, or of the ECC servers named in `servers`."""
    if not may_operate(request.user):
        return _answer(request, 403, "You may not operate the detector", [OBSERVER_REASON])
    label = Action(action).label if action in Action.values else action
    title, run_class = (request.POST.get(name, "").strip() for name in ("title", "run_class"))
    targets = request.POST.getlist("servers") or None
    confirm = request.POST.get("confirm") == "true"
    try:
        request_command(action, targets, requester_of(request), title=title, run_class=run_class, confirm=confirm)
    except BadCommand as error:
        return _answer(request, 400, f"{label} was not requested", [str(error)])
    except CommandRefused as refusal:
        return _answer(request, 409, f"{label} was refused", refusal.reasons)
    return _answer(request, 202, f"{label} was requested")


@require_POST
def set_aside(request: HttpRequest) -> HttpResponse:
    """Ask for the files that lie in staging directories without a run to be put aside."""
    if not may_operate(request.user):
        return _answer(request, 403, "You may not operate the detector", [OBSERVER_REASON])
    try:
        request_set_aside(requester_of(request))
    except CommandRefused as refusal:
        return _answer(request, 409, "Setting files aside was refused", refusal.reasons)
    return _answer(request, 202, "Setting stray files aside was requested")


def _answer(request: HttpRequest, status: int, title: str, reasons: Sequence[str] = ()) -> HttpResponse:
    """A message for the message area; without scripts, the status page with the message on it."""
    if request.headers.get("HX-Request"):
        context = {"title": title, "reasons": grouped(reasons), "accepted": status == 202}
        return render(request, "partials/action_message.html", context, status=status)
    level = messages.SUCCESS if status == 202 else messages.ERROR
    messages.add_message(request, level, " ".join([f"{title}.", *grouped(reasons)]))
    return redirect("status")
