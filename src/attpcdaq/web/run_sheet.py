"""The run sheet: everything about one run, and what the crew writes about it."""

from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.runcontrol.seeing.configurations import drifts_of
from attpcdaq.runlog import sheets
from attpcdaq.runlog.listing import duration
from attpcdaq.runlog.manifests import manifest_of
from attpcdaq.runlog.models import Observable, Run, RunClass
from attpcdaq.runlog.observables import ALLOWED
from attpcdaq.runlog.sheets import Edit, SheetRefusedError
from attpcdaq.web.audited import because
from attpcdaq.web.guard import operators_change
from attpcdaq.web.latest import latest_event_id
from attpcdaq.web.manifest_view import FILES_SHOWN, file_lines, progress_of
from attpcdaq.web.rates_drawn import run_html
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import may_operate


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the sheet's form: `was` is what the writer saw, `value` what is in the field."""

    key: str
    label: str
    value: str
    was: str
    hint: str = ""
    error: str = ""
    input_mode: str = "text"


def find_run(experiment: str, number: int) -> Run:
    """404 names what was asked for."""
    rows = Run.objects.select_related("experiment", "operator", "manifest")
    run = rows.filter(experiment__name=experiment, number=number).first() if experiment.isprintable() else None
    if run is None:
        raise Http404(f"There is no run {number} of {experiment!r}.")
    return run


def _fields(run: Run) -> dict[str, Field]:
    """The fields as they are stored."""
    stored = dict(run.measurements.values_list("observable_id", "value"))
    plain = [Field(key, label, getattr(run, key), getattr(run, key)) for key, label in sheets.RUN_FIELDS.items()]
    observables = Observable.objects.filter(experiment=run.experiment)
    return {field.key: field for field in (*plain, *(_measured(each, stored.get(each.pk, "")) for each in observables))}


def _measured(observable: Observable, value: str) -> Field:
    hint = observable.comment or ALLOWED[observable.value_type]  # type: ignore[index]  # choices of the model
    mode = {"integer": "numeric", "number": "decimal"}.get(observable.value_type, "text")
    return Field(f"observable-{observable.pk}", str(observable), value, value, hint, input_mode=mode)


@require_http_methods(["GET", "HEAD", "POST"])
@operators_change
def sheet(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """Show a run; POST saves what was changed on its sheet, all or nothing."""
    run = find_run(experiment, number)
    if request.method != "POST":
        return _page(request, run, _fields(run))
    edits = {
        name: Edit(request.POST.get(f"was-{name}", ""), str(value))
        for name, value in request.POST.items()
        if name in sheets.RUN_FIELDS or name.startswith("observable-")
    }
    try:
        changed = sheets.save(run, edits, requester_of(request))
    except SheetRefusedError as error:
        because(request, error.errors.values())
        return _page(request, run, _refused_fields(run, edits, error), status=409)
    messages.success(request, "The run sheet was saved." if changed else "There was nothing to save.")
    return redirect("run-sheet", experiment, number)


def _refused_fields(run: Run, edits: dict[str, Edit], error: SheetRefusedError) -> dict[str, Field]:
    """What the writer wrote beside what is stored now, so that saving again replaces it knowingly."""
    fields = _fields(run)
    for key, edit in edits.items():
        if key in fields and edit.now != edit.was:
            fields[key] = replace(fields[key], value=edit.now, error=error.errors.get(key, ""))
    return fields


@require_POST
@operators_change
def same_as_previous(request: HttpRequest, experiment: str, number: int) -> HttpResponse:
    """Fill what is empty with the previous run's values."""
    filled = sheets.copy_previous(find_run(experiment, number), requester_of(request))
    if filled:
        messages.success(request, f"Taken from the previous run: {', '.join(filled)}.")
    else:
        messages.info(request, "Nothing to take: no empty field has a value in an earlier run.")
    return redirect("run-sheet", experiment, number)


def _page(request: HttpRequest, run: Run, fields: dict[str, Field], status: int = 200) -> HttpResponse:
    context = _record(run) | _files(request, run) | {"may_operate": may_operate(request.user)}
    if "panels" in request.GET:
        return render(request, "runs/sheet_panels.html", context)
    context |= {
        "title": fields.pop("title"),
        "run_class": fields.pop("run_class"),
        "notes": fields.pop("notes"),
        "measured": list(fields.values()),
        "classes": RunClass.choices,
        "refused": status != 200,
        "previous": sheets.previous_with_values(run),
        "neighbours": _neighbours(run),
        "rates_html": run_html(run),
    }
    return render(request, "runs/sheet.html", context, status=status)


def _record(run: Run) -> dict[str, Any]:
    """What grows by itself while the page is looked at."""
    return {
        "event_id": latest_event_id(),
        "run": run,
        "seconds": duration(run),
        "drifts": drifts_of(run),
        "commands": run.commands.prefetch_related("steps").order_by("requested_at"),
    }


def _files(request: HttpRequest, run: Run) -> dict[str, Any]:
    """The files and what is proven of them; of very many only some are shown at first."""
    everything = request.GET.get("files") == "all"
    lines, progress = file_lines(run, None if everything else FILES_SHOWN), progress_of(run)
    return {
        "manifest": manifest_of(run),
        "progress": progress,
        "files": lines,
        "bad_files": sum(line.is_bad for line in lines),
        "file_count": run.files.count(),
        "files_query": "?files=all" if everything else "",
        "data_bytes": progress.of_bytes,
    }


def _neighbours(run: Run) -> dict[str, Run | None]:
    others = Run.objects.filter(experiment=run.experiment)
    return {
        "before": others.filter(number__lt=run.number).order_by("-number").first(),
        "after": others.filter(number__gt=run.number).order_by("number").first(),
    }
