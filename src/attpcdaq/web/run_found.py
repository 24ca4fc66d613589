"""The run or the experiment that an address names, or a page that says that there is none."""

from django.http import Http404, HttpRequest

from attpcdaq.runlog import experiments
from attpcdaq.runlog.listing import NoSuchRunError, find_experiment, find_run
from attpcdaq.runlog.models import Experiment, Run


def found_run(experiment: str, number: int) -> Run:
    """404 names what was asked for."""
    try:
        return find_run(experiment, number)
    except NoSuchRunError as error:
        raise Http404(str(error)) from None


def chosen_experiment(request: HttpRequest) -> Experiment | None:
    """The experiment of ?experiment=, else the active one, else the newest; 404 names the known ones."""
    name = request.GET.get("experiment", "")
    if not name:
        return experiments.active() or Experiment.objects.first()
    found = find_experiment(name)
    if found is None:
        known = ", ".join(Experiment.objects.values_list("name", flat=True)) or "none"
        raise Http404(f"There is no experiment {name[:80]!r}; known: {known}.")
    return found
