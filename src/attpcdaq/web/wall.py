"""The wall: the same status in words that are read from across the room."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.system_health import HEALTH, notices
from attpcdaq.runcontrol.seeing.views import DiskView, Snapshot
from attpcdaq.web.attention import attention
from attpcdaq.web.figures import flow
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.reasons import ranges
from attpcdaq.web.theme import AUTO, theme_of

STAYS = timedelta(days=30)
SHOWN = 3


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The whole wall; POST keeps this browser logged in, for nobody stands there to log in again."""
    if request.method == "POST":
        request.session.set_expiry(timezone.now() + STAYS)
        return redirect("wall")
    context = wall_context() | {"theme": "dark" if theme_of(request) == AUTO else theme_of(request)}
    return render(request, "wall/page.html", context | {"stays_until": stays_until(request)})


@require_GET
@never_cache
def panel(request: HttpRequest) -> HttpResponse:
    """What changes on it."""
    return render(request, "wall/panel.html", wall_context())


def stays_until(request: HttpRequest) -> datetime | None:
    """Until when it stays logged in, where somebody asked for that; None otherwise."""
    until = request.session.get_expiry_date() if "_session_expiry" in request.session else None
    return until if isinstance(until, datetime) else None


def wall_context() -> dict[str, Any]:
    """Read the last event's id first: what came later is told by the stream."""
    latest, status = latest_event_id(), snapshot()
    wrong = what_is_wrong(status)
    return {
        "event_id": latest,
        "status": status,
        "flow": flow(status.routers),
        "disk": least_disk(status),
        "wrong": wrong[:SHOWN],
        "more": max(len(wrong) - SHOWN, 0),
    }


def what_is_wrong(status: Snapshot) -> list[tuple[str, str]]:
    """(level, words) of every trouble, the worst first; where none of them says it, what the overall state says."""
    found = [(view.level, view.title) for view, _ in notices(HEALTH.seen())]
    for trouble in attention(status).troubles:
        names = f"{ranges(trouble.names)}: " if trouble.parts else ""
        found.append((trouble.view.level, f"{names}{trouble.view.title}"))
    if status.overall.level == "bad" and not any(level == "bad" for level, _ in found):
        found += [("bad", reason) for reason in status.overall.reasons]
    out = [server.name for server in status.ecc_servers if server.excluded]
    found += [("warn", f"Excluded: {ranges(out)}")] if out else []
    return sorted(found, key=lambda one: one[0] != "bad")


def least_disk(status: Snapshot) -> DiskView | None:
    """The disk with the least room left."""
    disks = [router.disk for router in status.routers if router.disk is not None and not router.excluded]
    return min(disks, key=lambda disk: disk.free, default=None)
