"""Observables: what the crew records for each run, and which values are allowed."""

import math
import re
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.runlog.models import Experiment, Observable, ValueType

INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MAX_LENGTH = 200
ALLOWED = {
    ValueType.INTEGER: "a whole number, as in 42",
    ValueType.NUMBER: "a number with a decimal point, as in 3.14 or 1e-3",
    ValueType.TEXT: f"a line of at most {MAX_LENGTH} printable characters",
}


class ValueRefusedError(ValueError):
    """A value that does not fit; the text names the observable and what is allowed."""


def plain(text: str) -> str:
    """Without blanks at the ends; the hard blanks that word processors leave become plain ones."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").strip()


def clean_value(observable: Observable, text: str) -> str:
    """The value as it is stored, "" for none; ValueRefusedError."""
    value = plain(text)
    if value and not _fits(ValueType(observable.value_type), value):
        raise ValueRefusedError(f"{observable}: {value[:60]!r} is not {ALLOWED[ValueType(observable.value_type)]}.")
    return value


def _fits(value_type: ValueType, value: str) -> bool:
    if len(value) > MAX_LENGTH or not value.isprintable():
        return False
    if value_type == ValueType.INTEGER:
        return bool(INTEGER.fullmatch(value))
    if value_type == ValueType.NUMBER:
        return bool(NUMBER.fullmatch(value)) and math.isfinite(float(value))
    return True


def number(observable: Observable, value: str) -> int | float | str:
    """A stored value as the analysis wants it: int, float or text."""
    if observable.value_type == ValueType.INTEGER:
        return int(value)
    return float(value) if observable.value_type == ValueType.NUMBER else value


@transaction.atomic
def add(experiment: Experiment, by: Requester, name: str, value_type: str, unit: str, comment: str) -> Observable:
    """A new observable, at the end."""
    last = experiment.observables.aggregate(last=Max("position"))["last"]
    made = Observable.objects.create(
        experiment=experiment,
        name=name,
        value_type=value_type,
        unit=unit,
        comment=comment,
        position=0 if last is None else last + 1,
    )
    record(by, "add observable", Outcome.DONE, subject=f"{experiment}: {name}", text=_described(made))
    return made


def _described(row: Observable) -> str:
    return ", ".join(filter(None, (row.name, row.value_type, row.unit, row.comment)))


@transaction.atomic
def change(observable: Observable, by: Requester, **fields: str) -> None:
    """Give an observable another name, type, unit or comment; the form has checked them."""
    row = Observable.objects.select_for_update(of=("self",)).select_related("experiment").get(pk=observable.pk)
    was = _described(row)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
    text = f"{was} -> {_described(row)}"
    record(by, "change observable", Outcome.DONE, subject=f"{row.experiment}: {row.name}", text=text)


def unfit_values(observable: Observable, value_type: str) -> list[str]:
    """The runs whose recorded value would not fit another type."""
    wanted = ValueType(value_type)
    found = observable.measurements.select_related("run").order_by("run__number")
    return [f"run {each.run.number}: {each.value}" for each in found if not _fits(wanted, each.value)]


@transaction.atomic
def reorder(experiment: Experiment, order: Sequence[int], by: Requester) -> None:
    """Put observables into the order of their ids; the ones not named follow as they were."""
    rows = experiment.observables.select_for_update().order_by("id")
    rank = {pk: index for index, pk in enumerate(order)}
    ranked = sorted(rows, key=lambda row: (rank.get(row.pk, len(rank)), row.position, row.pk))
    for position, row in enumerate(ranked):
        Observable.objects.filter(pk=row.pk).update(position=position)
    text = ", ".join(row.name for row in ranked)
    record(by, "order observables", Outcome.DONE, subject=str(experiment), text=text)


@transaction.atomic
def remove(observable: Observable, by: Requester) -> bool:
    """Remove an observable that no run uses; False when one does."""
    locked = Observable.objects.select_for_update().get(pk=observable.pk)
    if locked.measurements.exists():
        return False
    record(by, "remove observable", Outcome.DONE, subject=f"{observable.experiment}: {locked.name}")
    locked.delete()
    return True
