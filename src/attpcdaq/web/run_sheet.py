"""The run sheet: everything about one run, and what the crew writes about it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.runcontrol.seeing.configurations import drifts_of
from attpcdaq.runlog.listing import duration
from attpcdaq.runlog.manifests import manifest_of
from attpcdaq.runlog.models import Run
from attpcdaq.web import run_sheet_form
from attpcdaq.web.guard import operators_change
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.manifest_view import FILES_SHOWN, file_lines, progress_of
from attpcdaq.web.rates_drawn import run_html
from attpcdaq.web.roles import may_operate
from attpcdaq.web.run_found import found_run
from attpcdaq.web.run_sheet_form import Refusal


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def sheet(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """Show a run; POST saves what was changed on its sheet, all or nothing."""
    run = found_run(experiment, number)
    if request.method != "POST":
        return _page(request, run)
    refusal = run_sheet_form.save(request, run)
    return _page(request, run, refusal) if refusal else redirect("run-sheet", experiment, number)


@require_POST
@operators_change
def same_as_previous(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """Fill what is empty with the previous run's values."""
    run_sheet_form.fill_from_previous(request, found_run(experiment, number))
    return redirect("run-sheet", experiment, number)


def _page(request: HttpRequest, run: Run, refusal: Refusal | None = None) -> HttpResponse:
    context = _record(run) | _files(request, run) | run_sheet_form.history_context(run)
    context["may_operate"] = may_operate(request.user)
    if "panels" in request.GET:
        return render(request, "runs/sheet_panels.html", context)
    context |= run_sheet_form.form_context(run, refusal)
    context |= {"neighbours": _neighbours(run), "rates_html": run_html(run)}
    return render(request, "runs/sheet.html", context, status=refusal.status if refusal else 200)


def _record(run: Run) -> dict[str, Any]:
    """What grows by itself while the page is looked at."""
    return {
        "event_id": latest_event_id(),
        "run": run,
        "seconds": duration(run),
        "drifts": drifts_of(run),
        "commands": run.commands.prefetch_related("steps").order_by("requested_at"),
    }


def _files(request: HttpRequest, run: Run) -> dict[str, Any]:
    """The files and what is proven of them; of very many only some are shown at first."""
    everything = request.GET.get("files") == "all"
    lines, progress = file_lines(run, None if everything else FILES_SHOWN), progress_of(run)
    return {
        "manifest": manifest_of(run),
        "progress": progress,
        "files": lines,
        "bad_files": sum(line.is_bad for line in lines),
        "file_count": run.files.count(),
        "files_query": "?files=all" if everything else "",
        "data_bytes": progress.of_bytes,
    }


def _neighbours(run: Run) -> dict[str, Run | None]:
    others = Run.objects.filter(experiment=run.experiment)
    return {
        "before": others.filter(number__lt=run.number).order_by("-number").first(),
        "after": others.filter(number__gt=run.number).order_by("number").first(),
    }
