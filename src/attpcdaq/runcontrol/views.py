"""What page, API and event stream show: plain frozen values, times as aware datetimes, sizes in bytes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Level = Literal["ok", "busy", "bad", "off"]


@dataclass(frozen=True, slots=True)
class Overall:
    """The one thing to read from two metres away, and why."""

    level: Level
    title: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionView:
    """Whether a button may be used; the reasons why not; what must be confirmed first."""

    allowed: bool
    reasons: tuple[str, ...] = ()
    confirm: str = ""


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
    actions: dict[str, ActionView] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouterView:
    """One data router; `rate` in bytes per second; None is unknown."""

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


@dataclass(frozen=True, slots=True)
class StepView:
    """One server's part of a command."""

    stage: int
    server: str
    transition: str
    state: str
    message: str


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
    requested_at: datetime
    finished_at: datetime | None
    run_number: int | None
    steps: tuple[StepView, ...]


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
    actions: dict[str, ActionView]
    command: CommandView | None
    events: tuple[EventView, ...]
    stray: bool
    """Files lie in a staging directory while no run is open."""
