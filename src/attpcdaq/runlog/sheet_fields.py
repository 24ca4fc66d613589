"""The fields of a run sheet: as they are stored, what may be written into them, and writing one."""

from collections.abc import Mapping
from dataclasses import dataclass

from attpcdaq.runlog.models import Measurement, Observable, Run, RunClass
from attpcdaq.runlog.values import clean_value, plain

TITLE_LENGTH = 200
NOTES_LENGTH = 20_000
RUN_FIELDS = {"title": "Title", "run_class": "Class", "notes": "Notes"}


@dataclass(frozen=True, slots=True)
class StoredField:
    """A field as it is now; a measured one knows its observable."""

    label: str
    value: str
    observable: Observable | None = None

    @property
    def name(self) -> str:
        """As the history of the sheet calls it."""
        return self.observable.name if self.observable else self.label


def key_of(observable_id: int) -> str:
    """How forms call the field of an observable."""
    return f"observable-{observable_id}"


def locked(run: Run) -> tuple[Run, dict[str, StoredField]]:
    """Run and fields as they are now, by key; the run's row is held, so writers of one sheet follow each other."""
    row = Run.objects.select_for_update(of=("self",), no_key=True).get(pk=run.pk)
    fields = {key: StoredField(label, getattr(row, key)) for key, label in RUN_FIELDS.items()}
    values = dict(row.measurements.values_list("observable_id", "value"))
    # Held too: an observable may only be removed, and its type changed, while nobody is writing a value for it.
    for observable in Observable.objects.select_for_update().filter(experiment=row.experiment_id).order_by("id"):
        fields[key_of(observable.pk)] = StoredField(observable.name, values.get(observable.pk, ""), observable)
    return row, fields


def clean(key: str, text: str, stored: Mapping[str, StoredField]) -> str:
    """The value as it is stored; ValueError names the field and what is allowed."""
    if key not in stored:
        raise ValueError("This field is not part of the run sheet any more.")
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


def write(run: Run, key: str, field: StoredField, value: str) -> None:
    """Store a clean value."""
    if field.observable is None:
        Run.objects.filter(pk=run.pk).update(**{key: value})
    elif value:
        Measurement.objects.update_or_create(run=run, observable=field.observable, defaults={"value": value})
    else:
        Measurement.objects.filter(run=run, observable=field.observable).delete()
