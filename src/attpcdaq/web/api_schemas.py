"""What the HTTP API takes and gives; times are ISO 8601 in UTC, sizes in bytes, durations and ages in seconds."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field

ActionName = Literal["describe", "prepare", "configure", "start", "stop", "breakup", "undo"]
RunClassName = Literal["", "testing", "production", "beam", "pulser", "junk"]
Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
ServerName = Annotated[str, Field(min_length=1, max_length=63)]


class Problem(Schema):
    """Why a request was not served."""

    detail: str


class WrongInput(Problem):
    """The fields that are wrong, each with what is allowed."""

    fields: dict[str, str]


class Refused(Problem):
    """The command may not be given now; nothing was recorded or sent."""

    reasons: list[str]


class CommandIn(Schema):
    """A command for the whole system (`ecc_servers` null) or for the ECC servers named."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: ActionName
    ecc_servers: Annotated[list[ServerName], Field(min_length=1, max_length=1000)] | None = None
    title: str = Field("", max_length=200, description="Title of the run that Start opens.")
    run_class: RunClassName = Field("", description="Class of the run that Start opens; empty: as the run before.")
    confirm: bool = Field(False, description="Needed for what ends an open run.")


class CommandAccepted(Schema):
    id: str
    state: str


class StepOut(Schema):
    stage: int
    server: str
    transition: str
    state: str
    message: str


class CommandOut(Schema):
    id: str
    action: str
    targets: list[str] | None
    state: str
    message: str
    requested_by: str
    requested_at: Moment
    finished_at: Moment | None
    run_number: int | None
    steps: list[StepOut]


class ActionOut(Schema):
    allowed: bool
    reasons: list[str]
    confirm: str


class OverallOut(Schema):
    level: str
    title: str
    reasons: list[str]


class EccServerOut(Schema):
    name: str
    state: str
    going_to: str
    age: float | None
    seen_at: Moment | None
    config: str
    problem: str
    progress: str
    last_error: str
    roles: list[str]
    boards: list[str]


class DataRouterOut(Schema):
    name: str
    node: str
    ecc_server: str
    online: bool | None
    clean: bool | None
    files: int
    bytes: int
    rate: float
    growing: bool
    last_event: int | None
    disk_free: int | None
    disk_total: int | None
    age: float | None
    problem: str


class RunNow(Schema):
    experiment: str
    number: int
    title: str
    run_class: str
    state: str
    verdict: str
    requested_at: Moment
    started_at: Moment | None
    stopped_at: Moment | None
    directory: str


class StatusOut(Schema):
    at: Moment
    monitor_alive: bool
    overall: OverallOut
    experiment: str | None
    next_run_number: int | None
    run: RunNow | None
    last_run: RunNow | None
    ecc_servers: list[EccServerOut]
    data_routers: list[DataRouterOut] = Field(validation_alias="routers")
    actions: dict[str, ActionOut]
    command: CommandOut | None


class RunOut(Schema):
    experiment: str
    number: int
    state: str
    run_class: str
    title: str
    requested_at: Moment
    started_at: Moment | None
    stopped_at: Moment | None
    closed_at: Moment | None
    duration: float | None
    operator: str | None
    verdict: str
    directory: str


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
