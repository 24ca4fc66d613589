"""Loading a setup, from a file or from Easy setup: a preview of every change first, then all of it or nothing."""

import hashlib

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol.asking import setup_changes
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.topology import easy_setup, setup_store
from attpcdaq.topology.setup import Setup, SetupError, changes
from attpcdaq.topology.setup_file import dump, parse
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.forms_setup import EasySetupForm, SetupFileForm
from attpcdaq.web.guard import experts_change, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_expert


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
    form = EasySetupForm(request.POST or None)
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
        setup = parse(request.POST.get("setup", ""))
        if request.POST.get("before") != _fingerprint(setup_store.read()):
            messages.warning(request, "The setup was changed meanwhile: look again at what would change.")
            return _preview(request, setup)
        done = setup_changes.load(setup, requester_of(request))
    except SetupError as error:
        return refused(request, error.errors, 400)
    except (setup_changes.SetupBusyError, CommandRefused) as error:
        return refused(request, error.reasons)
    messages.success(request, f"The setup was loaded: {len(done)} changes." if done else "There was nothing to change.")
    return redirect("setup")


def _preview(request: HttpRequest, setup: Setup) -> HttpResponse:
    """Every change, the whole new setup, and the button that loads it."""
    before = setup_store.read()
    shown = "What would change was shown; nothing was loaded."
    record(requester_of(request), "setup preview", Outcome.DONE, text=shown)
    context = {
        "changes": changes(before, setup),
        "setup": setup,
        "text": dump(setup),
        "before": _fingerprint(before),
        "blockers": setup_changes.blockers(),
    }
    return render(request, "setup/preview.html", context)


def _fingerprint(setup: Setup) -> str:
    return hashlib.sha256(dump(setup).encode()).hexdigest()
