"""What the API takes and gives of shifts, notes, gaps and beam time; durations in whole seconds."""

from datetime import date

from ninja import Schema
from pydantic import Field

from attpcdaq.web.api_schemas import BODIES, STRICT, Moment

Long = 20_000


class ShiftIn(Schema):
    """A shift that begins now."""

    model_config = STRICT

    crew: str = Field(min_length=1, max_length=200, description="Who is at the desk.")
    instead_of: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Id of the shift that is on: it ends in the same moment."
    )


class ShiftEndIn(Schema):
    """The shift that is on ends now."""

    model_config = STRICT

    hand_over: str | None = Field(None, max_length=Long, description="For the next crew; null: as it is written.")


class HandOverIn(Schema):
    """What the next crew has to know."""

    model_config = STRICT

    hand_over: str = Field(max_length=Long)
    was: str | None = Field(None, max_length=Long, description="What you saw: refused when it is another by now.")


class ChecksIn(Schema):
    """Items of the checklist that somebody looked at; those not named stay as they are."""

    model_config = STRICT

    ticks: dict[str, bool] = Field(default_factory=dict, max_length=50)


class NoteIn(Schema):
    """A note on a run, a shift, or (neither) on the open run and the shift that is on."""

    model_config = STRICT

    text: str = Field(min_length=1, max_length=Long)
    run: int | None = Field(None, ge=1, le=2**31 - 1, description="Number of the run.")
    experiment: str | None = Field(None, max_length=64, description="Of the run; null: the active one.")
    shift: int | None = Field(None, ge=1, le=2**31 - 1)


class GapIn(Schema):
    """Why no data were taken after a run, or before the first one."""

    model_config = STRICT

    after: int | None = Field(None, ge=1, le=2**31 - 1, description="Number of the run; null: before the first one.")
    experiment: str | None = Field(None, max_length=64, description="Null: the active one.")
    cause: str = Field(max_length=9, description="One of those of GET /beam-time; empty takes it back.")
    comment: str = Field("", max_length=200)


BODIES.update(new_shift=ShiftIn, ending=ShiftEndIn, words=HandOverIn, ticked=ChecksIn, new_note=NoteIn, named=GapIn)


class ShiftOut(Schema):
    id: int
    crew: str
    experiment: str | None
    began_at: Moment
    began_by: str
    ended_at: Moment | None
    ended_by: str
    hand_over: str


class LineOut(Schema):
    kind: str = Field(description="running, lost or not_watched")
    cause: str
    label: str
    seconds: int
    share: float
    details: list[tuple[str, int]]


class SumsOut(Schema):
    """The lines add up to `length`."""

    length: int
    running: int
    lost: int
    not_watched: int
    unseen_runs: int = Field(description="Of what nobody watched: while a run was open.")
    lines: list[LineOut]


class ShiftRunOut(Schema):
    experiment: str
    number: int
    title: str
    run_class: str
    state: str
    started_at: Moment | None
    stopped_at: Moment | None
    data_verdict: str
    sheet_lacks: list[str]
    verdict: str


class ProblemOut(Schema):
    level: str
    text: str
    manual: str = Field(description="Where the manual tells more.")


class GapOut(Schema):
    begin: Moment
    end: Moment
    seconds: int
    experiment: str
    after: int | None = Field(description="Number of the run before; null: before the first one.")
    cause: str = Field(description="As the crew named it; empty: not said.")
    comment: str
    by: str
    seen: list[tuple[str, int]] = Field(description="What the DAQ tells of it by itself, in seconds.")


class NoteOut(Schema):
    id: int
    at: Moment
    by: str
    text: str
    experiment: str | None
    run: int | None
    shift: int | None


class CheckOut(Schema):
    key: str
    label: str
    level: str = Field(description="ok, warn or bad")
    text: str


class TickOut(Schema):
    key: str
    label: str
    done: bool
    by: str
    at: Moment | None


class ChecklistOut(Schema):
    """What the DAQ tells of itself now, and what people ticked in the shift that is on."""

    shift: int | None
    items: list[CheckOut]
    by_hand: list[TickOut]


class ShiftDetail(ShiftOut):
    """The hand-over of a shift."""

    sums: SumsOut
    runs: list[ShiftRunOut]
    gaps: list[GapOut]
    problems: list[ProblemOut] = Field(description="Now, or when it ended.")
    notes: list[NoteOut]


class DayOut(Schema):
    day: date
    sums: SumsOut


class CauseOut(Schema):
    cause: str
    label: str


class BeamTimeOut(Schema):
    """What an experiment adds up to."""

    experiment: str
    begin: Moment
    end: Moment
    sums: SumsOut
    days: list[DayOut]
    gaps: list[GapOut]
    causes: list[CauseOut] = Field(description="Those that the crew may name.")
