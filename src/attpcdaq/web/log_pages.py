"""The ends of the logs of ECC servers and data routers, as they grow."""

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from attpcdaq.live.log_cursor import BadCursor
from attpcdaq.live.log_reading import LogView, NoSuchLogError, look, tail_of
from attpcdaq.live.models import LogKind
from attpcdaq.topology.models import DataRouter, ECCServer
from attpcdaq.web.latest import latest_event_id


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Every log there is, by node."""
    parts = _parts()
    return render(request, "logs/index.html", {"parts": parts, "known": [part for part in parts if part[2]]})


def _parts() -> list[tuple[str, str, str, str, str]]:
    """(kind, name, path, node, access) of each ECC server and data router, in the order of the setup."""
    found = []
    for kind, model in ((LogKind.ECC, ECCServer), (LogKind.ROUTER, DataRouter)):
        rows = model.objects.order_by("node_id", "pk").values_list("name", "log_file", "node__name", "node__access")
        found += [(kind.value, *row) for row in rows]
    return found


@require_GET
@never_cache
def tail(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """What was read of it last; looking lets the monitor read it each second."""
    return render(request, "logs/page.html", _context(_look(kind, name, "")))


@require_GET
@never_cache
def news(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """What is new since the cursor ?seen=, for the page that follows."""
    try:
        view = _look(kind, name, request.GET.get("seen", ""))
    except BadCursor as error:
        return HttpResponse(f"seen: {error}\n", status=HTTPStatus.BAD_REQUEST, content_type="text/plain")
    return render(request, "logs/news.html", {"log": view, "now": timezone.now()})


@require_GET
@never_cache
def download(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """The bytes as they are."""
    log = _look(kind, name, "")
    at = timezone.localtime(log.read_at or timezone.now())
    file_name = f"{log.name}-{log.kind.value}-{at:%Y-%m-%dT%H%M%S}.log"
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return HttpResponse(tail_of(kind, name), content_type="application/octet-stream", headers=headers)


def _look(kind: str, name: str, seen: str) -> LogView:
    try:
        return look(kind, name, seen, timezone.now())
    except NoSuchLogError as error:
        raise Http404(str(error)) from None


def _context(log: LogView) -> dict[str, Any]:
    return {
        "log": log,
        "now": timezone.now(),
        "event_id": latest_event_id(),
        "others": [part for part in _parts() if part[2] and part[:2] != (log.kind.value, log.name)],
    }
