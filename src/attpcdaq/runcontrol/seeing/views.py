"""What page, API and event stream show: plain frozen values, times as aware datetimes, sizes in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Level = Literal["ok", "busy", "bad", "off"]
DiskLevel = Literal["", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Overall:
    """The one thing to read from two metres away, and why."""

    level: Level
    title: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageView:
    """One line of a plan: who gets which call at the same time; `why` where it is not plain."""

    transition: str
    servers: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class ActionView:
    """Whether a button may be used; the reasons why not; what must be confirmed first; what it will do, in order."""

    allowed: bool
    reasons: tuple[str, ...] = ()
    confirm: str = ""
    stages: tuple[StageView, ...] = ()
    digest: str = ""
    """Names the plan: sent along with the order, it is refused when the plan has changed meanwhile."""


@dataclass(frozen=True, slots=True)
class TroubleView:
    """What is wrong in plain words, what it means, what to do next, and where the manual tells more."""

    key: str
    title: str
    meaning: str
    todo: str
    anchor: str
    """Of the manual page on troubles."""
    level: Literal["bad", "warn"] = "bad"


@dataclass(frozen=True, slots=True)
class ExclusionView:
    """Why the system goes on without a server."""

    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RestartView:
    """The latest restart of an ECC server or data router; what it needs to be allowed is in `action`."""

    state: str
    message: str
    requested_by: str
    requested_at: datetime
    until: datetime | None = None
    """When it is given up; None once it is over."""


@dataclass(frozen=True, slots=True)
class ControlView:
    """Who is in charge, since when, and who asks to be; empty names for nobody."""

    holder: str = ""
    since: datetime | None = None
    asked_by: str = ""
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LooseView:
    """Boards that are Running (or whose files grow) while no run is open."""

    servers: tuple[str, ...]
    since: datetime | None
    adopt: ActionView


@dataclass(frozen=True, slots=True)
class EccView:
    """One ECC server; `age` in seconds since its last good answer."""

    id: int
    name: str
    state: str
    state_label: str
    going_to: str
    age: float | None
    seen_at: datetime | None
    config: str
    problem: str
    progress: str
    last_error: str
    roles: tuple[str, ...]
    boards: tuple[str, ...]
    actions: Mapping[str, ActionView] = field(default_factory=dict)
    excluded: ExclusionView | None = None
    still_busy: str = ""
    """A call that nobody waits for any more, and that still blocks in the server."""
    trouble: TroubleView | None = None
    restart: ActionView = ActionView(allowed=False)
    last_restart: RestartView | None = None
    drifts: tuple[str, ...] = ()
    """Configuration files that changed on disk after they were loaded, in words."""


@dataclass(frozen=True, slots=True)
class DiskView:
    """A disk that data go to: bytes, bytes per second of all who write there, and seconds until it is full."""

    node: str
    free: int
    total: int | None
    rate: float
    full_in: float | None
    level: DiskLevel
    low: bool
    """No run starts with so little."""
    words: str = ""
    """When it is full; empty where that is not to be told."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """What is known of a node that data are written on; seconds that its clock is ahead, and how wrong that may be."""

    name: str
    clock_offset: float | None
    clock_error: float | None
    clock_off: bool
    clock_at: datetime | None
    problem: str = ""
    """Why its clock could not be read."""


@dataclass(frozen=True, slots=True)
class RouterView:
    """One data router; `rate` in bytes per second, `event_rate` in events per second; None is unknown."""

    id: int
    name: str
    node: str
    ecc_server: str
    online: bool | None
    clean: bool | None
    files: int
    bytes: int
    rate: float
    growing: bool
    grew_at: datetime | None
    last_event: int | None
    disk_free: int | None
    disk_total: int | None
    age: float | None
    seen_at: datetime | None
    problem: str
    deaf: bool
    event_rate: float = 0.0
    hears: bool | None = None
    disk: DiskView | None = None
    clock: str = ""
    """What is wrong with the clock of its node; empty when nothing is."""
    warnings: tuple[TroubleView, ...] = ()
    excluded: bool = False
    trouble: TroubleView | None = None
    restart: ActionView = ActionView(allowed=False)
    last_restart: RestartView | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as the panel shows it."""

    id: int
    experiment: str
    number: int
    title: str
    run_class: str
    state: str
    state_label: str
    verdict: str
    requested_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    directory: str
    files_moving_at: datetime | None = None
    """When a worker last said that it is moving the files."""
    excluded: dict[str, dict[str, str]] = field(default_factory=dict)
    adopted: bool = False
    data_verdict: str = ""
    """On its data: complete, remarks, incomplete, not_proven; `checking` while they are read, empty before."""
    sheet_lacks: tuple[str, ...] = ()
    """Required values that its sheet does not have; told of the last run only."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One server's part of a command."""

    stage: int
    server: str
    transition: str
    state: str
    message: str
    sent_at: datetime | None = None
    until: datetime | None = None
    """When it is given up; None unless it is under way."""


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command with its steps."""

    id: str
    action: str
    label: str
    targets: tuple[str, ...] | None
    state: str
    message: str
    requested_by: str
    request_id: str
    requested_at: datetime
    finished_at: datetime | None
    run_number: int | None
    steps: tuple[StepView, ...]
    expires_at: datetime | None = None
    """When it is too late to begin; None once it was begun."""
    retry: ActionView = ActionView(allowed=False)
    """The same order once more, as far as it is still to be done."""


@dataclass(frozen=True, slots=True)
class EventView:
    """Something that happened, as the crew reads it."""

    id: int
    at: datetime
    topic: str
    severity: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole status at one moment."""

    at: datetime
    monitor_alive: bool
    overall: Overall
    experiment: str | None
    next_run_number: int | None
    run: RunView | None
    last_run: RunView | None
    ecc_servers: tuple[EccView, ...]
    routers: tuple[RouterView, ...]
    actions: Mapping[str, ActionView]
    command: CommandView | None
    events: tuple[EventView, ...]
    stray: bool
    """Files lie in a staging directory while no run is open."""
    control: ControlView = ControlView()
    loose: LooseView | None = None
    reconfigure_mutant: bool = False
    nodes: tuple[NodeView, ...] = ()
    min_free: int = 0
    """Bytes that must be free on every disk for a run to start."""
    monitor_at: datetime | None = None
    """When the monitor was last at work."""
