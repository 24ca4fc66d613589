"""The observables of an experiment: added, changed, put in order, retired. Each rule holds for pages and API alike."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import Experiment, Observable, ValueType
from attpcdaq.runlog.values import ALLOWED, limits, unfit_values

LENGTHS = {"name": 63, "unit": 24, "comment": 200}


class ObservableRefusedError(Exception):
    """Nothing was changed: `errors` maps field names to what is wrong and what is allowed."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = dict(errors)


def in_use(experiment: Experiment) -> QuerySet[Observable]:
    """Those that are asked for, in their order."""
    return experiment.observables.filter(retired_at=None).order_by("position", "id")


def faults(wanted: Observable) -> dict[str, str]:
    """What is wrong with an observable as it is wanted, by field; of what is not yet stored, too."""
    wrong = {name: text for name, length in LENGTHS.items() if (text := _text_fault(getattr(wanted, name), length))}
    same = Observable.objects.filter(experiment=wanted.experiment_id, name__iexact=wanted.name)
    if not wanted.name:
        wrong["name"] = "An observable needs a name."
    elif "name" not in wrong and same.exclude(pk=wanted.pk).exists():
        wrong["name"] = "This experiment has an observable of this name (perhaps a retired one); choose another name."
    if wanted.value_type not in ValueType.values:
        return wrong | {"value_type": f"Use one of {', '.join(ValueType.values)}."}
    unfit = unfit_values(wanted, wanted.value_type) if wanted.pk else []
    if unfit:
        wrong["value_type"] = (
            f"Recorded values are not {ALLOWED[ValueType(wanted.value_type)]}: {', '.join(unfit[:5])}."
        )
    return wrong | _limit_faults(wanted)


def _text_fault(text: str, length: int) -> str:
    fits = len(text) <= length and text.isprintable() and text == text.strip()
    return "" if fits else f"Use printable characters on one line, at most {length}, without blanks at the ends."


def _limit_faults(wanted: Observable) -> dict[str, str]:
    given = {name: value for name in ("minimum", "maximum") if (value := getattr(wanted, name)) is not None}
    if wanted.value_type == ValueType.TEXT:
        return dict.fromkeys(given, "A text has no limits: leave it empty.")
    if wrong := [name for name, value in given.items() if not math.isfinite(value)]:
        return dict.fromkeys(wrong, "Use a number, or leave it empty.")
    if len(given) == 2 and given["minimum"] > given["maximum"]:
        return {"maximum": f"It must not be below the minimum, {given['minimum']:.15g}."}
    return {}


@transaction.atomic
def add(
    experiment: Experiment,
    by: Requester,
    name: str,
    value_type: str,
    unit: str,
    comment: str,
    *,
    required: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Observable:
    """A new observable, at the end; ObservableRefusedError."""
    _hold(experiment)
    made = Observable(
        experiment=experiment,
        name=name,
        value_type=value_type,
        unit=unit,
        comment=comment,
        required=required,
        required_since=timezone.now() if required else None,
        minimum=minimum,
        maximum=maximum,
        position=_next_position(experiment),
    )
    _check(made)
    made.save()
    add_event("setup", f"Observable {made} added by {by.name}", subject=experiment.name)
    record(by, "add observable", Outcome.DONE, subject=f"{experiment}: {name}", text=_described(made))
    return made


def _hold(experiment: Experiment) -> None:
    """Names are given out one after the other."""
    Experiment.objects.select_for_update(no_key=True).get(pk=experiment.pk)


def _check(wanted: Observable) -> None:
    if wrong := faults(wanted):
        raise ObservableRefusedError(wrong)


def _next_position(experiment: Experiment) -> int:
    last: int | None = experiment.observables.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _described(row: Observable) -> str:
    said = (str(row), row.value_type, row.comment, "required" if row.required else "", limits(row))
    return ", ".join(filter(None, said))


@transaction.atomic
def change(observable: Observable, by: Requester, **fields: Any) -> bool:
    """Give an observable another name, type, unit, comment, limits, or require it; False when all stays as it is.

    A value required only now is not missing on the sheets of runs that are over. ObservableRefusedError.
    """
    _hold(observable.experiment)
    row = Observable.objects.select_for_update(of=("self",)).select_related("experiment").get(pk=observable.pk)
    was, was_required = _described(row), row.required
    if all(getattr(row, name) == value for name, value in fields.items()):
        return False
    for name, value in fields.items():
        setattr(row, name, value)
    _check(row)
    if row.required and not was_required:
        row.required_since = timezone.now()
    row.save(update_fields=[*fields, "required_since"])
    text = f"{was} -> {_described(row)}"
    add_event("setup", f"Observable changed by {by.name}: {text}", subject=row.experiment.name)
    record(by, "change observable", Outcome.DONE, subject=f"{row.experiment}: {row.name}", text=text)
    return True


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
    """Remove an observable that no run uses; False when one does, or when it is gone already."""
    locked = Observable.objects.select_for_update().filter(pk=observable.pk).first()
    if locked is None or locked.measurements.exists():
        return False
    add_event("setup", f"Observable {locked} removed by {by.name}", subject=observable.experiment.name)
    record(by, "remove observable", Outcome.DONE, subject=f"{observable.experiment}: {locked.name}")
    locked.delete()
    return True


def retire(observable: Observable, by: Requester, now: datetime | None = None) -> bool:
    """Ask for it no more; its values stay. False when it is retired already."""
    return _set_retired(observable, by, True, now or timezone.now())


def bring_back(observable: Observable, by: Requester) -> bool:
    """Ask for it again, at the end of the sheet; False when it is not retired."""
    return _set_retired(observable, by, False, None)


@transaction.atomic
def _set_retired(observable: Observable, by: Requester, retired: bool, at: datetime | None) -> bool:
    fields: dict[str, Any] = {"retired_at": at}
    if not retired:
        # What was not asked for meanwhile is not missing.
        fields |= {"position": _next_position(observable.experiment), "required_since": timezone.now()}
    rows = Observable.objects.filter(pk=observable.pk, retired_at__isnull=retired)
    if not rows.update(**fields):
        return False
    verb = "retired" if retired else "brought back"
    add_event("setup", f"Observable {observable} {verb} by {by.name}", subject=observable.experiment.name)
    what = "retire observable" if retired else "bring back observable"
    record(by, what, Outcome.DONE, subject=f"{observable.experiment}: {observable.name}", text=_described(observable))
    return True


@transaction.atomic
def copy_from(source: Experiment, to: Experiment, by: Requester) -> tuple[list[str], list[str]]:
    """Add the observables that another experiment asks for; the names added, and those that are there already."""
    _hold(to)
    known = {name.lower() for name in to.observables.values_list("name", flat=True)}
    wanted = list(in_use(source))
    new = [each for each in wanted if each.name.lower() not in known]
    first, now = _next_position(to), timezone.now()
    for position, row in enumerate(new, first):
        row.pk, row.experiment, row.position = None, to, position
        row.required_since = now if row.required else None
        row._state.adding = True
    Observable.objects.bulk_create(new)
    names = [row.name for row in new]
    if new:
        add_event("setup", f"{len(new)} observables copied from {source} by {by.name}", subject=to.name)
        text = f"From {source}: {', '.join(map(_described, new))}"
        record(by, "copy observables", Outcome.DONE, subject=str(to), text=text)
    return names, [row.name for row in wanted if row.name not in names]
