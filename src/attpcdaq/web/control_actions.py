"""Buttons of the bar: be in charge, ask for it, hand it over, take it with a reason."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from attpcdaq.audit.people import Requester
from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.web.audited import because
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import why_not

ALONE = {"take": control.take, "ask": control.ask, "release": control.release, "decline": control.decline}
ACTIONS = (*ALONE, "hand_over", "force")


def carry_out(action: str, by: Requester, *, to: str = "", reason: str = "", holder: str = "") -> None:
    """One of ACTIONS by `by`: `to` for hand_over, `reason` and the `holder` whom the page showed for force."""
    now = timezone.now()
    if action == "hand_over":
        control.hand_over(by, to, now)
    elif action == "force":
        control.force(by, reason, now, from_holder=holder)
    elif action in ALONE:
        ALONE[action](by, now)
    else:
        raise BadCommand("action", f"{action[:40]!r} is not one of {', '.join(ACTIONS)}.")


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Carry out `action`, or say why not."""
    if reason := why_not(request.user, "shifter"):
        return _answer(request, 403, [reason])
    fields: Mapping[str, str] = {name: request.POST.get(name, "").strip() for name in ("to", "reason", "holder")}
    try:
        carry_out(request.POST.get("action", ""), requester_of(request), **fields)
    except BadCommand as error:
        return _answer(request, 400, [str(error)])
    except CommandRefused as refusal:
        return _answer(request, 409, list(refusal.reasons))
    return _answer(request, 200, [])


def _answer(request: HttpRequest, status: int, reasons: list[str]) -> HttpResponse:
    """The bar shows what has changed; only a refusal needs words."""
    because(request, reasons)
    if request.headers.get("HX-Request"):
        return render(request, "status/control_message.html", {"reasons": reasons}, status=status)
    for reason in reasons:
        messages.error(request, reason)
    return redirect("status")


@require_GET
@never_cache
def bar(request: HttpRequest) -> HttpResponse:
    """The bar alone."""
    return render(request, "status/control.html")
