"""The page of one run: its parts, each with what it shows; those that change by themselves are fetched one by one."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from attpcdaq.runcontrol.seeing.configurations import drifts_of
from attpcdaq.runcontrol.seeing.run_events import events_of
from attpcdaq.runcontrol.seeing.timeline import timeline
from attpcdaq.runlog import sheets
from attpcdaq.runlog.listing import duration
from attpcdaq.runlog.manifests import manifest_of
from attpcdaq.runlog.models import Run
from attpcdaq.web import run_sheet_form
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.manifest_view import FILES_SHOWN, file_lines, progress_of
from attpcdaq.web.rates_drawn import run_html
from attpcdaq.web.roles import may_operate
from attpcdaq.web.run_sheet_form import Refusal
from attpcdaq.web.shift_notes import notes_context
from attpcdaq.web.timeline_drawn import all_drawn, strip

Part = Callable[[HttpRequest, Run], dict[str, Any]]


def _facts(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {"seconds": duration(run), "missing_names": sheets.missing(run)}


def _timeline(request: HttpRequest, run: Run) -> dict[str, Any]:
    now = timezone.now()
    found = timeline(run, now)
    return {"timeline": found, "strip": strip(found), "orders": all_drawn(found.orders, now)}


def _manifest(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {"manifest": manifest_of(run), "progress": progress_of(run)}


def _files(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Of very many only some are shown at first."""
    everything = request.GET.get("files") == "all"
    lines = file_lines(run, None if everything else FILES_SHOWN)
    return {
        "files": lines,
        "bad_files": sum(line.is_bad for line in lines),
        "file_count": run.files.count(),
        "files_query": "?files=all" if everything else "",
    }


def _configuration(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {"drifts": drifts_of(run)}


def _events(request: HttpRequest, run: Run) -> dict[str, Any]:
    events, are_more = events_of(run, timezone.now())
    return {"events": events, "are_more": are_more}


def _sheet(request: HttpRequest, run: Run) -> dict[str, Any]:
    return run_sheet_form.history_context(run)


# By the name of the panel: its template, and what it needs.
PARTS: dict[str, tuple[str, Part]] = {
    "run-facts": ("runs/sheet_facts.html", _facts),
    "run-timeline": ("runs/timeline.html", _timeline),
    "run-manifest": ("runs/sheet_manifest.html", _manifest),
    "run-files": ("runs/sheet_files.html", _files),
    "run-configuration": ("runs/sheet_configuration.html", _configuration),
    "run-events": ("runs/run_events.html", _events),
    "sheet-state": ("runs/sheet_state.html", _sheet),
    "sheet-history": ("runs/sheet_history.html", _sheet),
}


def _base(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {"event_id": latest_event_id(), "run": run, "may_operate": may_operate(request.user)}


def panels(request: HttpRequest, run: Run) -> HttpResponse:
    """The parts named in ?panels=, or all, without the page around them; unknown ones are left out."""
    asked = request.GET["panels"]
    wanted = {name: part for name, part in PARTS.items() if not asked or name in asked.split(",")}
    context = _base(request, run)
    for part in dict.fromkeys(part for _, part in wanted.values()):
        context |= part(request, run)
    return render(request, "runs/parts.html", context | {"templates": [template for template, _ in wanted.values()]})


def page(request: HttpRequest, run: Run, refusal: Refusal | None = None) -> HttpResponse:
    """All of it; with a refusal the sheet's form as its writer left it."""
    context = _base(request, run)
    for part in dict.fromkeys(part for _, part in PARTS.values()):
        context |= part(request, run)
    context |= run_sheet_form.form_context(run, refusal) | notes_context(run)
    context |= {"neighbours": _neighbours(run), "rates_html": run_html(run)}
    return render(request, "runs/sheet.html", context, status=refusal.status if refusal else 200)


def _neighbours(run: Run) -> dict[str, int | None]:
    others = Run.objects.filter(experiment=run.experiment_id).values_list("number", flat=True)
    return {
        "before": others.filter(number__lt=run.number).order_by("-number").first(),
        "after": others.filter(number__gt=run.number).order_by("number").first(),
    }
