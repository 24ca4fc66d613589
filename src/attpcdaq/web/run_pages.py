"""The run list and its export."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from attpcdaq.runlog import experiments
from attpcdaq.runlog.exports import csv_lines
from attpcdaq.runlog.listing import Wanted, matching, totals, with_data
from attpcdaq.runlog.manifests import with_verdicts
from attpcdaq.runlog.models import Experiment
from attpcdaq.web.forms_runs import RunFilter
from attpcdaq.web.latest import latest_event_id

PAGE = 50


def chosen_experiment(request: HttpRequest) -> Experiment | None:
    """The experiment of ?experiment=, else the active one, else the newest; 404 names the known ones."""
    name = request.GET.get("experiment", "")
    rows = {row.name: row for row in Experiment.objects.all()}
    if name and name not in rows:
        raise Http404(f"There is no experiment {name!r}; known: {', '.join(rows) or 'none'}.")
    return rows.get(name) or experiments.active() or next(iter(rows.values()), None)


def _wanted(request: HttpRequest) -> tuple[RunFilter, Wanted]:
    form = RunFilter(request.GET)
    return form, Wanted(**form.cleaned_data) if form.is_valid() else Wanted()


@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs newest first, a page at a time, and what they add up to; with ?panels= only the list."""
    context: dict[str, Any] = {"event_id": latest_event_id(), "experiments": Experiment.objects.all()}
    experiment, (form, wanted) = chosen_experiment(request), _wanted(request)
    if experiment:
        runs = matching(experiment, wanted)
        sums = totals(runs)
        page = Paginator(with_verdicts(with_data(runs)), PAGE).get_page(request.GET.get("page"))
        context |= {"page": page, "totals": sums, "seconds": sum(total.seconds for total in sums)}
    query = request.GET.copy()
    for name in ("page", "panels"):
        query.pop(name, None)
    context |= {"experiment": experiment, "form": form, "query": query.urlencode()}
    return render(request, "runs/list_panel.html" if "panels" in request.GET else "runs/list.html", context)


@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The runs that the list shows, as CSV."""
    experiment = chosen_experiment(request)
    if experiment is None:
        raise Http404("There is no experiment yet.")
    runs = matching(experiment, _wanted(request)[1]).order_by("number")
    headers = {"Content-Disposition": f'attachment; filename="{experiment.name}_runs.csv"'}
    return StreamingHttpResponse(csv_lines(experiment, runs), content_type="text/csv; charset=utf-8", headers=headers)
