"""Notes, causes of lost time, beam time and the log book over the API."""

from datetime import date
from http import HTTPStatus
from typing import Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router
from ninja.errors import HttpError
from ninja.params.functions import Query

from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.listing import find_run
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts import beam_time as beam_times
from attpcdaq.shifts import desk, gaps, log_book, notes
from attpcdaq.shifts.models import Note, Shift
from attpcdaq.web import api_schemas as plain
from attpcdaq.web import api_shift_schemas as schemas
from attpcdaq.web.api_auth import TOKEN, operator
from attpcdaq.web.api_commands import NOT_FOUND, ORDERED
from attpcdaq.web.api_run_schemas import Day
from attpcdaq.web.runs_api import chosen, chosen_run
from attpcdaq.web.shift_log_book import answer
from attpcdaq.web.shift_views import causes_out, gaps_out, note_out, sums_out

router = Router(tags=["shifts"])
LIMIT = Query(100, ge=1, le=1000)
OFFSET = Query(0, ge=0, le=10**9)
ExperimentName = Query(None, description="Name of an experiment; without it the active one.", max_length=64)
WRITTEN = {**ORDERED, 404: plain.Problem}
FILES: dict[str, dict[str, object]] = {"text/markdown": {}, "text/html": {}}


@router.get("/notes", response={200: list[schemas.NoteOut], **NOT_FOUND}, summary="Notes, newest first")
def list_notes(
    request: HttpRequest,
    run: int | None = Query(None, ge=1, le=2**31 - 1),
    experiment: str | None = ExperimentName,
    shift: int | None = Query(None, ge=1, le=2**31 - 1),
    limit: int = LIMIT,
    offset: int = OFFSET,
) -> list[schemas.NoteOut]:
    """Of a run, of a shift, or all of them."""
    rows = Note.objects.select_related("run__experiment").order_by("-at", "-id")
    if run is not None:
        rows = rows.filter(run=chosen_run(run, experiment))
    if shift is not None:
        rows = rows.filter(shift=shift)
    return [note_out(row) for row in rows[offset : offset + limit]]


@router.post("/notes", auth=TOKEN, response={200: schemas.NoteOut, **WRITTEN}, summary="Add a note")
def add_note(request: HttpRequest, new_note: schemas.NoteIn) -> schemas.NoteOut:
    """409 when it names nothing, and neither is a shift on nor a run open."""
    by = operator(request)
    run, shift = _what_about(new_note)
    return note_out(notes.add(new_note.text, by, timezone.now(), run=run, shift=shift))


def _what_about(new_note: schemas.NoteIn) -> tuple[Run | None, Shift | None]:
    """404 for a run that is not there, BadCommand for such a shift."""
    shift = Shift.objects.filter(pk=new_note.shift).first() if new_note.shift else desk.current()
    if new_note.shift and shift is None:
        raise BadCommand("shift", f"there is no shift {new_note.shift}.")
    if new_note.run:
        experiment = new_note.experiment
        run = find_run(experiment, new_note.run) if experiment else chosen_run(new_note.run, None)
        return run, shift
    return (None if new_note.shift else open_run()), shift


@router.put("/gaps", auth=TOKEN, response={200: schemas.BeamTimeOut, **WRITTEN}, summary="Say why no data were taken")
def name_gap(request: HttpRequest, named: schemas.GapIn) -> schemas.BeamTimeOut:
    """Answers with the beam time as it is then."""
    by, experiment = operator(request), _experiment(named.experiment)
    gaps.name_cause(experiment, named.after, named.cause, named.comment, by, timezone.now())
    return _beam_time(experiment, None, None)


@router.get("/beam-time", response={200: schemas.BeamTimeOut, **NOT_FOUND}, summary="What an experiment adds up to")
def beam_time(
    request: HttpRequest, experiment: str | None = ExperimentName, since: Day = None, until: Day = None
) -> schemas.BeamTimeOut:
    """Days are those of the laboratory's clocks."""
    return _beam_time(_experiment(experiment), since, until)


def _beam_time(experiment: Experiment, since: date | None, until: date | None) -> schemas.BeamTimeOut:
    made = beam_times.of_experiment(experiment, timezone.now(), since, until)
    return schemas.BeamTimeOut(
        experiment=experiment.name,
        begin=made.within.begin,
        end=made.within.end,
        sums=sums_out(made.sums),
        days=[schemas.DayOut(day=day.day, sums=sums_out(day.sums)) for day in made.days],
        gaps=gaps_out(made),
        causes=causes_out(),
    )


def _experiment(name: str | None) -> Experiment:
    found = chosen(name)
    if found is None:
        raise HttpError(HTTPStatus.NOT_FOUND, "No experiment is active: name one.")
    return found


@router.get(
    "/elog",
    response={200: None, **NOT_FOUND},
    summary="The log book as a file",
    openapi_extra={"responses": {"200": {"content": FILES}}},
)
def elog(
    request: HttpRequest,
    form: Literal["markdown", "html"] = Query("markdown", alias="format"),
    experiment: str | None = ExperimentName,
    shift: int | None = Query(None, ge=1, le=2**31 - 1),
    day: Day = None,
) -> HttpResponse:
    """Of a shift, of a day, or (neither) of an experiment."""
    now = timezone.now()
    if shift is not None:
        found = Shift.objects.filter(pk=shift).first()
        if found is None:
            raise HttpError(HTTPStatus.NOT_FOUND, f"There is no shift {shift}.")
        return answer(log_book.of_shift(found, now), form)
    if day is not None:
        return answer(log_book.of_day(day, chosen(experiment), now), form)
    return answer(log_book.of_experiment(_experiment(experiment), now), form)
