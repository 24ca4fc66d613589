"""Choosing configurations: each server's, one for all, and one server's among all that fit."""

from collections.abc import Iterator

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from attpcdaq.runcontrol.asking import configs
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, blockers
from attpcdaq.runcontrol.publish import publish_fetch
from attpcdaq.runcontrol.seeing.config_choices import RUNS_LOOKED_AT, server_choices
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_operate


@require_POST
@operators_change
def choose_each(request: HttpRequest) -> HttpResponse:
    """Save the choices that differ from what the page showed."""
    try:
        count = configs.choose(dict(_wanted(request.POST)), requester_of(request))
    except (SetupBusyError, CommandRefused) as error:
        return refused(request, error.reasons)
    except ValueError as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"Saved: {count} configurations changed." if count else "Nothing to save.")
    return redirect("setup")


@require_POST
@operators_change
def choose_for_all(request: HttpRequest) -> HttpResponse:
    """The same names for Prepare and Configure wherever they fit."""
    prepare, _, configure = request.POST.get("pair", "").partition("/")
    try:
        count, without = configs.choose_everywhere(prepare, configure, requester_of(request))
    except (SetupBusyError, CommandRefused) as error:
        return refused(request, error.reasons)
    except ValueError as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"{prepare} / {configure}: {count} ECC servers changed.")
    if without:
        messages.warning(request, f"It does not fit {', '.join(without)}: nothing was changed there.")
    return redirect("setup")


@require_GET
def of_server(request: HttpRequest, name: str) -> HttpResponse:
    """Everything that fits one server, with who else uses it and in which runs it was used."""
    found = server_choices([name], with_runs=True)
    if not found:
        raise Http404(f"There is no ECC server {name[:80]!r} in the setup.")
    context = {
        "one": found[0], "blockers": blockers(), "may_operate": may_operate(request.user),
        "runs_looked_at": RUNS_LOOKED_AT, "event_id": latest_event_id(),
    }  # fmt: skip
    return render(request, "setup/choose.html", context)


@require_POST
@operators_change
def fetch(request: HttpRequest) -> HttpResponse:
    """Ask every ECC server for its list; the page shows each list as it comes."""
    publish_fetch()
    messages.info(request, "Every ECC server was asked for its configurations: the table follows as they answer.")
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
