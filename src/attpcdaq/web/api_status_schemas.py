"""The status, commands and restarts as the HTTP API gives them.

Apart from runcontrol's views, which hold more and change with the pages: programs rely on what is published here.
"""

from ninja import Schema
from pydantic import Field

from attpcdaq.web.api_schemas import ExclusionOut, Moment


class StageOut(Schema):
    """ECC servers which get the same call at the same time, and why where it is not plain."""

    transition: str
    servers: list[str]
    why: str


class ActionOut(Schema):
    """Whether it may be done now, what it would do in which order, and the digest that names this plan."""

    allowed: bool
    reasons: list[str]
    confirm: str
    stages: list[StageOut]
    digest: str


class TroubleOut(Schema):
    """What is wrong in plain words; `anchor` is that of the manual page on troubles."""

    key: str
    title: str
    meaning: str
    todo: str
    anchor: str


class RestartNow(Schema):
    state: str
    message: str
    requested_by: str
    requested_at: Moment


class RestartOut(RestartNow):
    id: str
    kind: str
    name: str
    finished_at: Moment | None


class ControlOut(Schema):
    """Who is in charge and who asks to be; empty names for nobody."""

    holder: str
    since: Moment | None
    asked_by: str
    asked_at: Moment | None


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
    request_id: str = Field(description="The click that asked for it: its lines in the logs of all processes say so.")
    requested_at: Moment
    finished_at: Moment | None
    run_number: int | None
    steps: list[StepOut]


class CommandNow(CommandOut):
    """The latest command, as the status shows it."""

    retry: ActionOut = Field(description="The same once more, as far as it is still to be done.")


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
    excluded: ExclusionOut | None
    still_busy: str = Field(description="A call nobody waits for any more, that still blocks in the server.")
    trouble: TroubleOut | None
    restart: ActionOut
    last_restart: RestartNow | None
    drifts: list[str] = Field(description="Configuration files that changed on disk after they were loaded, in words.")


class DiskOut(Schema):
    """Where a router writes; `rate` is that of all routers which fill it, `full_in` seconds at that rate."""

    free: int
    total: int | None
    rate: float
    full_in: float | None
    level: str = Field(description="Empty, warn or bad.")


class NodeOut(Schema):
    name: str
    clock_offset: float | None = Field(description="Seconds that its clock is ahead.")
    clock_error: float | None = Field(description="Seconds by which that may be wrong.")
    clock_off: bool
    clock_at: Moment | None
    problem: str = Field(description="Why its clock could not be read.")


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
    event_rate: float = Field(description="Events per second.")
    hears: bool | None = Field(description="Whether it listens on its data port or is connected; null: not known.")
    disk: DiskOut | None
    disk_free: int | None
    disk_total: int | None
    age: float | None
    problem: str
    deaf: bool
    excluded: bool
    trouble: TroubleOut | None
    restart: ActionOut
    last_restart: RestartNow | None


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
    excluded: dict[str, dict[str, str]] = Field(description="ECC servers it was taken without, and why.")
    adopted: bool = Field(description="Its boards were found Running.")
    data_verdict: str = Field(
        description="On its data: complete, remarks, incomplete, not_proven; checking while they are read."
    )
    sheet_lacks: list[str] = Field([], description="Required values that its sheet does not have (of the last run).")


class LooseOut(Schema):
    """Boards that are Running, or whose files grow, while no run is open."""

    servers: list[str]
    since: Moment | None
    adopt: ActionOut


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
    command: CommandNow | None
    loose: LooseOut | None
    control: ControlOut
    reconfigure_mutant: bool
    nodes: list[NodeOut]
    min_free: int = Field(description="Bytes that must be free on every disk for a run to start.")
