"""Observables and what was measured, over the API."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status
from ninja.errors import HttpError
from ninja.params.functions import Path, Query

from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runlog import observables, sheets
from attpcdaq.runlog.listing import find_experiment, matching
from attpcdaq.runlog.measurements import columns, values_of
from attpcdaq.runlog.models import Experiment, Observable, Run
from attpcdaq.runlog.observables import ObservableRefusedError
from attpcdaq.web import api_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_commands import ORDERED
from attpcdaq.web.api_errors import WrongFieldsError
from attpcdaq.web.api_run_schemas import RunsQuery
from attpcdaq.web.api_sheet_schemas import (
    CopiedOut,
    CopyIn,
    MeasurementsOut,
    ObservableChange,
    ObservableIn,
    ObservableOut,
    OrderIn,
    measured_run,
)
from attpcdaq.web.runs_api import NOT_FOUND, ExperimentName, checked, chosen

router = Router(tags=["observables"])
ORDERS = {**ORDERED, 404: schemas.Problem}
# The parameter is called `id` because that is its name in the address: hence the A002 below.
RowId = Path(..., ge=1, lt=1 << 63)


@router.get("/observables", response={200: list[ObservableOut], **NOT_FOUND}, summary="What is recorded for each run")
def all_observables(
    request: HttpRequest,
    experiment: str | None = ExperimentName,
    retired: bool = Query(False, description="Those not asked for any more, too."),
) -> list[ObservableOut]:
    """In the order of the sheet."""
    found = chosen(experiment)
    return [ObservableOut.of(row) for row in columns(found, retired=retired)] if found else []


@router.post("/observables", auth=TOKEN, response={201: ObservableOut, **ORDERS}, summary="Add an observable")
def add(
    request: HttpRequest, new_observable: ObservableIn, experiment: str | None = ExperimentName
) -> Status[ObservableOut]:
    by, fields = operator(request), new_observable.model_dump()
    fields["value_type"] = fields.pop("type")
    try:
        made = observables.add(_chosen(experiment), by, **fields)
    except ObservableRefusedError as error:
        raise _refusal(error) from None
    return Status(HTTPStatus.CREATED, ObservableOut.of(made))


@router.post(
    "/observables/order", auth=TOKEN, response={200: list[ObservableOut], **ORDERS}, summary="Put them in another order"
)
def order(request: HttpRequest, new_order: OrderIn, experiment: str | None = ExperimentName) -> list[ObservableOut]:
    by, found = operator(request), _chosen(experiment)
    observables.reorder(found, new_order.order, by)
    return [ObservableOut.of(row) for row in columns(found, retired=False)]


@router.post(
    "/observables/copy", auth=TOKEN, response={200: CopiedOut, **ORDERS}, summary="Add those of another experiment"
)
def copy(request: HttpRequest, copy_wish: CopyIn, experiment: str | None = ExperimentName) -> CopiedOut:
    """What is there under the same name stays as it is."""
    by, found, source = operator(request), _chosen(experiment), find_experiment(copy_wish.source)
    if source is None or source == found:
        raise WrongFieldsError({"source": "name another experiment to copy from."})
    copied, there = observables.copy_from(source, found, by)
    return CopiedOut(copied=copied, there_already=there)


@router.patch("/observables/{id}", auth=TOKEN, response={200: ObservableOut, **ORDERS}, summary="Change an observable")
def change(request: HttpRequest, observable_change: ObservableChange, id: int = RowId) -> ObservableOut:  # noqa: A002
    by, row = operator(request), _found(id)
    fields = observable_change.model_dump(exclude_unset=True)
    if empty := [name for name, value in fields.items() if value is None and name not in ("minimum", "maximum")]:
        raise WrongFieldsError(dict.fromkeys(empty, "leave it out to keep it as it is; it cannot be null."))
    if "type" in fields:
        fields["value_type"] = fields.pop("type")
    try:
        observables.change(row, by, **fields)
    except ObservableRefusedError as error:
        raise _refusal(error) from None
    return ObservableOut.of(_found(id))


@router.delete("/observables/{id}", auth=TOKEN, response={204: None, **ORDERS}, summary="Remove one without values")
def remove(request: HttpRequest, id: int = RowId) -> Status[None]:  # noqa: A002
    """409 when a run has a value of it: retire it then."""
    by, row = operator(request), _found(id)
    if not observables.remove(row, by):
        raise CommandRefused((f"{row.name} has recorded values and cannot be removed; retire it instead.",))
    return Status(HTTPStatus.NO_CONTENT, None)


@router.post("/observables/{id}/retire", auth=TOKEN, response={200: ObservableOut, **ORDERS}, summary="Ask no more")
def retire(request: HttpRequest, id: int = RowId) -> ObservableOut:  # noqa: A002
    """Its values stay."""
    by, row = operator(request), _found(id)
    if not observables.retire(row, by):
        raise CommandRefused((f"{row.name} is retired already.",))
    return ObservableOut.of(_found(id))


@router.post(
    "/observables/{id}/bring-back", auth=TOKEN, response={200: ObservableOut, **ORDERS}, summary="Ask for it again"
)
def bring_back(request: HttpRequest, id: int = RowId) -> ObservableOut:  # noqa: A002
    """At the end of the sheet."""
    by, row = operator(request), _found(id)
    if not observables.bring_back(row, by):
        raise CommandRefused((f"{row.name} is not retired.",))
    return ObservableOut.of(_found(id))


@router.get("/measurements", response={200: MeasurementsOut, **NOT_FOUND}, summary="Values of all observables, by run")
def measurements(
    request: HttpRequest,
    response: HttpResponse,
    experiment: str | None = ExperimentName,
    query: RunsQuery = Query(...),
    retired: bool = Query(False, description="Retired observables too."),
    limit: int = Query(100, ge=1, le=1000),
    offset: int = Query(0, ge=0, le=10**9),
) -> MeasurementsOut:
    """Filtered and sorted as the runs are."""
    found = chosen(experiment)
    response["X-Total-Count"] = "0"
    if found is None:
        return MeasurementsOut(experiment=None, observables=[], runs=[])
    fitting = matching(found, checked(query).wanted())
    response["X-Total-Count"] = str(fitting.count())
    return _measured(found, list(fitting.values_list("pk", flat=True)[offset : offset + limit]), retired)


def _measured(found: Experiment, ids: list[int], retired: bool) -> MeasurementsOut:
    rows, kept = Run.objects.in_bulk(ids), columns(found, retired=retired)
    runs = [rows[pk] for pk in ids if pk in rows]
    values, missing = values_of(ids, kept), sheets.missing_of(runs)
    return MeasurementsOut(
        experiment=found.name,
        observables=[ObservableOut.of(row) for row in kept],
        runs=[measured_run(run, kept, values[run.pk], list(missing[run.pk])) for run in runs],
    )


def _chosen(name: str | None) -> Experiment:
    found = chosen(name)
    if found is None:
        raise HttpError(HTTPStatus.NOT_FOUND, "No experiment is active: name one.")
    return found


def _found(pk: int) -> Observable:
    row = Observable.objects.select_related("experiment").filter(pk=pk).first()
    if row is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no observable {pk}.")
    return row


def _refusal(error: ObservableRefusedError) -> WrongFieldsError:
    return WrongFieldsError({("type" if name == "value_type" else name): text for name, text in error.errors.items()})
