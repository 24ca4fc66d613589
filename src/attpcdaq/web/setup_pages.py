"""The setup page: hardware as we believe it to be, and the configuration of each ECC server."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from attpcdaq.runcontrol.asking.configs import choices, choose
from attpcdaq.runcontrol.asking.preferences import preferences
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, blockers
from attpcdaq.runcontrol.publish import publish_fetch
from attpcdaq.topology import setup_store
from attpcdaq.topology.models import ConfigSet, DataRouter, ECCServer, Node
from attpcdaq.topology.setup_file import dump
from attpcdaq.web.forms_setup import SetupFileForm
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_expert, may_operate


@dataclass(frozen=True, slots=True)
class ServerRow:
    """An ECC server and the configurations it may use."""

    server: ECCServer
    choices: list[ConfigSet]
    listed: int


def _server_rows() -> list[ServerRow]:
    servers = ECCServer.objects.select_related("node", "config_set").prefetch_related("data_sources", "config_sets")
    return [
        ServerRow(server, list(choices(server)), sum(row.listed for row in server.config_sets.all()))
        for server in servers
    ]


def _context(request: HttpRequest) -> dict[str, Any]:
    return {
        "event_id": latest_event_id(),
        "rows": _server_rows(),
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
        "file_form": SetupFileForm(),
    }
    return render(request, "setup/page.html", context | hardware)


@require_POST
@operators_change
def choose_configs(request: HttpRequest) -> HttpResponse:
    """Save the choices that differ from what the page showed."""
    try:
        count = choose(dict(_wanted(request.POST)), requester_of(request))
    except (SetupBusyError, CommandRefused) as error:
        return refused(request, error.reasons)
    except ValueError as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"Saved: {count} configurations changed." if count else "Nothing to save.")
    return redirect("setup")


def _wanted(posted: QueryDict) -> Iterator[tuple[int, int | None]]:
    for name, value in posted.items():
        kind, _, server = name.partition("-")
        if kind == "config" and value != posted.get(f"was-{server}"):
            yield _number(server), _number(str(value)) if value else None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"{text[:40]!r} is not a number.")
    return int(text)


@require_POST
@operators_change
def fetch(request: HttpRequest) -> HttpResponse:
    """Ask every ECC server for its list; the page shows each list as it comes."""
    publish_fetch()
    messages.info(request, "Every ECC server was asked for its configurations: the table follows as they answer.")
    return redirect("setup")


@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """The setup as a file."""
    headers = {"Content-Disposition": 'attachment; filename="setup.toml"'}
    return HttpResponse(dump(setup_store.read()), content_type="application/toml; charset=utf-8", headers=headers)
