"""Observables of an experiment: add, change, order, retire, bring back, copy, remove."""

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.runlog import observables
from attpcdaq.runlog.models import Experiment, Measurement, Observable
from attpcdaq.runlog.observables import ObservableRefusedError
from attpcdaq.runlog.values import limits, outside
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.forms_runs import ObservableForm
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_operate
from attpcdaq.web.run_found import chosen_experiment


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def overview(request: HttpRequest) -> HttpResponse:
    """The list; POST adds one at its end."""
    experiment = chosen_experiment(request)
    if request.method == "POST" and experiment is None:
        raise Http404("There is no experiment yet.")
    form = ObservableForm(request.POST or None, experiment=experiment)
    if experiment and form.is_valid():
        try:
            made = observables.add(experiment, requester_of(request), **form.cleaned_data)
            messages.success(request, f"Observable {made} was added.")
            return redirect(_address(experiment))
        except ObservableRefusedError as error:
            form.refuse(error.errors)
    wrong_fields(request, form)
    context = _listed(request, experiment) | {"form": form, "experiments": Experiment.objects.all()}
    return render(request, "runs/observables.html", context, status=400 if form.is_bound else 200)


def _listed(request: HttpRequest, experiment: Experiment | None) -> dict[str, Any]:
    rows = experiment.observables.order_by("position", "id") if experiment else ()
    counts = Measurement.objects.filter(observable__in=rows).order_by().values_list("observable").annotate(Count("id"))
    used = dict(counts) if rows else {}
    said = [(row, limits(row), used.get(row.pk, 0)) for row in rows]
    others = Experiment.objects.exclude(pk=experiment.pk).annotate(count=Count("observables")) if experiment else None
    return {
        "experiment": experiment,
        "base": reverse("observables"),
        "observables": [each for each in said if each[0].retired_at is None],
        "retired": [each for each in said if each[0].retired_at],
        "sources": others.filter(count__gt=0) if others else (),
        "may_operate": may_operate(request.user),
    }


def _address(experiment: Experiment) -> str:
    return f"{reverse('observables')}?{urlencode({'experiment': experiment.name})}"


def _found(pk: int) -> Observable:
    return get_object_or_404(Observable.objects.select_related("experiment"), pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change name, type, unit, comment, limits, and whether it is required."""
    row = _found(pk)
    form = ObservableForm(request.POST or None, instance=_found(pk), experiment=row.experiment)
    if form.is_valid():
        try:
            _say_changed(request, row, observables.change(row, requester_of(request), **form.cleaned_data))
            return redirect(_address(row.experiment))
        except ObservableRefusedError as error:
            form.refuse(error.errors)
    wrong_fields(request, form)
    context = {"form": form, "observable": row, "back": _address(row.experiment), "outside": outside(row)}
    return render(request, "runs/observable.html", context, status=400 if form.is_bound else 200)


def _say_changed(request: HttpRequest, row: Observable, changed: bool) -> None:
    row.refresh_from_db()
    messages.success(request, f"Observable {row.name} was {'changed' if changed else 'left as it was'}.")
    if beyond := outside(row):
        more = f" and {len(beyond) - 5} more" if len(beyond) > 5 else ""
        messages.warning(request, f"Outside the limits ({limits(row)}), and kept: {', '.join(beyond[:5])}{more}.")


@require_POST
@operators_change
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """One place up or down (`direction`)."""
    row = _found(pk)
    order = list(observables.in_use(row.experiment).values_list("pk", flat=True))
    place = order.index(pk) if pk in order else -1
    target = place + {"up": -1, "down": 1}.get(request.POST.get("direction", ""), 0)
    if place >= 0 and 0 <= target < len(order):
        order[place], order[target] = order[target], order[place]
        observables.reorder(row.experiment, order, requester_of(request))
    return _ordered(
        request, row.experiment, f"{row.name} is now {order.index(pk) + 1} of {len(order)}." if place >= 0 else ""
    )


@require_POST
@operators_change
def order(request: HttpRequest) -> HttpResponse:
    """Put them into the order of `order`, their ids with commas between; what it does not name follows."""
    experiment = chosen_experiment(request)
    if experiment is None:
        raise Http404("There is no experiment yet.")
    ids = request.POST.get("order", "").split(",")
    if not all(each.isascii() and each.isdigit() and len(each) < 19 for each in ids):
        return refused(request, ["order: use the ids of observables with commas between, as in 3,1,2."], 400)
    observables.reorder(experiment, [int(each) for each in ids], requester_of(request))
    return _ordered(request, experiment, "The new order is kept.")


def _ordered(request: HttpRequest, experiment: Experiment, said: str) -> HttpResponse:
    """Only the list where a script asked."""
    if not request.headers.get("HX-Request"):
        return redirect(_address(experiment))
    return render(request, "runs/observables_list.html", _listed(request, experiment) | {"said": said})


@require_POST
@operators_change
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for it no more."""
    row = _found(pk)
    if not observables.retire(row, requester_of(request)):
        return refused(request, [f"{row.name} is retired already."])
    messages.success(request, f"{row.name} is not asked for any more; its values stay.")
    return redirect(_address(row.experiment))


@require_POST
@operators_change
def bring_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for it again."""
    row = _found(pk)
    if not observables.bring_back(row, requester_of(request)):
        return refused(request, [f"{row.name} is not retired."])
    messages.success(request, f"{row.name} is asked for again, at the end of the sheet.")
    return redirect(_address(row.experiment))


@require_POST
@operators_change
def copy(request: HttpRequest) -> HttpResponse:
    """Add those of the experiment `source`."""
    experiment = chosen_experiment(request)
    source = Experiment.objects.filter(name=request.POST.get("source", "")[:64].replace("\0", "")).first()
    if experiment is None or source is None or source == experiment:
        return refused(request, ["source: choose another experiment to copy from."], 400)
    copied, there = observables.copy_from(source, experiment, requester_of(request))
    kept = f" There already: {', '.join(there)}." if there else ""
    messages.success(request, f"Copied from {source}: {', '.join(copied) or 'nothing'}.{kept}")
    return redirect(_address(experiment))


@require_POST
@operators_change
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove one that no run uses."""
    row = _found(pk)
    if not observables.remove(row, requester_of(request)):
        return refused(request, [f"{row.name} has recorded values and cannot be removed; retire it instead."])
    messages.success(request, f"Observable {row.name} was removed.")
    return redirect(_address(row.experiment))
