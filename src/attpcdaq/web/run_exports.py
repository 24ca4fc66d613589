"""The runs that the list shows, as a file to be saved."""

from collections.abc import Callable
from tempfile import TemporaryFile

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from attpcdaq.runlog import workbook
from attpcdaq.runlog.exports import csv_lines, json_parts
from attpcdaq.runlog.listing import by_number, matching
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.web.guard import refused
from attpcdaq.web.run_filter import wanted_of
from attpcdaq.web.run_found import chosen_experiment

Asked = dict[str, str]
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _csv(experiment: Experiment, runs: QuerySet[Run], asked: Asked) -> HttpResponseBase:
    return StreamingHttpResponse(csv_lines(experiment, runs), content_type="text/csv; charset=utf-8")


def _json(experiment: Experiment, runs: QuerySet[Run], asked: Asked) -> HttpResponseBase:
    return StreamingHttpResponse(json_parts(experiment, runs, asked), content_type="application/json")


def _xlsx(experiment: Experiment, runs: QuerySet[Run], asked: Asked) -> HttpResponseBase:
    file = TemporaryFile()  # noqa: SIM115  # the answer closes it when it was sent
    workbook.write(file, experiment, runs, asked)
    file.seek(0)
    return FileResponse(file, content_type=EXCEL)


FORMATS: dict[str, Callable[[Experiment, QuerySet[Run], Asked], HttpResponseBase]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
}


def exported(experiment: Experiment, runs: QuerySet[Run], kind: str, asked: Asked) -> HttpResponseBase:
    """These runs in one of FORMATS, to be saved under the experiment's name."""
    answer = FORMATS[kind](experiment, runs, asked)
    answer.headers["Content-Disposition"] = f'attachment; filename="{experiment.name}_runs.{kind}"'
    return answer


@require_GET
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The runs that the list shows with the same query."""
    experiment, (form, wanted) = chosen_experiment(request), wanted_of(request)
    if experiment is None:
        raise Http404("There is no experiment yet.")
    if wanted is None:
        return refused(request, form.reasons(), 400)
    return exported(experiment, by_number(matching(experiment, wanted), wanted), kind, form.asked)
