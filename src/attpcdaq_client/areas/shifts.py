"""Shifts, notes, and what became of the beam time; lengths in seconds."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from attpcdaq_client.areas.area import LIMIT, Area
from attpcdaq_client.calls import Call, Model


class TimeLine(Model):
    """A part of the time: `kind` running, lost or not_watched; `share` of the whole."""

    kind: str
    cause: str = ""
    label: str = ""
    seconds: int = 0
    share: float = 0.0
    details: list[list[Any]] = []


class Sums(Model):
    """What a time was spent on; the lines add up to `length`."""

    length: int
    running: int = 0
    lost: int = 0
    not_watched: int = 0
    unseen_runs: int = 0
    lines: list[TimeLine] = []


class Shift(Model):
    """A crew at the desk."""

    id: int
    crew: str
    experiment: str | None = None
    began_at: datetime | None = None
    began_by: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""
    hand_over: str = ""


class ShiftRun(Model):
    """A run of a shift; `sheet_lacks` names what is required and not filled in."""

    experiment: str
    number: int
    title: str = ""
    run_class: str = ""
    state: str = ""
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    data_verdict: str = ""
    sheet_lacks: list[str] = []
    verdict: str = ""


class Gap(Model):
    """A time between two runs; `cause` as the crew named it, `seen` what the DAQ tells by itself."""

    begin: datetime
    end: datetime
    seconds: int = 0
    experiment: str = ""
    after: int | None = None
    cause: str = ""
    comment: str = ""
    by: str = ""
    seen: list[list[Any]] = []


class Problem(Model):
    """What is not as it should be."""

    level: str
    text: str
    manual: str = ""


class Note(Model):
    """Something that somebody wrote, on a run or a shift."""

    id: int
    at: datetime
    by: str = ""
    text: str = ""
    experiment: str | None = None
    run: int | None = None
    shift: int | None = None


class ShiftDetail(Shift):
    """The hand-over of a shift."""

    sums: Sums | None = None
    runs: list[ShiftRun] = []
    gaps: list[Gap] = []
    problems: list[Problem] = []
    notes: list[Note] = []


class Check(Model):
    """An item that the DAQ judges: `level` ok, warn or bad."""

    key: str
    label: str = ""
    level: str = ""
    text: str = ""


class Tick(Model):
    """An item that a person looks at."""

    key: str
    label: str = ""
    done: bool = False
    by: str = ""
    at: datetime | None = None


class Checklist(Model):
    """Of the shift that is on."""

    shift: int | None = None
    items: list[Check] = []
    by_hand: list[Tick] = []


class Day(Model):
    """One day of an experiment."""

    day: date
    sums: Sums | None = None


class Cause(Model):
    """A cause that the crew may name."""

    cause: str
    label: str = ""


class BeamTime(Model):
    """What an experiment adds up to."""

    experiment: str
    begin: datetime | None = None
    end: datetime | None = None
    sums: Sums | None = None
    days: list[Day] = []
    gaps: list[Gap] = []
    causes: list[Cause] = []


SHIFTS = Call("GET", "/shifts", list[Shift], query=("limit", "offset"))
SHIFT = Call("GET", "/shifts/{shift_id}", ShiftDetail)
CURRENT = Call("GET", "/shifts/current", ShiftDetail)
BEGIN = Call("POST", "/shifts", Shift, body=("crew", "instead_of"))
END = Call("POST", "/shifts/current/end", Shift, body=("hand_over",))
HAND_OVER = Call("POST", "/shifts/current/hand-over", Shift, body=("hand_over", "was"))
CHECKS = Call("GET", "/shifts/current/checks", Checklist)
TICK = Call("POST", "/shifts/current/checks", Checklist, body=("ticks",))
NOTES = Call("GET", "/notes", list[Note], query=("run", "experiment", "shift", "limit", "offset"))
ADD_NOTE = Call("POST", "/notes", Note, body=("text", "run", "experiment", "shift"))
NAME_GAP = Call("PUT", "/gaps", BeamTime, body=("after", "experiment", "cause", "comment"))
BEAM_TIME = Call("GET", "/beam-time", BeamTime, query=("experiment", "since", "until"))
ELOG = Call("GET", "/elog", bytes, query=("format", "experiment", "shift", "day"))


class Shifts(Area):
    """The crew's own book."""

    def all(self, *, limit: int = LIMIT, offset: int = 0) -> list[Shift]:
        """Newest first."""
        return self._send(SHIFTS, query={"limit": limit, "offset": offset})

    def one(self, shift_id: int) -> ShiftDetail:
        """A shift with what happened in it."""
        return self._send(SHIFT, shift_id=shift_id)

    def current(self) -> ShiftDetail:
        """The one that is on. NotThere when none is."""
        return self._send(CURRENT)

    def begin(self, crew: str, *, instead_of: int | None = None) -> Shift:
        """Now; `instead_of` the shift that is on, which ends in the same moment."""
        return self._send(BEGIN, body={"crew": crew, "instead_of": instead_of})

    def end(self, hand_over: str | None = None) -> Shift:
        """Now; None leaves what is written for the next crew."""
        return self._send(END, body={"hand_over": hand_over})

    def hand_over(self, text: str, *, was: str | None = None) -> Shift:
        """What the next crew has to know; `was` what you saw, to be refused when it is another by now."""
        return self._send(HAND_OVER, body={"hand_over": text, "was": was})

    def checks(self) -> Checklist:
        """The checklist as it is now."""
        return self._send(CHECKS)

    def tick(self, ticks: Mapping[str, bool]) -> Checklist:
        """Items that somebody looked at; those not named stay."""
        return self._send(TICK, body={"ticks": dict(ticks)})

    def notes(
        self,
        *,
        run: int | None = None,
        experiment: str | None = None,
        shift: int | None = None,
        limit: int = LIMIT,
        offset: int = 0,
    ) -> list[Note]:
        """Newest first; of a run, of a shift, or all."""
        about = {"run": run, "experiment": experiment, "shift": shift}
        return self._send(NOTES, query={**about, "limit": limit, "offset": offset})

    def note(
        self, text: str, *, run: int | None = None, experiment: str | None = None, shift: int | None = None
    ) -> Note:
        """On a run or a shift; without either on what is open and on."""
        return self._send(ADD_NOTE, body={"text": text, "run": run, "experiment": experiment, "shift": shift})

    def name_gap(
        self, cause: str, *, after: int | None = None, experiment: str | None = None, comment: str = ""
    ) -> BeamTime:
        """Why no data were taken after that run (None: before the first); an empty cause takes it back."""
        body = {"after": after, "experiment": experiment, "cause": cause, "comment": comment}
        return self._send(NAME_GAP, body=body)

    def beam_time(
        self, *, experiment: str | None = None, since: date | None = None, until: date | None = None
    ) -> BeamTime:
        """What the days were spent on."""
        return self._send(BEAM_TIME, query={"experiment": experiment, "since": since, "until": until})

    def elog(
        self,
        kind: Literal["markdown", "html"],
        *,
        experiment: str | None = None,
        shift: int | None = None,
        day: date | None = None,
    ) -> bytes:
        """The log book of a shift, a day, or an experiment as a file."""
        return self._send(ELOG, query={"format": kind, "experiment": experiment, "shift": shift, "day": day})
