"""The host keys of the nodes: what is pinned, what each shows, and the expert's buttons."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from attpcdaq.runcontrol.asking import host_keys
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.publish import publish_host_key
from attpcdaq.runcontrol.seeing.host_keys import node_keys
from attpcdaq.web.guard import experts_change, refused
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_expert


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The whole page, or with ?panels= only the part that changes by itself."""
    context = {
        "event_id": latest_event_id(),
        "nodes": node_keys(timezone.now()),
        "may_expert": may_expert(request.user),
        "known_hosts": settings.SSH_KNOWN_HOSTS,
    }
    template = "setup/host_keys_panel.html" if "panels" in request.GET else "setup/host_keys.html"
    return render(request, template, context)


@require_POST
@experts_change
def read(request: HttpRequest) -> HttpResponse:
    """Ask one node, or every one that is reached by SSH, which key it shows."""
    asked, now = request.POST.get("node", ""), timezone.now()
    every = [one.name for one in node_keys(now) if one.standing != "agent"]
    try:
        for name in [asked] if asked else every:
            publish_host_key(host_keys.ask(name, requester_of(request), now).pk)
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    except BadCommand as error:
        return refused(request, [str(error)], 400)
    return redirect("setup-host-keys")


@require_POST
@experts_change
def pin(request: HttpRequest) -> HttpResponse:
    """Trust the key whose fingerprint the page showed."""
    posted, by = request.POST, requester_of(request)
    name, shown, reason = (posted.get(key, "") for key in ("node", "fingerprint", "reason"))
    try:
        host_keys.pin(name, shown, by, timezone.now(), reason)
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    except BadCommand as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"{shown} is pinned for {name}.")
    return redirect("setup-host-keys")


@require_POST
@experts_change
def unpin(request: HttpRequest) -> HttpResponse:
    """Trust a key no longer."""
    name, shown = request.POST.get("node", ""), request.POST.get("fingerprint", "")
    try:
        host_keys.unpin(name, shown, requester_of(request), timezone.now())
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    except BadCommand as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"{shown} is no longer pinned for {name}.")
    return redirect("setup-host-keys")
