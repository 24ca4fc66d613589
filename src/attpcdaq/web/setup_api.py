"""The setup over the API: whole, by Easy setup, and row by row; the same rules and roles as on the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError
from ninja.params.functions import Path, Query

from attpcdaq.audit.people import Requester
from attpcdaq.runcontrol.asking import setup_rows
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, load, planned
from attpcdaq.topology import setup_store
from attpcdaq.topology.easy_setup import EasySetup, Series, expand
from attpcdaq.topology.setup import Entry, Setup, SetupError
from attpcdaq.topology.setup_edit import PARTS, find
from attpcdaq.topology.setup_entry import EntryError, read_entry
from attpcdaq.topology.setup_file import read_document, row_of
from attpcdaq.web import setup_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, expert
from attpcdaq.web.api_commands import ORDERED, UNAUTHORIZED
from attpcdaq.web.api_errors import WrongFieldsError
from attpcdaq.web.api_schemas import Problem

router = Router(tags=["setup"])
DryRun = Query(False, description="Only say what would change.")
Kind = Path(..., description="node, ecc_server, data_router or data_source.")
Name = Path(..., max_length=63)
CHANGED = {200: schemas.ChangesOut, 404: Problem, **ORDERED}


@contextmanager
def answered() -> Iterator[None]:
    """What the setup's rules refuse, as the API says it: 422 with the fields, 409 while it may not change."""
    try:
        yield
    except EntryError as error:
        raise WrongFieldsError(error.errors) from None
    except SetupError as error:
        raise WrongFieldsError({"setup": "; ".join(error.errors)}) from None
    except SetupBusyError as error:
        raise CommandRefused(error.reasons) from None


@router.get(
    "/setup", response={200: schemas.SetupOut, **UNAUTHORIZED}, exclude_none=True, summary="The setup, as its file"
)
def read_setup(request: HttpRequest) -> schemas.SetupOut:
    return schemas.setup_out(setup_store.read())


@router.put("/setup", auth=TOKEN, response=CHANGED, summary="Load a whole setup")
def load_setup(request: HttpRequest, setup: schemas.SetupIn, dry_run: bool = DryRun) -> schemas.ChangesOut:
    """For experts. All of it or nothing; 409 while a run is open or a command is at work."""
    by = expert(request)
    with answered():
        return _loaded(by, read_document(setup.document()), dry_run)


@router.post("/setup/easy", auth=TOKEN, response=CHANGED, summary="Load a regular detector made from a few numbers")
def easy_setup(request: HttpRequest, numbers: schemas.EasySetupIn, dry_run: bool = DryRun) -> schemas.ChangesOut:
    """For experts. As PUT setup."""
    by = expert(request)
    given = numbers.model_dump(exclude_none=True)
    for key in ("ecc", "router", "ssh", "agent"):
        if key in given:
            given[key] = Series(**given[key])
    with answered():
        return _loaded(by, expand(EasySetup(**given)), dry_run)


def _loaded(by: Requester, setup: Setup, dry_run: bool) -> schemas.ChangesOut:
    if dry_run:
        return schemas.changes_out(planned(setup), loaded=False)
    return schemas.changes_out(load(setup, by), loaded=True)


@router.post("/setup/{kind}/{name}", auth=TOKEN, response={**CHANGED, 201: schemas.ChangesOut}, summary="Add a row")
def add_row(
    request: HttpRequest, row: schemas.NewRowIn, kind: schemas.Kind = Kind, name: str = Name
) -> Status[schemas.ChangesOut]:
    """For experts. `also` holds what it needs beside it; all are added, or none."""
    by, named = expert(request), {_key(kind): name}
    with answered():
        rows = [(kind, read_entry(kind, row.keys() | named))]
        rows += [(each.kind, read_entry(each.kind, each.keys())) for each in row.also]
        return Status(HTTPStatus.CREATED, schemas.changes_out(setup_rows.add(rows, by), loaded=True))


@router.patch("/setup/{kind}/{name}", auth=TOKEN, response=CHANGED, summary="Change a row")
def change_row(
    request: HttpRequest, changed: schemas.RowIn, kind: schemas.Kind = Kind, name: str = Name
) -> schemas.ChangesOut:
    """For experts. What is left out stays; another name renames it, and what refers to it follows."""
    by, row = expert(request), _row(kind, name)
    keys = row_of(row)
    keys.pop("config", None)  # the choice stays where it fits
    with answered():
        entry = read_entry(kind, {**keys, **changed.keys()})
        return schemas.changes_out(setup_rows.change(kind, name, entry, by, was=row), loaded=True)


@router.delete("/setup/{kind}/{name}", auth=TOKEN, response=CHANGED, summary="Remove a row")
def remove_row(
    request: HttpRequest, kind: schemas.Kind = Kind, name: str = Name, dry_run: bool = DryRun
) -> schemas.ChangesOut:
    """For experts. What cannot be without it goes too: dry_run says what."""
    by = expert(request)
    _row(kind, name)
    with answered():
        if dry_run:
            return schemas.changes_out(setup_rows.would_remove(kind, name), loaded=False)
        return schemas.changes_out(setup_rows.remove(kind, name, by), loaded=True)


def _row(kind: str, name: str) -> Entry:
    setup = setup_store.read()
    row = find(setup, kind, name)
    if row is None:
        known = ", ".join(each.name for each in getattr(setup, PARTS[kind])) or "none"
        raise HttpError(HTTPStatus.NOT_FOUND, f"There is no {kind} {name!r}; known are {known}.")
    return row


def _key(kind: str) -> str:
    return "sender_id" if kind == "data_source" else "name"
