"""Buttons: one POST is one order, or a refusal that says why."""

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from attpcdaq.audit.people import Requester
from attpcdaq.runcontrol.asking import adopt as adopting
from attpcdaq.runcontrol.asking import exclude as excluding
from attpcdaq.runcontrol.asking import preferences, restarts
from attpcdaq.runcontrol.asking.commands import request as request_command
from attpcdaq.runcontrol.asking.commands import request_set_aside
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import Action
from attpcdaq.web.audited import because
from attpcdaq.web.reasons import grouped
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import why_not

Order = Callable[[Requester], object]


@require_POST
def act(request: HttpRequest, action: str) -> HttpResponse:
    """Ask for an operation of the whole system, or of the ECC servers named in `servers`."""
    label = Action(action).label if action in Action.values else action
    title, run_class, seen = _words(request, "title", "run_class", "plan")
    targets = request.POST.getlist("servers") or None
    confirm = request.POST.get("confirm") == "true"
    return _carry_out(
        request,
        label,
        lambda by: request_command(
            action, targets, by, title=title, run_class=run_class, confirm=confirm, seen_plan=seen
        ),
    )


@require_POST
def set_aside(request: HttpRequest) -> HttpResponse:
    """Ask for the files that lie in staging directories without a run to be put aside."""
    return _carry_out(request, "Setting stray files aside", request_set_aside)


@require_POST
def adopt(request: HttpRequest) -> HttpResponse:
    """Make a run of boards that are Running although no run is open."""
    title, run_class = _words(request, "title", "run_class")
    return _carry_out(
        request,
        "Adopting",
        lambda by: adopting.adopt(by, timezone.now(), title=title, run_class=run_class),
        "The boards are adopted as a run",
    )


@require_POST
def exclude(request: HttpRequest) -> HttpResponse:
    """Go on without an ECC server and its boards, for the reason given."""
    name, reason = _words(request, "server", "reason")
    return _carry_out(
        request,
        f"Excluding {name}",
        lambda by: excluding.exclude(name, reason, by, timezone.now()),
        f"{name} is excluded",
    )


@require_POST
def include(request: HttpRequest) -> HttpResponse:
    """Take an excluded ECC server back in."""
    (name,) = _words(request, "server")
    return _carry_out(
        request,
        f"Including {name}",
        lambda by: excluding.include(name, by, timezone.now()),
        f"{name} is included again",
    )


@require_POST
def restart(request: HttpRequest) -> HttpResponse:
    """Ask for an ECC server or a data router to be restarted; for experts."""
    kind, name = _words(request, "kind", "name")
    confirm = request.POST.get("confirm") == "true"
    return _carry_out(
        request,
        f"The restart of {name}",
        lambda by: restarts.request_restart(kind, name, by, confirm=confirm),
        role="expert",
    )


@require_POST
def prefer(request: HttpRequest) -> HttpResponse:
    """Say how runs are started; for experts. Without min_free_gb that stays as it is."""
    on = request.POST.get("reconfigure_mutant") == "true"
    limit = request.POST.get("min_free_gb")

    def order(by: Requester) -> object:
        gigabytes = None if limit is None else preferences.min_free_of(limit)
        return preferences.set_preferences(by, timezone.now(), reconfigure_mutant=on, min_free_gb=gigabytes)

    done = f"The MuTAnT is {'' if on else 'not '}configured anew before each run"
    done += "" if limit is None else f"; {limit} GB must be free on every disk to start one"
    return _carry_out(request, "Changing how runs are started", order, done, role="expert")


def _words(request: HttpRequest, *names: str) -> list[str]:
    return [request.POST.get(name, "").strip() for name in names]


def _carry_out(request: HttpRequest, what: str, order: Order, done: str = "", *, role: str = "shifter") -> HttpResponse:
    """Give the order in the name of who asks, or say every reason against it."""
    if reason := why_not(request.user, role):
        return _answer(request, 403, f"{what} was refused", [reason])
    try:
        order(requester_of(request))
    except BadCommand as error:
        return _answer(request, 400, f"{what} was not requested", [str(error)])
    except CommandRefused as refusal:
        return _answer(request, 409, f"{what} was refused", refusal.reasons)
    return _answer(request, 202, done or f"{what} was requested")


def _answer(request: HttpRequest, status: int, title: str, reasons: Sequence[str] = ()) -> HttpResponse:
    """A message for the message area; without scripts, the page it came from with the message on it."""
    because(request, reasons)
    if request.headers.get("HX-Request"):
        context = {"title": title, "reasons": grouped(reasons), "accepted": status == 202}
        return render(request, "partials/action_message.html", context, status=status)
    level = messages.SUCCESS if status == 202 else messages.ERROR
    messages.add_message(request, level, " ".join([f"{title}.", *grouped(reasons)]))
    return redirect("setup" if request.POST.get("page") == "setup" else "status")
