"""Which runs the API is asked for, and how the operation of one is given."""

import re
from datetime import date
from typing import Annotated, Literal

from ninja import Schema
from pydantic import BeforeValidator, Field

from attpcdaq.runlog.listing import NEWEST, Wanted
from attpcdaq.web.api_schemas import Moment, RunClassName, RunOut

StateName = Literal["", "requested", "starting", "running", "stopping", "closing", "closed", "failed"]
VerdictName = Literal["", "complete", "remarks", "incomplete", "not_proven", "checking"]
SortName = Literal[
    "run", "-run", "state", "-state", "verdict", "-verdict", "class", "-class", "title", "-title", "start", "-start",
    "duration", "-duration", "files", "-files", "data", "-data", "problem", "-problem",
]  # fmt: skip
FormatName = Literal["csv", "xlsx", "json"]


def _written(given: object) -> object:
    """A day as people write it; a number would be taken for seconds since 1970."""
    if isinstance(given, str) and not WRITTEN.fullmatch(given):
        raise ValueError("a day is written as 2026-11-22")
    return given


WRITTEN = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[date | None, BeforeValidator(_written)]


class RunsQuery(Schema):
    """Which runs, and in which order; what is left out means any."""

    run_class: RunClassName = Field("", description="Empty: any.")
    state: StateName = Field("", description="Empty: any.")
    verdict: VerdictName = Field("", description="On the data; `checking` while they are read. Empty: any.")
    since: Day = Field(None, description="First day, where the detector stands.")
    until: Day = Field(None, description="Last day; not before `since`.")
    text: Annotated[str, Field(max_length=100, pattern="^[^\\x00]*$")] = Field(
        "", description="Looked for in title, notes, what went wrong, operator and number."
    )
    sort: SortName = Field(NEWEST, description="With a minus the other way round.")

    def wanted(self) -> Wanted:
        return Wanted(**self.model_dump())

    def asked(self) -> dict[str, str]:
        """What differs from asking for everything, as it would stand in the address."""
        return {name: str(value) for name, value in self.model_dump(exclude_defaults=True).items()}


class PhaseOut(Schema):
    name: str
    begin: Moment
    end: Moment | None
    seconds: float | None


class CallOut(Schema):
    """One call to one ECC server."""

    stage: int
    server: str
    transition: str
    state: str
    message: str
    sent_at: Moment | None
    finished_at: Moment | None
    seconds: float | None


class OrderOut(Schema):
    """A command or a restart and what came of it."""

    kind: str = Field(description="The action of a command, or restart.")
    label: str
    by: str
    state: str
    message: str
    requested_at: Moment
    finished_at: Moment | None
    seconds: float | None
    calls: list[CallOut]


class TimelineOut(Schema):
    begin: Moment
    end: Moment
    phases: list[PhaseOut]
    orders: list[OrderOut]


class FileOut(Schema):
    kind: str
    node: str
    owner: str
    path: str
    size: int


class MeasurementOut(Schema):
    name: str
    unit: str
    type: str
    value: int | float | str


class RunDetail(RunOut):
    notes: str
    configuration: dict[str, object]
    files: list[FileOut]
    measurements: list[MeasurementOut]
    timeline: TimelineOut
