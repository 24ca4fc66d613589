"""What the HTTP API takes and gives; times are ISO 8601 in UTC, sizes in bytes, durations and ages in seconds."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import AfterValidator, ConfigDict, Field

ActionName = Literal["describe", "prepare", "configure", "start", "stop", "breakup", "undo", "go_ready", "go_idle"]
RunClassName = Literal["", "testing", "production", "beam", "pulser", "junk"]
Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
STRICT = ConfigDict(extra="forbid", strict=True)
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

    model_config = STRICT

    action: ActionName
    ecc_servers: Annotated[list[ServerName], Field(min_length=1, max_length=1000)] | None = None
    title: str = Field("", max_length=200, description="Title of the run that Start opens.")
    run_class: RunClassName = Field("", description="Class of the run that Start opens; empty: as the run before.")
    confirm: bool = Field(False, description="Needed for what ends an open run.")
    plan: str = Field(
        "", max_length=64, description="Digest of the plan that was seen in the status: refused when it has changed."
    )


class CommandAccepted(Schema):
    id: str
    state: str


class AdoptIn(Schema):
    """The run that boards found Running are to be."""

    model_config = STRICT

    title: str = Field("", max_length=200)
    run_class: RunClassName = Field("", description="Empty: as the run before.")


class ExclusionIn(Schema):
    """An ECC server, with its boards, to go on without."""

    model_config = STRICT

    ecc_server: ServerName
    reason: str = Field(min_length=1, max_length=200, description="Kept with every run taken without it.")


class RestartIn(Schema):
    """An ECC server or data router to be restarted over SSH."""

    model_config = STRICT

    kind: Literal["ecc", "router"]
    name: ServerName
    confirm: bool = Field(False, description="Needed while a run is open.")


class PreferencesIn(Schema):
    """How runs are started; what is left out stays as it is."""

    model_config = STRICT

    reconfigure_mutant: bool | None = Field(None, description="Breakup and Configure the MuTAnT before each Start.")
    min_free_gb: float | None = Field(
        None, ge=0, le=1e6, allow_inf_nan=False, description="No run starts with less free on a disk (10^9 bytes)."
    )


class ControlIn(Schema):
    """Be in charge, ask for it, hand it over, take it with a reason."""

    model_config = STRICT

    action: Literal["take", "ask", "hand_over", "release", "decline", "force"]
    to: str = Field("", max_length=150, description="User name, for hand_over.")
    reason: str = Field("", max_length=200, description="For force: everybody will read it.")
    holder: str = Field("", max_length=150, description="For force: refused when somebody else is in charge by now.")


# By the name of the parameter that takes it: for saying what is allowed when a field is unknown.
BODIES: dict[str, type[Schema]] = {
    "wish": CommandIn,
    "adoption": AdoptIn,
    "exclusion": ExclusionIn,
    "wanted": RestartIn,
    "preferred": PreferencesIn,
    "change": ControlIn,
}


class ExclusionOut(Schema):
    reason: str
    by: str
    at: Moment


class PreferencesOut(Schema):
    reconfigure_mutant: bool
    min_free_gb: float


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
    excluded: dict[str, dict[str, str]] = Field(description="ECC servers it was taken without, and why.")
    adopted: bool = Field(description="Its boards were found Running while no run was open.")
    data_files: int = Field(description="How many data files lie in its directories.")
    data_bytes: int
    data_verdict: str = Field(
        description="Whether the data are complete: complete, remarks, incomplete or not_proven; checking while they "
        "are read, empty for a run that nobody is to check."
    )
