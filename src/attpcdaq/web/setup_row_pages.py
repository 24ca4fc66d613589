"""Single rows of the setup: their forms, and what goes with one that is removed."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, blockers
from attpcdaq.topology import setup_edit, setup_store
from attpcdaq.topology.setup import Setup, SetupError, changes
from attpcdaq.topology.setup_edit import PARTS, find
from attpcdaq.web import setup_draft, setup_saving
from attpcdaq.web.audited import because
from attpcdaq.web.fingerprints import fingerprint, fingerprint_of
from attpcdaq.web.forms_setup_rows import GROUPS, RowForm
from attpcdaq.web.guard import experts_change, refused
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.roles import may_expert
from attpcdaq.web.setup_preview import groups, losses
from attpcdaq.web.setup_words import TITLES

LOOKING_TOO = ["GET", "HEAD", "POST"]


def base_of(request: HttpRequest) -> Setup:
    """The setup that is being worked on: the draft of this browser, or what is in force."""
    draft = setup_draft.current(request)
    return draft.setup if draft else setup_store.read()


@require_http_methods(LOOKING_TOO)
@experts_change
def add(request: HttpRequest, kind: str) -> HttpResponse:
    """The form of a new row."""
    _check(kind)
    base = base_of(request)
    if request.method != "POST":
        keys = {key for names in GROUPS[kind].values() for key in names}
        given = {key: value for key, value in request.GET.items() if key in keys}
        return _page(request, kind, RowForm(kind, base, initial=given))
    form = RowForm(kind, base, request.POST)
    return setup_saving.save(request, kind, form) or _page(request, kind, form)


@require_http_methods(LOOKING_TOO)
@experts_change
def edit(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """The form of a row that is there."""
    _check(kind)
    base = base_of(request)
    row = find(base, kind, name)
    if row is None:
        return _gone(request, kind, name)
    if request.method != "POST":
        return _page(request, kind, RowForm(kind, base, row=row), name, fingerprint_of(row))
    form = RowForm(kind, base, request.POST, row=row)
    done = setup_saving.save(request, kind, form, row)
    return done or _page(request, kind, form, name, fingerprint_of(row))


@require_http_methods(LOOKING_TOO)
@experts_change
def remove(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """What goes with the row; and away with it."""
    _check(kind)
    base = base_of(request)
    if find(base, kind, name) is None:
        return _gone(request, kind, name)
    after = setup_edit.without(base, kind, name)
    if request.method == "POST" and request.POST.get("over") == fingerprint(base):
        return _removed(request, kind, name, base, after)
    told = changes(base, after)
    context = {
        "kind": kind, "what": TITLES[kind], "name": name, "groups": groups(told), "count": len(told),
        "losses": losses(told), "over": fingerprint(base), "blockers": blockers(), "refused": _why_not(after),
        "may_expert": may_expert(request.user), "event_id": latest_event_id(),
    }  # fmt: skip
    if request.method == "POST":
        because(request, ["The setup was changed meanwhile."])
        messages.warning(request, "The setup was changed meanwhile: look again at what goes.")
    return render(request, "setup/remove.html", context, status=409 if request.method == "POST" else 200)


def _why_not(after: Setup) -> str:
    return "" if after.ecc_servers else "It is the last ECC server: without one there is no setup."


def _removed(request: HttpRequest, kind: str, name: str, base: Setup, after: Setup) -> HttpResponse:
    try:
        told = setup_saving.removed(request, kind, name, base, after)
    except SetupError as error:
        return refused(request, error.errors)
    except (SetupBusyError, CommandRefused) as error:
        return refused(request, error.reasons)
    messages.success(request, told)
    return redirect("setup")


@require_POST
@experts_change
def discard(request: HttpRequest) -> HttpResponse:
    """Throw the draft of this browser away."""
    setup_draft.drop(request)
    messages.info(request, "What you had begun was thrown away. The setup is as it was.")
    return redirect("setup")


def _check(kind: str) -> None:
    if kind not in PARTS:
        raise Http404(f"There are no rows of the kind {kind[:40]!r}; allowed are {', '.join(PARTS)}.")


def _gone(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    if request.method == "POST":
        return refused(request, [f"The {TITLES[kind]} {name[:80]} is no longer part of the setup."])
    raise Http404(f"There is no {TITLES[kind]} {name[:80]!r} in the setup.")


def _page(request: HttpRequest, kind: str, form: RowForm, name: str = "", was: str = "") -> HttpResponse:
    where: dict[str, Any] = {"kind": kind, "name": name} if name else {"kind": kind}
    reasons = [str(text) for texts in form.errors.values() for text in texts]
    if form.is_bound:
        because(request, reasons)
    context = {
        "form": form, "kind": kind, "what": TITLES[kind], "name": name, "was": was,
        "action": reverse("setup-row" if name else "setup-row-add", kwargs=where),
        "draft": setup_draft.current(request), "blockers": blockers(), "may_expert": may_expert(request.user),
        "event_id": latest_event_id(),
    }  # fmt: skip
    status = 200 if not form.is_bound else (409 if form.conflict else 400)
    return render(request, "setup/row.html", context, status=status)
