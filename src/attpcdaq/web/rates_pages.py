"""The plots of a run's page by themselves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from attpcdaq.web.rates_drawn import run_html
from attpcdaq.web.run_found import found_run


@require_GET
@never_cache
def run_rates(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """The panel as it is now."""
    run = found_run(experiment, number)
    return render(request, "runs/sheet_rates.html", {"run": run, "rates_html": run_html(run)})
