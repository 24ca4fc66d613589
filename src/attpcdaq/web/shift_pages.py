"""Shifts: the one that is on, those that were, and the hand-over page of each."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from attpcdaq.shifts import desk
from attpcdaq.shifts import hand_over as handing_over
from attpcdaq.shifts.models import Shift
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.roles import may_operate
from attpcdaq.web.shift_gaps import gap_lines
from attpcdaq.web.shift_strip import strip

PAGE = 30


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The shift that is on, or the way to begin one; those that were, newest first."""
    return overview_page(request)


def overview_page(request: HttpRequest, *, crew: str | None = None, error: str = "", status: int = 200) -> HttpResponse:
    """With what somebody wrote and why it was not taken, where that is so."""
    rows = Shift.objects.select_related("experiment").filter(ended_at__isnull=False)
    context = {
        "on": desk.current(),
        "crew": request.user.get_username() if crew is None else crew,
        "error": error,
        "crews": desk.recent_crews(),
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "may_operate": may_operate(request.user),
    }
    return render(request, "shifts/page.html", context, status=status)


@require_GET
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """What happened in a shift, and what the next crew has to know; with ?panels= only what grows by itself."""
    return hand_over_page(request, pk)


def hand_over_page(
    request: HttpRequest, pk: int, *, text: str | None = None, refusal: str = "", status: int = 200
) -> HttpResponse:
    """With what somebody wrote and why it was not saved, where that is so."""
    shift = Shift.objects.select_related("experiment").filter(pk=pk).first()
    if shift is None:
        raise Http404(f"There is no shift {pk}.")
    context = _facts(request, shift)
    if "panels" in request.GET:
        return render(request, "shifts/facts.html", context)
    context |= {"text": shift.hand_over if text is None else text, "refusal": refusal, **_neighbours(shift)}
    return render(request, "shifts/hand_over.html", context, status=status)


def _facts(request: HttpRequest, shift: Shift) -> dict[str, Any]:
    latest, now = latest_event_id(), timezone.now()
    made = handing_over.hand_over(shift, now)
    return {
        "event_id": latest,
        "shift": shift,
        "now": now,
        "made": made,
        "sums": made.reckoned.sums,
        "strip": strip(made.reckoned.within, made.reckoned.segments),
        "gaps": gap_lines(made.reckoned),
        "may_operate": may_operate(request.user),
    }


def _neighbours(shift: Shift) -> dict[str, Shift | None]:
    return {
        "before": Shift.objects.filter(began_at__lt=shift.began_at).order_by("-began_at", "-id").first(),
        "after": Shift.objects.filter(began_at__gt=shift.began_at).order_by("began_at", "id").first(),
    }
