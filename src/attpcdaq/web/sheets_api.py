"""Run sheets over the API: read, changed with the rules of the page, and their history."""

from collections.abc import Iterable, Mapping

from django.http import HttpRequest
from ninja import Router
from ninja.params.functions import Path, Query

from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runlog import sheets
from attpcdaq.runlog.models import Observable, Run, SheetChange
from attpcdaq.runlog.sheet_fields import RUN_FIELDS, key_of
from attpcdaq.runlog.sheets import Edit, SheetRefusedError
from attpcdaq.runlog.values import number
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_commands import ORDERED
from attpcdaq.web.api_errors import WrongFieldsError
from attpcdaq.web.api_sheet_schemas import (
    SameIn,
    SameOut,
    SheetChangeOut,
    SheetIn,
    SheetOut,
    SheetValueOut,
    fields_of,
    value_of,
)
from attpcdaq.web.runs_api import NOT_FOUND, ExperimentName, chosen_run

router = Router(tags=["run sheets"])
ORDERS = {**ORDERED, 404: schemas.Problem}
RunNumber = Path(..., ge=1, lt=1 << 31)


@router.get("/runs/{number}/sheet", response={200: SheetOut, **NOT_FOUND}, summary="What the crew wrote of a run")
def sheet(request: HttpRequest, number: int = RunNumber, experiment: str | None = ExperimentName) -> SheetOut:
    return _sheet(chosen_run(number, experiment))


@router.patch(
    "/runs/{number}/sheet", auth=TOKEN, response={200: SheetOut, **ORDERS}, summary="Write on the sheet of a run"
)
def change_sheet(
    request: HttpRequest, sheet_edit: SheetIn, number: int = RunNumber, experiment: str | None = ExperimentName
) -> SheetOut:
    """All or nothing. 422 names what is wrong and what is allowed; 409: somebody else wrote there (see `seen`)."""
    by, run = operator(request), chosen_run(number, experiment)
    fields = _fields(run)
    try:
        sheets.save(run, _edits(run, sheet_edit, fields), by)
    except SheetRefusedError as error:
        raise _refusal(error, fields) from None
    run.refresh_from_db()
    return _sheet(run)


@router.post(
    "/runs/{number}/sheet/same-as-previous",
    auth=TOKEN,
    response={200: SameOut, **ORDERS},
    summary="Take the values of the run before",
)
def same_as_previous(
    request: HttpRequest, same_wish: SameIn, number: int = RunNumber, experiment: str | None = ExperimentName
) -> SameOut:
    """Of all observables without a value, or of those named, whatever they have."""
    by, run = operator(request), chosen_run(number, experiment)
    fields = _fields(run)
    _refuse_unknown(same_wish.observables or (), fields)
    same = [key_of(fields[name].pk) for name in same_wish.observables or ()] or [sheets.ALL]
    try:
        filled = sheets.save_and_fill(run, {}, same, by).filled
    except SheetRefusedError as error:
        raise _refusal(error, fields) from None
    previous = sheets.previous_with_values(run)
    return SameOut(run=previous.number if previous else None, filled=list(filled))


@router.get(
    "/runs/{number}/sheet/history",
    response={200: list[SheetChangeOut], **NOT_FOUND},
    summary="Who wrote what on the sheet, newest first",
)
def history(
    request: HttpRequest,
    number: int = RunNumber,
    experiment: str | None = ExperimentName,
    limit: int = Query(100, ge=1, le=1000),
    offset: int = Query(0, ge=0, le=10**9),
) -> list[SheetChange]:
    return list(chosen_run(number, experiment).sheet_changes.all()[offset : offset + limit])


def _fields(run: Run) -> dict[str, Observable]:
    """Every observable of the experiment by its name."""
    return {each.name: each for each in Observable.objects.filter(experiment=run.experiment_id)}


def _sheet(run: Run) -> SheetOut:
    values = dict(run.measurements.values_list("observable_id", "value"))
    rows = Observable.objects.filter(experiment=run.experiment_id).order_by("position", "id")
    return SheetOut(
        experiment=run.experiment.name,
        run=run.number,
        state=run.state,
        title=run.title,
        run_class=run.run_class,
        notes=run.notes,
        missing=list(sheets.missing(run)),
        measurements=[
            SheetValueOut(value=value_of(row, values.get(row.pk, "")), **fields_of(row))
            for row in rows
            if row.retired_at is None or row.pk in values
        ],
    )


def _refuse_unknown(names: Iterable[str], fields: Mapping[str, Observable], *more: str) -> None:
    unknown = [name for name in names if name not in fields and name not in more]
    if unknown:
        known = ", ".join([*more, *fields]) or "none"
        raise WrongFieldsError({name[:80]: f"not part of the sheet; known: {known}." for name in unknown[:5]})


def _edits(run: Run, wish: SheetIn, fields: Mapping[str, Observable]) -> dict[str, Edit]:
    """By the keys of the form; what the writer saw is compared as a value: 3.50 is 3.5."""
    _refuse_unknown(wish.measurements, fields)
    _refuse_unknown(wish.seen, fields, *RUN_FIELDS)
    stored = dict(run.measurements.values_list("observable_id", "value"))
    edits = {
        name: Edit(_text(wish.seen[name]) if name in wish.seen else None, value)
        for name in RUN_FIELDS
        if (value := getattr(wish, name)) is not None
    }
    for name, value in wish.measurements.items():
        row = fields[name]
        was = stored.get(row.pk, "")
        seen = was if name in wish.seen and _same(row, was, wish.seen[name]) else _text(wish.seen.get(name))
        edits[key_of(row.pk)] = Edit(seen if name in wish.seen else None, _text(value))
    return edits


def _same(row: Observable, was: str, seen: object) -> bool:
    return _text(seen) == was or (bool(was) and number(row, was) == seen)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _refusal(error: SheetRefusedError, fields: Mapping[str, Observable]) -> Exception:
    """By the names that the API uses."""
    names = {key_of(row.pk): name for name, row in fields.items()}
    if error.is_conflict:
        return CommandRefused(tuple(error.errors.values()))
    return WrongFieldsError({names.get(key, key): text for key, text in error.errors.items()})
