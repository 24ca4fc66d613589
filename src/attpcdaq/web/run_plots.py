"""Plots of observables, and of what the DAQ knows of each run, over the runs of an experiment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import get_current_timezone
from django.views.decorators.http import require_GET

from attpcdaq.runcontrol.planning.amounts import in_bytes
from attpcdaq.runlog.listing import Wanted, matching
from attpcdaq.runlog.measurements import Found, Quantity, RunLine, lines, quantities, series
from attpcdaq.runlog.models import Experiment, ValueType
from attpcdaq.web import points
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.plots import Axis
from attpcdaq.web.points import Point
from attpcdaq.web.run_filter import query_of, wanted_of
from attpcdaq.web.run_found import chosen_experiment

MOST_PLOTS = 4
MOST_RUNS = 1000
NUMBER, TIME = "number", "time"
NUMBERS_SHOWN = 100
FIGURES = ".12g"


@dataclass(frozen=True, slots=True)
class Plot:
    """A quantity drawn, or why it is not."""

    quantity: Quantity
    count: int
    svg: SafeString | str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Below:
    """The axis below: where each run is on it, from 0 to 1, and its marks."""

    name: str
    places: Sequence[float]
    marks: Sequence[tuple[float, str]]


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """One to four quantities against run number or time, of the runs that the filter leaves."""
    context: dict[str, Any] = {"event_id": latest_event_id(), "experiments": Experiment.objects.all()}
    experiment, (form, wanted) = chosen_experiment(request), wanted_of(request)
    context |= {"experiment": experiment, "form": form, "fields": [form[n] for n in form.fields if n != "sort"]}
    wrong = ""
    if experiment:
        offered = quantities(experiment)
        chosen, wrong = _chosen(request, offered)
        against = request.GET.get("x") or NUMBER
        wrong = wrong or ("" if against in (NUMBER, TIME) else f"x: use {NUMBER} or {TIME}.")
        context |= _choice(offered, chosen, against) | {"wrong": wrong}
        if wanted and not wrong:
            context |= _plotted(request, experiment, wanted, chosen, against)
        context["query"] = (
            f"{query_of(form, experiment.name)}&{urlencode([('y', each.key) for each in chosen] + [('x', against)])}"
        )
    return render(request, "runs/plots.html", context, status=200 if wanted and not wrong else 400)


def _chosen(request: HttpRequest, offered: Sequence[Quantity]) -> tuple[list[Quantity], str]:
    """What is asked for; without any, the first two that are numbers."""
    by_key = {each.key: each for each in offered}
    asked = list(dict.fromkeys(key for key in request.GET.getlist("y") if key))
    if unknown := [key for key in asked if key not in by_key]:
        return [], f"y: {unknown[0][:60]!r} is none of {', '.join(list(by_key)[:60])}."
    if len(asked) > MOST_PLOTS:
        return [], f"y: choose at most {MOST_PLOTS}."
    numbers = [each for each in offered if not each.is_text and not each.is_retired]
    return [by_key[key] for key in asked] or numbers[:2], ""


def _choice(offered: Sequence[Quantity], chosen: Sequence[Quantity], against: str) -> dict[str, Any]:
    """The four selects: groups of quantities, and which is chosen in each."""
    measured = [each for each in offered if each.observable]
    groups = (
        ("Observables", [each for each in measured if not each.is_retired]),
        ("Of the run", [each for each in offered if not each.observable]),
        ("Retired", [each for each in measured if each.is_retired]),
    )
    options = "".join(
        f'<optgroup label="{label}">{"".join(map(_option, rows))}</optgroup>' for label, rows in groups if rows
    )
    keys = [each.key for each in chosen] + [""] * (MOST_PLOTS - len(chosen))
    marked = [options.replace(f'value="{key}"', f'value="{key}" selected') if key else options for key in keys]
    labels = ("Plot", "And", "And", "And")
    # Four times all observables: written here, for a template takes its time.
    selects = [(n, label, mark_safe(each)) for n, (label, each) in enumerate(zip(labels, marked, strict=True), 1)]  # noqa: S308
    return {"selects": selects, "against": against}


def _option(quantity: Quantity) -> str:
    return f'<option value="{quantity.key}">{escape(str(quantity))}</option>'


def _plotted(
    request: HttpRequest, experiment: Experiment, wanted: Wanted, chosen: Sequence[Quantity], against: str
) -> dict[str, Any]:
    found_runs = lines(matching(experiment, wanted), MOST_RUNS + 1)
    runs = found_runs[-MOST_RUNS:]
    found = series(runs, chosen)
    rows = _with_values(runs, found)
    below = _below(runs, against)
    shown = rows if request.GET.get("numbers") == "all" else rows[:NUMBERS_SHOWN]
    return {
        "plots": [_plot(each, runs, found[each.key], below) for each in chosen],
        "chosen": chosen,
        "rows": rows,
        "numbers": _numbers(experiment, shown, chosen, found),
        "all_numbers": "numbers" in request.GET,
        "more": len(rows) - len(shown),
        "is_cut": len(found_runs) > MOST_RUNS,
        "most": MOST_RUNS,
        "run_count": len(runs),
    }


def _with_values(runs: Sequence[RunLine], found: Mapping[str, Mapping[int, Found]]) -> list[RunLine]:
    """The last first."""
    measured = set().union(*found.values())
    return [run for run in reversed(runs) if run.id in measured]


def _numbers(
    experiment: Experiment,
    runs: Sequence[RunLine],
    chosen: Sequence[Quantity],
    found: Mapping[str, Mapping[int, Found]],
) -> SafeString:
    """The rows of the table, written here: there may be a thousand."""
    above = escape(reverse("run-sheet", args=[experiment.name, 1]).removesuffix("1/"))
    kinds = [(found[each.key], "text" if each.is_text else "num") for each in chosen]
    rows, zone = [], get_current_timezone()
    for run in runs:
        cells = "".join([f'<td class="{kind}">{escape(_said(values.get(run.id, "")))}</td>' for values, kind in kinds])
        head = f'<th scope="row"><a href="{above}{run.number}/">Run {run.number}</a></th>'
        rows.append(f"<tr>{head}<td>{datetime.fromtimestamp(run.began, zone):%d %b %Y %H:%M}</td>{cells}</tr>")
    return mark_safe("".join(rows))  # noqa: S308  # every value was escaped


def _plot(
    quantity: Quantity,
    runs: Sequence[RunLine],
    values: Mapping[int, Found],
    below: Below,
) -> Plot:
    texts = list(dict.fromkeys(str(values[run.id]) for run in runs if run.id in values)) if quantity.is_text else []
    rank = {text: place for place, text in enumerate(texts)}
    heights = {pk: float(rank[str(value)] if texts else value) for pk, value in values.items()}
    if why_not := _why_not(list(heights.values()), len(texts)):
        return Plot(quantity, len(values), why_not=why_not)
    scale = points.categories(texts) if texts else points.numbers(list(heights.values()), _words(quantity))
    said = _titles(quantity)
    drawn = [
        Point(below.places[place], heights[run.id], f"Run {run.number}: {said(values[run.id])}", place)
        for place, run in enumerate(runs)
        if run.id in heights
    ]
    label = f"{quantity} over {below.name}, runs {runs[0].number} to {runs[-1].number}, {len(drawn)} values"
    return Plot(quantity, len(values), points.drawn(label, drawn, scale, below.marks))


def _why_not(heights: Sequence[float], texts: int) -> str:
    if not heights:
        return "None of these runs has a value."
    if texts > points.MOST_WORDS:
        return f"{texts} different texts: at most {points.MOST_WORDS} can be told apart here. See the numbers below."
    if max(map(abs, heights)) > points.LARGEST:
        return "A value is too large to be drawn. See the numbers below."
    return ""


def _titles(quantity: Quantity) -> Callable[[Found], str]:
    """How a value of it is said."""
    if quantity.key == "data":
        return lambda value: in_bytes(float(value))
    unit = f" {quantity.unit}" if quantity.unit else ""
    if quantity.value_type == ValueType.NUMBER:
        return lambda value: f"{value:{FIGURES}}{unit}"
    return lambda value: f"{value}{unit}"


def _said(value: Found) -> str:
    return f"{value:{FIGURES}}" if isinstance(value, float) else str(value)


def _words(quantity: Quantity) -> Callable[[float], str]:
    return in_bytes if quantity.key == "data" else lambda value: f"{value:.10g}"


def _below(runs: Sequence[RunLine], against: str) -> Below:
    """The same for all plots."""
    if not runs:
        return Below("", (), ())
    if against == NUMBER:
        low, high = runs[0].number, runs[-1].number
        places = [points.share(run.number, low, high) for run in runs]
        return Below("run number", places, points.run_marks(low, high))
    epochs = [run.began for run in runs]
    begin, end = min(epochs), max(epochs)
    edge = (end - begin) * points.EDGE / (1 - 2 * points.EDGE)
    marks = [(percent / 100, text) for percent, text in Axis(begin - edge, end + edge, 1.0).times()]
    return Below("time", [points.share(epoch, begin, end) for epoch in epochs], marks)
