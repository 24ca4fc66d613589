"""Saving one row of the setup from its form: at once where the setup stays whole, else into the browser's draft."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol.asking import setup_changes, setup_rows
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError
from attpcdaq.topology import setup_edit, setup_store
from attpcdaq.topology.setup import Change, Entry, Setup, changes
from attpcdaq.topology.setup_check import missing, wrong
from attpcdaq.topology.setup_edit import find
from attpcdaq.web import setup_draft
from attpcdaq.web.fingerprints import fingerprint_of
from attpcdaq.web.forms_setup_rows import RowForm
from attpcdaq.web.requester import requester_of
from attpcdaq.web.setup_draft import Draft
from attpcdaq.web.setup_words import TITLES, in_words

NAME_STAYS = "Load what you have begun first, or throw it away: until then what is in force keeps its name."
CHANGED = "Somebody else changed it meanwhile: {}. Save again to put your values in place of theirs."


def save(request: HttpRequest, kind: str, form: RowForm, row: Entry | None = None) -> HttpResponse | None:
    """Where to go next; None when it was not saved, and the form says why. `row`: as the form's setup has it."""
    if not form.is_valid() or (row is not None and not _as_seen(request, form, row)):
        return None
    draft, base, entry = setup_draft.current(request), form.setup, form.entry
    if draft is not None and row is not None and _is_renamed(draft, kind, row, entry):
        form.add_error("name", NAME_STAYS)
        return None
    setup = setup_edit.changed(base, kind, row.name, entry) if row else setup_edit.added(base, kind, entry)
    if faults := wrong(setup):
        _not(form, faults, conflict=False)
        return None
    if draft is not None or missing(setup):
        return _into_draft(request, kind, entry, setup, draft.over if draft else base)
    return _into_force(request, form, row, setup)


def _into_force(request: HttpRequest, form: RowForm, row: Entry | None, setup: Setup) -> HttpResponse | None:
    renaming = setup_rows.renaming(form.kind, row.name, form.entry) if row else None
    try:
        done = setup_changes.load(setup, requester_of(request), over=form.setup, renaming=renaming)
    except (SetupBusyError, CommandRefused) as error:
        _not(form, error.reasons, conflict=True)
        return None
    messages.success(request, _told(done) or "Nothing had changed.")
    return redirect(f"{reverse('setup')}#{form.kind}")


def _is_renamed(draft: Draft, kind: str, row: Entry, entry: Entry) -> bool:
    """Whether it would lose what belongs to its name: a draft is loaded as a file is, where a new name is a new row."""
    return kind in setup_store.NAMED and entry.name != row.name and find(draft.over, kind, row.name) is not None


def _as_seen(request: HttpRequest, form: RowForm, row: Entry) -> bool:
    """Whether the row still says what the form was opened with; else the form says what is new."""
    if request.POST.get("was") == fingerprint_of(row):
        return True
    seen = changes(_alone(form.kind, form.entry), _alone(form.kind, row))
    now = "; ".join(f"{one.key} is {one.new}" for change in seen for one in change.differences) or "look again"
    _not(form, [CHANGED.format(now)], conflict=True)
    return False


def _alone(kind: str, entry: Entry) -> Setup:
    return setup_edit.added(Setup(), kind, entry)


def _not(form: RowForm, reasons: list[str] | tuple[str, ...], *, conflict: bool) -> None:
    for reason in reasons:
        form.add_error(None, in_words(reason))
    form.conflict = conflict


def _into_draft(request: HttpRequest, kind: str, entry: Entry, setup: Setup, over: Setup) -> HttpResponse:
    draft = setup_draft.keep(request, setup, over)
    text = "Kept in the browser until the setup is whole; nothing of it is in force yet."
    record(requester_of(request), "setup draft", Outcome.DONE, subject=entry.name, text=text)
    if draft is None or draft.missing:
        messages.info(request, f"The {TITLES[kind]} {entry.name} is noted. It is not in force until the rest is there.")
        return redirect("setup")
    return redirect("setup-draft")


def removed(request: HttpRequest, kind: str, name: str, base: Setup, after: Setup) -> str:
    """Take a row away, from the draft where there is one; what to say of it. Errors as `setup_rows.remove`."""
    draft = setup_draft.current(request)
    if draft is None:
        return _told(setup_rows.remove(kind, name, requester_of(request), over=base))
    setup_draft.keep(request, after, draft.over)
    record(requester_of(request), "setup draft", Outcome.DONE, subject=name, text="Taken out of what was begun.")
    return f"The {TITLES[kind]} {name} was taken out of what you had begun."


def _told(done: tuple[Change, ...]) -> str:
    return " ".join(f"{str(change)[:1].upper()}{str(change)[1:]}." for change in done)
