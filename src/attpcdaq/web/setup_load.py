"""Loading a setup, from a file or from Easy setup: a preview of every change first, then all of it or nothing."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol.asking import setup_changes
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.topology import easy_setup, setup_store
from attpcdaq.topology.setup import Setup, SetupError, changes
from attpcdaq.topology.setup_file import dump, parse
from attpcdaq.web import setup_draft
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.easy_start import begin_with
from attpcdaq.web.fingerprints import fingerprint
from attpcdaq.web.forms_setup import EasySetupForm, SetupFileForm
from attpcdaq.web.guard import experts_change, refused
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_expert
from attpcdaq.web.setup_preview import groups, losses, stays


@require_POST
@experts_change
def load_file(request: HttpRequest) -> HttpResponse:
    """Read an uploaded file and show what it would change."""
    form = SetupFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return refused(request, [str(text) for text in form.errors.get("file", [])], 400)
    try:
        return _preview(request, parse(form.cleaned_data["file"]))
    except SetupError as error:
        return refused(request, error.errors, 400)


@require_http_methods(["GET", "HEAD", "POST"])
@experts_change
def easy(request: HttpRequest) -> HttpResponse:
    """The form, and what it would change."""
    form = EasySetupForm(request.POST or None, initial=begin_with(setup_store.read()))
    if form.is_valid():
        try:
            return _preview(request, easy_setup.expand(form.easy_setup()))
        except SetupError as error:
            for text in error.errors:
                form.add_error(None, text)
    wrong_fields(request, form)
    context = {"form": form, "blockers": setup_changes.blockers(), "may_expert": may_expert(request.user)}
    return render(request, "setup/easy.html", context, status=400 if form.is_bound else 200)


@require_POST
@experts_change
def apply(request: HttpRequest) -> HttpResponse:
    """Load what the preview showed, unless the setup changed since."""
    try:
        setup, before = parse(request.POST.get("setup", "")), setup_store.read()
        if request.POST.get("before") != fingerprint(before):
            messages.warning(request, "The setup was changed meanwhile: look again at what would change.")
            return _preview(request, setup)
        done = setup_changes.load(setup, requester_of(request), over=before)
    except SetupError as error:
        return refused(request, error.errors, 400)
    except (setup_changes.SetupBusyError, CommandRefused) as error:
        return refused(request, error.reasons)
    setup_draft.drop(request)
    messages.success(request, f"The setup was loaded: {len(done)} changes." if done else "There was nothing to change.")
    return redirect("setup")


@require_GET
def draft(request: HttpRequest) -> HttpResponse:
    """What this browser's draft would change, and what it still lacks."""
    begun = setup_draft.current(request)
    if begun is None:
        return redirect("setup")
    context = {"draft": begun, "missing": begun.missing}
    return render(request, "setup/preview.html", _shown(begun.setup, begun.over) | context)


def _preview(request: HttpRequest, setup: Setup) -> HttpResponse:
    """Every change, what stays, the whole new setup, and the button that loads it."""
    shown = "What would change was shown; nothing was loaded."
    record(requester_of(request), "setup preview", Outcome.DONE, text=shown)
    return render(request, "setup/preview.html", _shown(setup, setup_store.read()))


def _shown(setup: Setup, before: Setup) -> dict[str, Any]:
    told = changes(before, setup)
    return {
        "changes": told,
        "groups": groups(told),
        "stays": stays(told, setup),
        "losses": losses(told),
        "text": dump(setup),
        "before": fingerprint(before),
        "blockers": setup_changes.blockers(),
        "event_id": latest_event_id(),
    }
