"""The run sheet: what the crew writes about a run, field by field, so that two people may write at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runlog.models import Measurement, Observable, Run, RunState, SheetChange
from attpcdaq.runlog.sheet_fields import RUN_FIELDS, StoredField, clean, key_of, locked, write
from attpcdaq.runlog.values import ValueRefusedError, clean_value, plain

SAID_LENGTH = 500  # of an old or new value in the audit trail
ALL = "all"
OVER = (RunState.CLOSED, RunState.FAILED)
__all__ = ["ALL", "RUN_FIELDS", "Edit", "Saved", "SheetRefusedError", "missing", "missing_of", "save"]


@dataclass(frozen=True, slots=True)
class Edit:
    """A field as the writer saw it (None: whatever is there), and as it shall be."""

    was: str | None
    now: str


@dataclass(frozen=True, slots=True)
class Saved:
    """The keys of the fields that changed, and the names of those filled from the previous run."""

    changed: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()


class SheetRefusedError(Exception):
    """Nothing was saved: `errors` maps field names ("title", "observable-3") to what is wrong and what is allowed.

    `edits` is all that should have been saved, what was taken from the previous run too.
    """

    def __init__(self, errors: Mapping[str, str], conflicts: Mapping[str, str], edits: Mapping[str, Edit]) -> None:
        self.errors = {**errors, **conflicts}
        self.is_conflict = bool(conflicts) and not errors
        self.edits = edits
        super().__init__(" ".join(self.errors.values()))


def save(run: Run, edits: Mapping[str, Edit], by: Requester) -> tuple[str, ...]:
    """Save what a writer changed, all or nothing; returns the keys of the fields changed.

    A field which somebody else changed meanwhile to something else is refused, with their value.
    """
    return save_and_fill(run, edits, (), by).changed


@transaction.atomic
def save_and_fill(run: Run, edits: Mapping[str, Edit], same: Collection[str], by: Requester) -> Saved:
    """`save`, and take the previous run's value for the fields of `same` (keys), or for all that are empty (ALL)."""
    row, stored = locked(run)
    previous = previous_with_values(run) if same else None
    filled = _from_previous(previous, stored, edits, same)
    everything = {**edits, **filled}
    wanted, errors = _checked(everything, stored)
    conflicts = _conflicts(everything, stored, wanted)
    if errors or conflicts:
        raise SheetRefusedError(errors, conflicts, everything)
    changed = tuple(key for key, value in wanted.items() if value != stored[key].value)
    for key in changed:
        write(row, key, stored[key], wanted[key])
    if changed:
        _tell(row, {key: (stored[key], wanted[key]) for key in changed}, previous if filled else None, by)
    return Saved(changed, tuple(stored[key].name for key in filled if key in changed))


def _checked(edits: Mapping[str, Edit], stored: Mapping[str, StoredField]) -> tuple[dict[str, str], dict[str, str]]:
    wanted: dict[str, str] = {}
    errors: dict[str, str] = {}
    for key, edit in edits.items():
        if edit.now == edit.was:
            continue
        try:
            wanted[key] = clean(key, edit.now, stored)
        except ValueError as error:
            errors[key] = str(error)
    return wanted, errors


def _conflicts(
    edits: Mapping[str, Edit], stored: Mapping[str, StoredField], wanted: Mapping[str, str]
) -> dict[str, str]:
    """Fields whose stored value is neither what the writer saw nor what the writer wants."""
    seen = {key: edits[key].was for key in wanted}
    fields = {
        key: stored[key]
        for key, value in wanted.items()
        if (was := seen[key]) is not None and stored[key].value not in (was.replace("\r\n", "\n"), value)
    }
    return {key: _meanwhile(field) for key, field in fields.items()}


def _meanwhile(field: StoredField) -> str:
    theirs = repr(field.value[:200]) if field.value else "nothing"
    return f"{field.label}: somebody else wrote {theirs} meanwhile; save again to replace it."


def _from_previous(
    previous: Run | None, stored: Mapping[str, StoredField], edits: Mapping[str, Edit], same: Collection[str]
) -> dict[str, Edit]:
    """The previous run's values for what was asked for by name, and with ALL for what stays empty otherwise."""
    found = {}
    for key, value in offered_by(previous).items():
        edit = edits.get(key)
        is_empty = not (stored[key].value if edit is None or edit.now == edit.was else plain(edit.now))
        if key in same or (ALL in same and is_empty):
            found[key] = Edit(edit.was if edit else None, value)
    return found


def offered_by(previous: Run | None) -> dict[str, str]:
    """The values of a run that another may take today, by the keys of their fields."""
    measured = previous.measurements.select_related("observable") if previous else ()
    return {key_of(each.observable_id): each.value for each in measured if _still_fits(each)}


def _still_fits(measurement: Measurement) -> bool:
    """Whether it is asked for, and may be written, today."""
    if measurement.observable.retired_at:
        return False
    try:
        return bool(clean_value(measurement.observable, measurement.value))
    except ValueRefusedError:
        return False


def previous_with_values(run: Run) -> Run | None:
    """The latest earlier run of the experiment on whose sheet something is measured."""
    measured = Measurement.objects.filter(run__experiment=run.experiment_id, run__number__lt=run.number)
    latest = measured.order_by("-run__number").values_list("run_id", flat=True)[:1]
    return Run.objects.filter(pk__in=latest).first()


def _tell(run: Run, changes: Mapping[str, tuple[StoredField, str]], previous: Run | None, by: Requester) -> None:
    """History, event and audit line of what was written."""
    now, late = timezone.now(), run.state in OVER
    SheetChange.objects.bulk_create(
        SheetChange(run=run, at=now, who=by.name, field=field.name[:80], was=field.value, now=value, late=late)
        for field, value in changes.values()
    )
    said = f"as in run {previous.number} by" if previous else "by"
    add_event(
        "run",
        f"Run sheet: {', '.join(field.label for field, _ in changes.values())} {said} {by.name}",
        subject=str(run),
    )
    text = "; ".join(
        f"{f.label}: {f.value[:SAID_LENGTH]!r} -> {value[:SAID_LENGTH]!r}" for f, value in changes.values()
    )
    text = f"As in run {previous.number}: {text}" if previous else text
    record(by, "run sheet", Outcome.DONE, subject=str(run), text=text)


def missing(run: Run) -> tuple[str, ...]:
    """The names of the required observables without a value; none for a run that failed."""
    return missing_of([run])[run.pk]


def missing_of(runs: Sequence[Run]) -> dict[int, tuple[str, ...]]:
    """`missing` of many runs of one or more experiments, by their id, with two questions to the database."""
    required = list(
        Observable.objects.filter(experiment__in={run.experiment_id for run in runs}, required=True, retired_at=None)
    )
    if not required:
        return {run.pk: () for run in runs}
    found = Measurement.objects.filter(run__in=[run.pk for run in runs], observable__in=required)
    there = set(found.values_list("run_id", "observable_id"))
    return {
        run.pk: tuple(each.name for each in required if _is_wanted(each, run) and (run.pk, each.pk) not in there)
        for run in runs
    }


def _is_wanted(observable: Observable, run: Run) -> bool:
    if observable.experiment_id != run.experiment_id or run.state == RunState.FAILED:
        return False
    return run.closed_at is None or observable.required_since is None or run.closed_at >= observable.required_since
