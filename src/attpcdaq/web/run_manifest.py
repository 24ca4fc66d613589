"""A run's manifest: the JSON file, and asking for it to be made anew."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from attpcdaq.runcontrol.asking.checks import check_again
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runlog.manifest_file import document
from attpcdaq.runlog.manifests import manifest_of
from attpcdaq.web.guard import operators_change, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.run_found import found_run


@require_GET
def download(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """What lies beside the data on each node."""
    run = found_run(experiment, number)
    if manifest_of(run) is None:
        raise Http404(f"Run {number} of {experiment!r} has no manifest.")
    name = f"{experiment}_run_{number:04d}_manifest.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return JsonResponse(document(run), json_dumps_params={"indent": 1}, headers=headers)


@require_POST
@operators_change
def check(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """Read all its files once more."""
    run = found_run(experiment, number)
    try:
        check_again(run, requester_of(request), timezone.now())
    except CommandRefused as refusal:
        return refused(request, refusal.reasons)
    messages.success(request, f"The files of run {number} are being checked once more.")
    return redirect("run-sheet", experiment, number)
