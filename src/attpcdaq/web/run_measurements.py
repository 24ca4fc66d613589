"""The table of measurements: runs down, observables across."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.views.decorators.http import require_GET

from attpcdaq.runlog import sheets
from attpcdaq.runlog.listing import Wanted, matching
from attpcdaq.runlog.measurements import columns, values_of
from attpcdaq.runlog.models import Experiment, Observable, Run, ValueType
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.run_filter import RunFilter, query_of, wanted_of
from attpcdaq.web.run_found import chosen_experiment

PAGE = 50
LONGEST = 60
"""Characters of a title."""
SHOWN = ("number", "title", "run_class", "state", "closed_at", "experiment_id")
LACKING = '<td class="lacking"><span aria-hidden="true">▲</span><span class="visually-hidden">missing</span></td>'


@require_GET
def table(request: HttpRequest) -> HttpResponse:
    """Runs a page at a time, filtered as the run list is; with ?retired= the retired observables too."""
    context: dict[str, Any] = {"event_id": latest_event_id(), "experiments": Experiment.objects.all()}
    experiment, (form, wanted) = chosen_experiment(request), wanted_of(request)
    context |= {"experiment": experiment, "form": form, "fields": [form[name] for name in form.fields]}
    if experiment and wanted:
        context |= _listed(request, experiment, form, wanted)
    template = "runs/measurements_panel.html" if "panels" in request.GET else "runs/measurements.html"
    return render(request, template, context, status=200 if wanted else 400)


def _listed(request: HttpRequest, experiment: Experiment, form: RunFilter, wanted: Wanted) -> dict[str, Any]:
    with_retired = bool(request.GET.get("retired"))
    page = Paginator(matching(experiment, wanted).values_list("pk", flat=True), PAGE).get_page(request.GET.get("page"))
    ids = list(page.object_list)
    rows = Run.objects.filter(pk__in=ids).only(*SHOWN).in_bulk()
    runs = [rows[pk] for pk in ids if pk in rows]
    every = columns(experiment, retired=True)
    observables = every if with_retired else [each for each in every if each.retired_at is None]
    kept = {"retired": "1"} if with_retired else {}
    return {
        "page": page,
        "observables": observables,
        "heads": mark_safe("".join(map(_head, observables))),  # noqa: S308  # every name was escaped
        "rows": _rows(experiment, runs, observables),
        "with_retired": with_retired,
        "retired_count": sum(each.retired_at is not None for each in every),
        "query": query_of(form, experiment.name, page=str(page.number), **kept),
        "links": _links(page, lambda number: query_of(form, experiment.name, page=str(number), **kept)),
    }


def _links(page: "Page[int]", query: Callable[[int], str]) -> dict[str, str]:
    """The addresses of the pages beside this one, where there are any."""
    return {
        "previous": query(page.previous_page_number()) if page.has_previous() else "",
        "next": query(page.next_page_number()) if page.has_next() else "",
    }


def _head(observable: Observable) -> str:
    css = "" if observable.value_type == ValueType.TEXT else ' class="num"'
    unit = f'<br><span class="unit">{escape(observable.unit)}</span>' if observable.unit else ""
    retired = '<br><span class="muted">retired</span>' if observable.retired_at else ""
    return f'<th scope="col"{css}>{escape(observable.name)}{unit}{retired}</th>'


def _rows(experiment: Experiment, runs: Sequence[Run], observables: Sequence[Observable]) -> SafeString:
    """Written here, for there may be thousands of cells."""
    values = values_of([run.pk for run in runs], observables)
    missing = sheets.missing_of(runs)
    kinds = [(each.pk, each.name, "text" if each.value_type == ValueType.TEXT else "num") for each in observables]
    above = escape(reverse("run-sheet", args=[experiment.name, 1]).removesuffix("1/"))
    rows = [_row(run, above, _cells(kinds, values[run.pk], missing[run.pk])) for run in runs]
    return mark_safe("".join(rows))  # noqa: S308  # every text was escaped


def _row(run: Run, above: str, cells: str) -> str:
    title = run.title if len(run.title) <= LONGEST else Truncator(run.title).chars(LONGEST)
    head = f'<th scope="row"><a href="{above}{run.number}/#sheet-section">Run {run.number}</a></th>'
    return f'<tr data-key="{run.pk}">{head}<td class="title">{escape(title)}</td>{cells}</tr>\n'


def _cells(kinds: Sequence[tuple[int, str, str]], values: Mapping[int, str], missing: Sequence[str]) -> str:
    return "".join(
        [
            LACKING if pk not in values and name in missing else f'<td class="{kind}">{escape(values.get(pk, ""))}</td>'
            for pk, name, kind in kinds
        ]
    )
