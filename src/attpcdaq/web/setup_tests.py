"""Trying a connection of the setup, saved or not, and looking at what came of it."""

from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from attpcdaq.runcontrol.asking import connection_tests
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.models import ConnectionTest
from attpcdaq.runcontrol.seeing.connection_tests import view_of
from attpcdaq.topology.setup import Entry
from attpcdaq.topology.setup_edit import find
from attpcdaq.web.audited import because, wrong_fields
from attpcdaq.web.forms_setup_rows import RowForm
from attpcdaq.web.guard import experts_change, refused
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.requester import requester_of
from attpcdaq.web.setup_row_pages import base_of
from attpcdaq.web.setup_words import LABELS, TITLES

TRIED = {kind: short for short, kind in connection_tests.KINDS.items()}


@require_POST
@experts_change
def typed(request: HttpRequest, kind: str) -> HttpResponse:
    """Try what stands in a form, before it is saved."""
    if kind not in TRIED:
        raise Http404(f"Nothing is tried for rows of the kind {kind[:40]!r}.")
    form = RowForm(kind, base_of(request), request.POST)
    if form.is_valid():
        return _begun(request, kind, form.entry)
    wrong_fields(request, form)
    reasons = [f"{LABELS.get(key, key)}: {text}" for key, texts in form.errors.items() for text in texts]
    return _not_begun(request, reasons, HTTPStatus.BAD_REQUEST)


@require_POST
@experts_change
def saved(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Try a row as it stands in the setup."""
    entry = find(base_of(request), kind, name) if kind in TRIED else None
    if entry is None:
        return _not_begun(
            request, [f"There is no {TITLES.get(kind, 'row')} {name[:80]!r} to be tried (any more)."], 409
        )
    return _begun(request, kind, entry)


@require_GET
def result(request: HttpRequest, test_id: UUID) -> HttpResponse:
    """How far it is: for htmx alone (204 while nothing is new), else as a page."""
    test = view_of(get_object_or_404(ConnectionTest, pk=test_id), timezone.now())
    if "HX-Request" not in request.headers:
        return render(request, "setup/test.html", {"test": test, "event_id": latest_event_id()})
    if test.is_active and request.GET.get("state") == test.state:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return render(request, "setup/test_result.html", {"test": test})


def _begun(request: HttpRequest, kind: str, entry: Entry) -> HttpResponse:
    now = timezone.now()
    try:
        row = connection_tests.row_to_try(entry)
        test = connection_tests.request_test(TRIED[kind], row, base_of(request), requester_of(request), now)
    except CommandRefused as error:
        return _not_begun(request, error.reasons, HTTPStatus.CONFLICT)
    except BadCommand as error:
        return _not_begun(request, [str(error)], HTTPStatus.BAD_REQUEST)
    if "HX-Request" in request.headers:
        return render(request, "setup/test_result.html", {"test": view_of(test, now)}, status=HTTPStatus.ACCEPTED)
    return redirect("setup-test", test.pk)


def _not_begun(request: HttpRequest, reasons: list[str] | tuple[str, ...], status: int) -> HttpResponse:
    if "HX-Request" not in request.headers:
        return refused(request, reasons, status)
    because(request, reasons)
    return render(request, "setup/test_refused.html", {"reasons": reasons}, status=status)
