"""Experiments: the list, a new one, the active one."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import activate_experiment
from attpcdaq.runlog import experiments
from attpcdaq.runlog.experiments import ExperimentRefusedError
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.models import Experiment
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.forms_runs import ExperimentForm
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
            experiment = experiments.create(form.cleaned_data["name"], requester_of(request))
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
