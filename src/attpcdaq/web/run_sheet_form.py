"""The form of the run sheet: its fields, what is saved of them, and what a writer gets back who was refused."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from attpcdaq.runlog import sheets
from attpcdaq.runlog.models import Observable, Run, RunClass, ValueType
from attpcdaq.runlog.sheet_fields import key_of
from attpcdaq.runlog.sheets import Edit, Saved, SheetRefusedError
from attpcdaq.runlog.values import ALLOWED, limits
from attpcdaq.web.audited import because
from attpcdaq.web.requester import requester_of

HISTORY_SHOWN = 100


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
    unit: str = ""
    required: bool = False
    retired: bool = False
    previous: str = ""
    """What the previous run has there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was saved: the fields to be shown again, and the status of the answer."""

    fields: Mapping[str, Field]
    status: int
    lost: tuple[str, ...] = ()
    """Of fields that the sheet has no more: what is wrong, and what was written there."""


def form_context(run: Run, refusal: Refusal | None = None) -> dict[str, Any]:
    """What runs/sheet_form.html shows: the fields as stored, or what a refused writer wrote."""
    previous = sheets.previous_with_values(run)
    shown = dict(refusal.fields if refusal else _stored(run))
    for key, value in sheets.offered_by(previous).items():
        if field := shown.get(key):
            shown[key] = replace(field, previous=value)
    return {
        "title": shown.pop("title"),
        "run_class": shown.pop("run_class"),
        "run_notes": shown.pop("notes"),
        "measured": list(shown.values()),
        "to_fill": any(field.previous and not field.value for field in shown.values()),
        "classes": RunClass.choices,
        "refused": refusal is not None,
        "errors": [field for field in refusal.fields.values() if field.error] if refusal else [],
        "lost": refusal.lost if refusal else (),
        "previous": previous,
    }


def history_context(run: Run) -> dict[str, Any]:
    """What runs/sheet_history.html and runs/sheet_state.html show, live panels."""
    required = Observable.objects.filter(experiment=run.experiment_id, required=True, retired_at=None)
    ids = dict(required.values_list("name", "pk"))
    return {
        "missing": [(name, key_of(ids[name])) for name in sheets.missing(run) if name in ids],
        "requires": bool(ids),
        "history": run.sheet_changes.all()[:HISTORY_SHOWN],
        "history_count": run.sheet_changes.count(),
    }


def save(request: HttpRequest, run: Run) -> Refusal | None:
    """Save what was sent, all or nothing; with `same` (keys or "all") the previous run's values as well."""
    edits = {
        name: Edit(request.POST.get(f"was-{name}", ""), str(value))
        for name, value in request.POST.items()
        if name in sheets.RUN_FIELDS or name.startswith("observable-")
    }
    same = request.POST.getlist("same")
    try:
        saved = sheets.save_and_fill(run, edits, same, requester_of(request))
    except SheetRefusedError as error:
        because(request, error.errors.values())
        return _refusal(run, error)
    _say(request, run, saved, bool(same))
    return None


def _say(request: HttpRequest, run: Run, saved: Saved, asked: bool) -> None:
    """What was saved, and what is still to be filled in."""
    left = f" Still to fill in: {', '.join(names)}." if (names := sheets.missing(run)) else ""
    if saved.filled:
        messages.success(request, f"Taken from the previous run: {', '.join(saved.filled)}.{left}")
    elif saved.changed:
        messages.success(request, f"The run sheet was saved.{left}")
    elif asked:
        messages.info(request, f"Nothing to take: no empty field has a value in an earlier run.{left}")
    else:
        messages.success(request, f"There was nothing to save.{left}")


def _stored(run: Run, written: Collection[str] = ()) -> dict[str, Field]:
    """The fields as they are stored; of a retired observable only where a value is, or was just written."""
    stored = dict(run.measurements.values_list("observable_id", "value"))
    plain = [Field(key, label, getattr(run, key), getattr(run, key)) for key, label in sheets.RUN_FIELDS.items()]
    observables = Observable.objects.filter(experiment=run.experiment).order_by("position", "id")
    shown = sorted(
        (each for each in observables if each.retired_at is None or each.pk in stored or key_of(each.pk) in written),
        key=lambda each: each.retired_at is not None,
    )
    return {field.key: field for field in (*plain, *(_measured(each, stored.get(each.pk, "")) for each in shown))}


def _measured(observable: Observable, value: str) -> Field:
    hints = (
        observable.comment or ALLOWED[ValueType(observable.value_type)],
        limits(observable),
        "retired: not asked for any more" if observable.retired_at else "",
    )
    return Field(
        key_of(observable.pk),
        observable.name,
        value,
        value,
        hint=" · ".join(filter(None, hints)),
        input_mode=_input_mode(observable),
        unit=observable.unit,
        required=observable.required and observable.retired_at is None,
        retired=observable.retired_at is not None,
    )


def _input_mode(observable: Observable) -> str:
    """The keyboard of a phone; those for numbers lack the minus on some, so not where the limits allow less than 0."""
    if observable.value_type == ValueType.TEXT or (observable.minimum is not None and observable.minimum < 0):
        return "text"
    return "numeric" if observable.value_type == ValueType.INTEGER else "decimal"


def _refusal(run: Run, error: SheetRefusedError) -> Refusal:
    """What the writer wants beside what is stored now, so that saving again replaces it knowingly."""
    written = {key: edit.now for key, edit in error.edits.items() if edit.now != edit.was}
    fields = {
        key: replace(field, value=written.get(key, field.value), error=error.errors.get(key, ""))
        for key, field in _stored(run, written).items()
    }
    lost = tuple(f"{text} You wrote: {written[key]}" for key, text in error.errors.items() if key not in fields)
    return Refusal(fields, 409 if error.is_conflict else 400, lost)
