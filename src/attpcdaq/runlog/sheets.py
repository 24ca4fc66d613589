"""The run sheet: what the crew writes about a run, field by field, so that two people may write at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import Measurement, Observable, Run, RunClass
from attpcdaq.runlog.observables import ValueRefusedError, clean_value, plain

TITLE_LENGTH = 200
NOTES_LENGTH = 20_000
SAID_LENGTH = 500  # of an old or new value in the audit trail
RUN_FIELDS = {"title": "Title", "run_class": "Class", "notes": "Notes"}


@dataclass(frozen=True, slots=True)
class Edit:
    """A field as the writer saw it, and as it shall be."""

    was: str
    now: str


class SheetRefusedError(Exception):
    """Nothing was saved: `errors` maps field names ("title", "observable-3") to what is wrong and what is allowed."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@transaction.atomic
def save(run: Run, edits: Mapping[str, Edit], by: Requester) -> tuple[str, ...]:
    """Save what a writer changed, all or nothing; returns the names of the fields changed.

    A field which somebody else changed meanwhile to something else is refused, with their value.
    """
    stored = _locked_values(run)
    wanted, errors = _checked(edits, stored)
    errors |= _conflicts(edits, stored, wanted)
    if errors:
        raise SheetRefusedError(errors)
    changed = tuple(key for key, value in wanted.items() if value != stored[key].value)
    for key in changed:
        _write(run, stored[key].observable, key, wanted[key])
    if changed:
        add_event("run", f"Run sheet: {', '.join(stored[key].label for key in changed)} by {by.name}", subject=str(run))
        said = (_change(stored[key], wanted[key]) for key in changed)
        record(by, "run sheet", Outcome.DONE, subject=str(run), text="; ".join(said))
    return changed


@dataclass(frozen=True, slots=True)
class _Field:
    label: str
    value: str
    observable: Observable | None = None


def _change(field: _Field, value: str) -> str:
    return f"{field.label}: {field.value[:SAID_LENGTH]!r} -> {value[:SAID_LENGTH]!r}"


def _locked_values(run: Run) -> dict[str, _Field]:
    """The fields as they are now; the run's row is held, so writers of one sheet follow each other."""
    row = Run.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)
    fields = {key: _Field(label, getattr(row, key)) for key, label in RUN_FIELDS.items()}
    values = dict(row.measurements.values_list("observable_id", "value"))
    # Held too: an observable may only be removed while nobody is writing a value for it.
    for observable in Observable.objects.select_for_update().filter(experiment=row.experiment_id).order_by("id"):
        key = f"observable-{observable.pk}"
        fields[key] = _Field(observable.name, values.get(observable.pk, ""), observable)
    return fields


def _checked(edits: Mapping[str, Edit], stored: Mapping[str, _Field]) -> tuple[dict[str, str], dict[str, str]]:
    wanted: dict[str, str] = {}
    errors: dict[str, str] = {}
    for key, edit in edits.items():
        if edit.now == edit.was:
            continue
        try:
            wanted[key] = _clean(key, edit.now, stored)
        except ValueError as error:
            errors[key] = str(error)
    return wanted, errors


def _clean(key: str, text: str, stored: Mapping[str, _Field]) -> str:
    if key not in stored:
        raise ValueError("This field is not part of the run sheet any more; load the page again.")
    observable = stored[key].observable
    return clean_value(observable, text) if observable else _clean_run_field(key, text)


def _clean_run_field(key: str, text: str) -> str:
    if key == "run_class" and text not in RunClass.values:
        raise ValueError(f"Class: {text[:60]!r} is not one of {', '.join(RunClass.values)}.")
    if key == "title":
        text = plain(text)
        if len(text) > TITLE_LENGTH or not text.isprintable():
            raise ValueError(f"Title: use one line of at most {TITLE_LENGTH} printable characters.")
    if key == "notes":
        text = plain(text.replace("\r\n", "\n"))
        if len(text) > NOTES_LENGTH or not all(c.isprintable() or c in "\n\t" for c in text):
            raise ValueError(f"Notes: use at most {NOTES_LENGTH} printable characters.")
    return text


def _conflicts(edits: Mapping[str, Edit], stored: Mapping[str, _Field], wanted: Mapping[str, str]) -> dict[str, str]:
    """Fields whose stored value is neither what the writer saw nor what the writer wants."""
    fields = {key: stored[key] for key, value in wanted.items() if stored[key].value not in (_seen(edits[key]), value)}
    return {key: _meanwhile(field) for key, field in fields.items()}


def _meanwhile(field: _Field) -> str:
    theirs = repr(field.value[:200]) if field.value else "nothing"
    return f"{field.label}: somebody else wrote {theirs} meanwhile; save again to replace it."


def _seen(edit: Edit) -> str:
    return edit.was.replace("\r\n", "\n")


def _write(run: Run, observable: Observable | None, key: str, value: str) -> None:
    if observable is None:
        Run.objects.filter(pk=run.pk).update(**{key: value})
    elif value:
        Measurement.objects.update_or_create(run=run, observable=observable, defaults={"value": value})
    else:
        Measurement.objects.filter(run=run, observable=observable).delete()


def previous_with_values(run: Run) -> Run | None:
    """The latest earlier run of the experiment on whose sheet something is measured."""
    earlier = Run.objects.filter(experiment=run.experiment, number__lt=run.number, measurements__isnull=False)
    return earlier.order_by("-number").first()


@transaction.atomic
def copy_previous(run: Run, by: Requester) -> tuple[str, ...]:
    """Take the previous run's values where this one has none; returns the names of the observables filled."""
    stored = _locked_values(run)
    previous = previous_with_values(run)
    if previous is None:
        return ()
    filled = {}
    for measurement in previous.measurements.select_related("observable"):
        field = stored.get(f"observable-{measurement.observable_id}")
        if field and not field.value and _still_fits(measurement):
            Measurement.objects.create(run=run, observable=measurement.observable, value=measurement.value)
            filled[field.label] = measurement.value
    if filled:
        said = f"{', '.join(filled)} as in run {previous.number}"
        add_event("run", f"Run sheet: {said}, by {by.name}", subject=str(run))
        text = "; ".join(f"{label}: {value!r}" for label, value in filled.items())
        record(by, "run sheet", Outcome.DONE, subject=str(run), text=f"As in run {previous.number}: {text}")
    return tuple(filled)


def _still_fits(measurement: Measurement) -> bool:
    try:
        return bool(clean_value(measurement.observable, measurement.value))
    except ValueRefusedError:
        return False
