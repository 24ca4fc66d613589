"""Experiments: make, rename, choose the active one."""

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import activate_experiment, create_experiment, rename_experiment
from attpcdaq.runlog.experiments import ExperimentRefusedError
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.listing import find_experiment
from attpcdaq.runlog.models import Experiment
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.forms_runs import ExperimentForm, RenameForm
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_operate


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def overview(request: HttpRequest) -> HttpResponse:
    """The list; POST makes a new experiment."""
    form = ExperimentForm(request.POST or None)
    if form.is_valid():
        try:
            experiment = create_experiment(form.cleaned_data["name"], requester_of(request))
            messages.success(request, f"Experiment {experiment.name} was created. Runs go to the active experiment.")
            return redirect("experiments")
        except ExperimentRefusedError as error:
            form.add_error("name", str(error))
    wrong_fields(request, form)
    context = {
        "form": form,
        "experiments": Experiment.objects.annotate(run_count=Count("runs")).order_by("-created_at", "-id"),
        "open_run": open_run(),
        "may_operate": may_operate(request.user),
    }
    return render(request, "runs/experiments.html", context, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def rename(request: HttpRequest, experiment: str) -> HttpResponse:
    """Call an experiment by another name."""
    row = find_experiment(experiment)
    if row is None:
        raise Http404(f"There is no experiment {experiment[:80]!r}.")
    form = RenameForm(request.POST or None, initial={"name": row.name})
    if form.is_valid():
        try:
            new = rename_experiment(row.name, form.cleaned_data["name"], requester_of(request))
            messages.success(request, f"{row.name} is now called {new.name}; its data lie in {new.data_directory}/.")
            return redirect("experiments")
        except ExperimentRefusedError as error:
            form.add_error("name", str(error))
    wrong_fields(request, form)
    context = {"form": form, "experiment": row, "may_operate": may_operate(request.user)}
    return render(request, "runs/experiment.html", context, status=400 if form.is_bound else 200)


@require_POST
@operators_change
def activate(request: HttpRequest) -> HttpResponse:
    """Make another experiment the active one."""
    try:
        experiment = activate_experiment(request.POST.get("name", ""), requester_of(request))
    except ExperimentRefusedError as error:
        return refused(request, [str(error)])
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    messages.success(request, f"Experiment {experiment.name} is active: new runs belong to it.")
    return redirect("experiments")
