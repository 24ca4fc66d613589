"""The form of the run sheet: its fields, what is saved of them, and what a writer gets back who was refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from attpcdaq.runlog import sheets
from attpcdaq.runlog.models import Observable, Run, RunClass
from attpcdaq.runlog.values import ALLOWED
from attpcdaq.runlog.sheets import Edit, SheetRefusedError
from attpcdaq.web.audited import because
from attpcdaq.web.requester import requester_of


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was saved: the fields to be shown again, and the status of the answer."""

    fields: Mapping[str, Field]
    status: int = 409


def form_context(run: Run, refusal: Refusal | None = None) -> dict[str, Any]:
    """What runs/sheet_form.html and runs/sheet_history.html show: as stored, or what a refused writer wrote."""
    shown = dict(refusal.fields if refusal else _stored(run))
    return {
        "title": shown.pop("title"),
        "run_class": shown.pop("run_class"),
        "notes": shown.pop("notes"),
        "measured": list(shown.values()),
        "classes": RunClass.choices,
        "refused": refusal is not None,
        "previous": sheets.previous_with_values(run),
    }


def history_context(run: Run) -> dict[str, Any]:
    """What runs/sheet_history.html shows, a live panel."""
    return {"history": run.sheet_changes.all()}


def save(request: HttpRequest, run: Run) -> Refusal | None:
    """Save what was sent, all or nothing."""
    edits = {
        name: Edit(request.POST.get(f"was-{name}", ""), str(value))
        for name, value in request.POST.items()
        if name in sheets.RUN_FIELDS or name.startswith("observable-")
    }
    try:
        changed = sheets.save(run, edits, requester_of(request))
    except SheetRefusedError as error:
        because(request, error.errors.values())
        return Refusal(_refused_fields(run, edits, error))
    messages.success(request, "The run sheet was saved." if changed else "There was nothing to save.")
    return None


def fill_from_previous(request: HttpRequest, run: Run) -> None:
    """Fill what is empty with the previous run's values."""
    filled = sheets.copy_previous(run, requester_of(request))
    if filled:
        messages.success(request, f"Taken from the previous run: {', '.join(filled)}.")
    else:
        messages.info(request, "Nothing to take: no empty field has a value in an earlier run.")


def _stored(run: Run) -> dict[str, Field]:
    stored = dict(run.measurements.values_list("observable_id", "value"))
    plain = [Field(key, label, getattr(run, key), getattr(run, key)) for key, label in sheets.RUN_FIELDS.items()]
    observables = Observable.objects.filter(experiment=run.experiment)
    return {field.key: field for field in (*plain, *(_measured(each, stored.get(each.pk, "")) for each in observables))}


def _measured(observable: Observable, value: str) -> Field:
    hint = observable.comment or ALLOWED[observable.value_type]  # type: ignore[index]  # choices of the model
    mode = {"integer": "numeric", "number": "decimal"}.get(observable.value_type, "text")
    return Field(f"observable-{observable.pk}", str(observable), value, value, hint, input_mode=mode)


def _refused_fields(run: Run, edits: dict[str, Edit], error: SheetRefusedError) -> dict[str, Field]:
    """What the writer wrote beside what is stored now, so that saving again replaces it knowingly."""
    fields = _stored(run)
    for key, edit in edits.items():
        if key in fields and edit.now != edit.was:
            fields[key] = replace(fields[key], value=edit.now, error=error.errors.get(key, ""))
    return fields
