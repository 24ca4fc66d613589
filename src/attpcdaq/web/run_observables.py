"""Observables of an experiment: add, change, order, remove."""

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.runlog import observables
from attpcdaq.runlog.models import Experiment, Observable
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
    wrong_fields(request, form)
    if experiment and form.is_valid():
        made = observables.add(experiment, requester_of(request), **form.cleaned_data)
        messages.success(request, f"Observable {made} was added.")
        return redirect(_address(experiment))
    context = {
        "form": form,
        "experiment": experiment,
        "experiments": Experiment.objects.all(),
        "observables": _with_use(experiment) if experiment else (),
        "may_operate": may_operate(request.user),
    }
    return render(request, "runs/observables.html", context, status=400 if form.is_bound else 200)


def _with_use(experiment: Experiment) -> QuerySet[Observable]:
    return experiment.observables.annotate(used=Count("measurements")).order_by("position", "id")


def _address(experiment: Experiment) -> str:
    return f"{reverse('observables')}?{urlencode({'experiment': experiment.name})}"


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change name, type, unit or comment."""
    row = get_object_or_404(Observable.objects.select_related("experiment"), pk=pk)
    form = ObservableForm(request.POST or None, instance=row, experiment=row.experiment)
    wrong_fields(request, form)
    if form.is_valid():
        observables.change(row, requester_of(request), **form.cleaned_data)
        messages.success(request, f"Observable {form.cleaned_data['name']} was changed.")
        return redirect(_address(row.experiment))
    context = {"form": form, "observable": row, "back": _address(row.experiment)}
    return render(request, "runs/observable.html", context, status=400 if form.is_bound else 200)


@require_POST
@operators_change
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """One place up or down (`direction`)."""
    row = get_object_or_404(Observable.objects.select_related("experiment"), pk=pk)
    order = list(row.experiment.observables.values_list("pk", flat=True))
    place = order.index(pk)
    target = place + {"up": -1, "down": 1}.get(request.POST.get("direction", ""), 0)
    if 0 <= target < len(order):
        order[place], order[target] = order[target], order[place]
        observables.reorder(row.experiment, order, requester_of(request))
    return redirect(_address(row.experiment))


@require_POST
@operators_change
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove one that no run uses."""
    row = get_object_or_404(Observable.objects.select_related("experiment"), pk=pk)
    if not observables.remove(row, requester_of(request)):
        return refused(request, [f"{row.name} has recorded values and cannot be removed."])
    messages.success(request, f"Observable {row.name} was removed.")
    return redirect(_address(row.experiment))
