"""Notes of the crew: those of a run for its page, and the forms that add one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.models import Run
from attpcdaq.shifts import desk, notes
from attpcdaq.shifts.models import Note, Shift
from attpcdaq.shifts.texts import number
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.run_found import found_run


def notes_context(run: Run) -> dict[str, Any]:
    """For shifts/notes.html on a run's page; `may_operate` comes from the page."""
    return {"notes": notes.of_run(run), "note_run": run}


@require_POST
@operators_change
def add(request: HttpRequest) -> HttpResponse:
    """A note on the `run` or `shift` that the form names; without either on the open run and the shift that is on."""
    try:
        run, shift = _what_about(request)
        written = notes.add(request.POST.get("text", ""), requester_of(request), timezone.now(), run=run, shift=shift)
    except BadCommand as error:
        return refused(request, [str(error)], 400)
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    messages.success(request, f"Noted with {written.run or written.shift}.")
    return redirect(_back(request, written))


def _what_about(request: HttpRequest) -> tuple[Run | None, Shift | None]:
    """BadCommand when there is none of that number."""
    experiment, run, shift = (request.POST.get(name, "") for name in ("experiment", "run", "shift"))
    if run:
        return found_run(experiment, number("run", run)), desk.current()
    if shift:
        found = Shift.objects.filter(pk=number("shift", shift)).first()
        if found is None:
            raise BadCommand("shift", "there is none of that number.")
        return None, found
    return open_run(), desk.current()


def _back(request: HttpRequest, written: Note) -> str:
    """To the page that the form stood on."""
    if request.POST.get("shift") and written.shift_id:
        return f"{reverse('shift', args=[written.shift_id])}#notes"
    if request.POST.get("run") and written.run:
        return f"{reverse('run-sheet', args=[written.run.experiment.name, written.run.number])}#notes"
    return reverse("status")
