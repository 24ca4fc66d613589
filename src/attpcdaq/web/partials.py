"""Parts of the status page, fetched again whenever what they show has changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.seeing.sharing import Key
from attpcdaq.runcontrol.seeing.snapshot import snapshot
from attpcdaq.runcontrol.seeing.system_health import HEALTH, notices
from attpcdaq.runlog.models import RunClass
from attpcdaq.web.attention import attention
from attpcdaq.web.event_counts import unacknowledged
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.rates_drawn import recent_html
from attpcdaq.web.roles import as_seen_by, may_expert, may_operate
from attpcdaq.web.shared_panels import SHARED, Viewer


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page and the topics of the events that change it."""

    name: str
    topics: str
    css: str = ""

    @property
    def template(self) -> str:
        return f"status/{self.name}.html"


PANELS = {
    panel.name: panel
    for panel in (
        Panel("overall", "ecc router command run setup control", "overall"),
        Panel("run", "ecc router command run setup control manifest", "run"),
        Panel("attention", "ecc router command run setup control", "attention"),
        Panel("operations", "ecc command run setup control"),
        Panel("command", "command"),
        Panel("servers", "ecc command run setup", "flush"),
        Panel("routers", "router run setup", "flush"),
        Panel("rates", "router run setup"),
        Panel("events", "said acknowledged"),
    )
}


def status_context(request: HttpRequest, events: Key) -> dict[str, Any]:
    """What every panel shows, and the last event that is surely in it: `events` were read first."""
    status = as_seen_by(request.user, snapshot(events=events))
    return {
        "status": status,
        "attention": attention(status),
        "system": notices(HEALTH.seen()),
        "event_id": max(events, default=0),
        "unacknowledged": unacknowledged(),
        "may_operate": may_operate(request.user),
        "looks_on": not may_operate(request.user) or not _in_charge(request, status.control.holder),
        "may_expert": may_expert(request.user),
        "run_classes": RunClass.choices,
        "rates_html": recent_html,
    }


@require_GET
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """The panels named by ?panels=a,b; 400 names what is allowed."""
    names = [name for name in request.GET.get("panels", "").split(",") if name]
    unknown = [name for name in names if name not in PANELS]
    if unknown or not names:
        allowed = ", ".join(PANELS)
        return HttpResponse(f"panels must be some of: {allowed}\n", status=400, content_type="text/plain")
    panels, _ = drawn(request, names)
    return HttpResponse("".join(panels[name] for name in names))


def drawn(request: HttpRequest, names: Iterable[str]) -> tuple[dict[str, SafeString], dict[str, Any]]:
    """These panels as HTML by name, for whoever asks, and what they were drawn with."""
    wanted = [PANELS[name] for name in names]
    return SHARED.html(
        lambda: _viewer(request), wanted, lambda events: status_context(request, events), get_token(request)
    )


def _viewer(request: HttpRequest) -> Viewer:
    """Who sees the same: by what he may do, and whether he is in charge."""
    user = request.user
    return may_operate(user), may_expert(user), _in_charge(request, control.view().holder)


def _in_charge(request: HttpRequest, holder: str) -> bool:
    """Or nobody is."""
    return holder in ("", request.user.get_username())


@require_GET
@never_cache
def server_menu(request: HttpRequest, server_id: int) -> HttpResponse:
    """Everything that can be done to one ECC server alone."""
    servers = as_seen_by(request.user, snapshot()).ecc_servers
    ecc = next((server for server in servers if server.id == server_id), None)
    if ecc is None:
        raise Http404("There is no such ECC server any more.")
    return _menu(request, "status/menu.html", {"ecc": ecc, "part": ecc})


@require_GET
@never_cache
def router_menu(request: HttpRequest, router_id: int) -> HttpResponse:
    """What can be done to one data router."""
    routers = as_seen_by(request.user, snapshot()).routers
    router = next((one for one in routers if one.id == router_id), None)
    if router is None:
        raise Http404("There is no such data router any more.")
    return _menu(request, "status/router_menu.html", {"router": router, "part": router})


def _menu(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """For the page's pop-up and its refreshes the menu itself; without scripts a page of its own."""
    context |= {"may_operate": may_operate(request.user), "event_id": latest_event_id()}
    if request.headers.get("HX-Request") or "panels" in request.GET:
        return render(request, template, context)
    return render(request, "status/menu_page.html", context | {"template": template})
