"""The run list."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from attpcdaq.runlog import sheets
from attpcdaq.runlog.listing import NEWEST, Wanted, loaded, matching, totals
from attpcdaq.runlog.manifests import verdict_on
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.run_filter import FIRST_DOWN, RunFilter, query_of, wanted_of
from attpcdaq.web.run_found import chosen_experiment
from attpcdaq.web.run_rows import Line, run_rows

PAGE = 50
HEADS = (
    ("run", "Run"), ("state", "State"), ("verdict", "Data"), ("class", "Class"), ("title", "Title"), ("start", "Start"),
    ("duration", "Duration"), ("files", "Files"), ("data", "Size"), ("problem", "What went wrong"),
)  # fmt: skip
FIGURES = ("run", "duration", "files", "data")


@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs a page at a time, and what they add up to; with ?panels= only the list."""
    context: dict[str, Any] = {"event_id": latest_event_id(), "experiments": Experiment.objects.all()}
    experiment, (form, wanted) = chosen_experiment(request), wanted_of(request)
    context |= {"experiment": experiment, "form": form, "fields": [form[name] for name in form.fields]}
    if experiment and wanted:
        context |= _listed(request, experiment, form, wanted)
    template = "runs/list_panel.html" if "panels" in request.GET else "runs/list.html"
    return render(request, template, context, status=200 if wanted else 400)


def _listed(request: HttpRequest, experiment: Experiment, form: RunFilter, wanted: Wanted) -> dict[str, Any]:
    runs = matching(experiment, wanted)
    sums = totals(runs)
    pages = Paginator(runs.values_list("pk", flat=True), PAGE)
    vars(pages)["count"] = sum(total.runs for total in sums)  # known: it need not ask again
    page = pages.get_page(request.GET.get("page"))
    return {
        "page": page,
        "rows": run_rows(_lines(experiment, loaded(list(page.object_list)))),
        "totals": sums,
        "seconds": sum(total.seconds for total in sums),
        "bytes": sum(total.bytes for total in sums),
        "heads": _heads(form, experiment, wanted.sort),
        "query": query_of(form, experiment.name),
        "links": _links(form, experiment, page),
    }


def _lines(experiment: Experiment, runs: list[Run]) -> list[Line]:
    missing = sheets.missing_of(runs)
    # One address is asked for and not fifty: they differ in the number.
    before, _, after = reverse("run-sheet", args=[experiment.name, 0]).rpartition("0")
    return [Line(run, f"{before}{run.number}{after}", verdict_on(run), missing.get(run.pk, ())) for run in runs]


def _heads(form: RunFilter, experiment: Experiment, sort: str) -> list[dict[str, str]]:
    """The columns, each with the address that sorts by it and how the list is sorted now."""
    heads = []
    for name, label in HEADS:
        is_now = sort.removeprefix("-") == name
        first = f"-{name}" if name in FIRST_DOWN else name
        other = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
        wish = other if is_now else first
        now = ("descending" if sort.startswith("-") else "ascending") if is_now else ""
        link = query_of(form, experiment.name, sort="" if wish == NEWEST else wish)
        heads.append({"name": name, "label": label, "link": link, "sorted": now, "kind": "num" * (name in FIGURES)})
    return heads


def _links(form: RunFilter, experiment: Experiment, page: Page[int]) -> dict[str, str]:
    """The addresses of the pages beside this one and of both ends."""
    numbers: dict[str, int] = {}
    if page.has_previous():
        numbers |= {"first": 1, "previous": page.previous_page_number()}
    if page.has_next():
        numbers |= {"next": page.next_page_number(), "last": page.paginator.num_pages}
    return {name: query_of(form, experiment.name, page=str(number)) for name, number in numbers.items()}
