"""The setup page: hardware as we believe it to be, and the configuration of each ECC server."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from attpcdaq.runcontrol.asking.preferences import preferences
from attpcdaq.runcontrol.asking.setup_changes import blockers
from attpcdaq.runcontrol.seeing.config_choices import in_common, server_choices
from attpcdaq.topology import setup_store
from attpcdaq.topology.models import DataRouter, DataSource, Node
from attpcdaq.topology.setup_file import dump
from attpcdaq.web import setup_draft
from attpcdaq.web.forms_setup import SetupFileForm
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.roles import may_expert, may_operate


def _context(request: HttpRequest) -> dict[str, Any]:
    servers = server_choices()
    return {
        "event_id": latest_event_id(),
        "servers": servers,
        "common": in_common(servers),
        "blockers": blockers(),
        "may_operate": may_operate(request.user),
        "may_expert": may_expert(request.user),
        "preferences": preferences(),
    }


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The whole page, or with ?panels= only the part that changes by itself."""
    context = _context(request)
    if "panels" in request.GET:
        return render(request, "setup/configs.html", context)
    hardware = {
        "nodes": Node.objects.prefetch_related("ecc_servers", "data_routers"),
        "routers": DataRouter.objects.select_related("node", "data_source"),
        "boards": DataSource.objects.select_related("ecc_server", "data_router"),
        "draft": setup_draft.current(request),
        "file_form": SetupFileForm(),
    }
    return render(request, "setup/page.html", context | hardware)


@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """The setup as a file."""
    headers = {"Content-Disposition": 'attachment; filename="setup.toml"'}
    return HttpResponse(dump(setup_store.read()), content_type="application/toml; charset=utf-8", headers=headers)
