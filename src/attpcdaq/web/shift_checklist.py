"""The checklist of the shift that is on."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.shifts import checks, desk
from attpcdaq.shifts.checklist import BY_HAND
from attpcdaq.shifts.texts import number
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_operate


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def checklist(request: HttpRequest) -> HttpResponse:
    """What the DAQ tells of itself, and what people tick; POST keeps both with the shift."""
    if request.method != "POST":
        return _page(request)
    try:
        ticks = _ticks(request)
        shift_id = number("shift", request.POST.get("shift", ""))
        checks.tick(shift_id, ticks, requester_of(request), timezone.now(), checks.items_now())
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    except BadCommand as error:
        return refused(request, [str(error)], 400)
    messages.success(request, "The checklist was saved.")
    return redirect("shift-checklist")


def _ticks(request: HttpRequest) -> dict[str, bool]:
    """What this page changed: items that somebody else ticked since it was loaded stay ticked."""
    unknown = [name for name in request.POST if name.startswith("tick-") and name[5:] not in checks.HAND_KEYS]
    if unknown:
        raise BadCommand(unknown[0][:40], f"use one of {', '.join(sorted(checks.HAND_KEYS))}.")
    sent = {
        each.key: (f"tick-{each.key}" in request.POST, request.POST.get(f"was-{each.key}") == "1") for each in BY_HAND
    }
    return {key: now for key, (now, was) in sent.items() if now != was}


def _page(request: HttpRequest) -> HttpResponse:
    shift = desk.current()
    kept: dict[str, Any] = shift.checks if shift else {}
    by_hand = [(each, kept.get(each.key, {})) for each in BY_HAND]
    items = checks.items_now()
    context = {
        "on": shift,
        "desk": shift,
        "items": items,
        "in_order": sum(item.level == "ok" for item in items),
        "by_hand": by_hand,
        "ticked": sum(bool(done.get("ok")) for _, done in by_hand),
        "now": timezone.now(),
        "may_operate": may_operate(request.user),
    }
    return render(request, "shifts/checklist.html", context)
