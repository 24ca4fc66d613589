"""A run's page, and what the crew writes on its sheet."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from attpcdaq.web import run_page, run_sheet_form
from attpcdaq.web.guard import operators_change
from attpcdaq.web.run_found import found_run


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def sheet(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """Show a run; POST saves what was changed on its sheet, all or nothing."""
    run = found_run(experiment, number)
    if request.method != "POST":
        return run_page.panels(request, run) if "panels" in request.GET else run_page.page(request, run)
    refusal = run_sheet_form.save(request, run)
    if refusal:
        return run_page.page(request, run, refusal)
    return redirect("run-sheet", run.experiment.name, number)
