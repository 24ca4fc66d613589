"""The whole status of the system."""

from datetime import datetime

from attpcdaq_client.areas.area import Area
from attpcdaq_client.calls import Call, Model


class Stage(Model):
    """ECC servers that get the same call at the same time."""

    transition: str
    servers: list[str] = []
    why: str = ""


class Action(Model):
    """Whether it may be done now, and what it would do; `digest` names this plan."""

    allowed: bool
    reasons: list[str] = []
    confirm: str = ""
    stages: list[Stage] = []
    digest: str = ""


class Trouble(Model):
    """What is wrong, and what to do."""

    key: str
    title: str = ""
    meaning: str = ""
    todo: str = ""
    anchor: str = ""


class RestartNow(Model):
    """The last restart of a part."""

    state: str
    message: str = ""
    requested_by: str = ""
    requested_at: datetime | None = None


class Exclusion(Model):
    """Why an ECC server is left out, and who said so."""

    reason: str
    by: str = ""
    at: datetime | None = None


class Control(Model):
    """Who is in charge and who asks to be; empty names for nobody."""

    holder: str
    since: datetime | None = None
    asked_by: str = ""
    asked_at: datetime | None = None


class Step(Model):
    """One transition of one ECC server."""

    stage: int
    server: str
    transition: str
    state: str
    message: str = ""


class Command(Model):
    """An order and how far it is."""

    id: str
    action: str
    state: str
    targets: list[str] | None = None
    message: str = ""
    requested_by: str = ""
    request_id: str = ""
    requested_at: datetime | None = None
    finished_at: datetime | None = None
    run_number: int | None = None
    steps: list[Step] = []

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "expired")


class CommandNow(Command):
    """The latest command; `retry` is the same once more."""

    retry: Action | None = None


class Overall(Model):
    """How the whole system is: `level` ok, busy, idle, warn, bad or unknown."""

    level: str
    title: str
    reasons: list[str] = []


class EccServer(Model):
    """An ECC server as the monitor saw it `age` seconds ago."""

    name: str
    state: str
    going_to: str = ""
    age: float | None = None
    seen_at: datetime | None = None
    config: str = ""
    problem: str = ""
    progress: str = ""
    last_error: str = ""
    roles: list[str] = []
    boards: list[str] = []
    excluded: Exclusion | None = None
    still_busy: str = ""
    trouble: Trouble | None = None
    restart: Action | None = None
    last_restart: RestartNow | None = None
    drifts: list[str] = []


class Disk(Model):
    """Bytes; `full_in` seconds at this rate."""

    free: int
    total: int | None = None
    rate: float = 0.0
    full_in: float | None = None
    level: str = ""


class Node(Model):
    """A node's clock."""

    name: str
    clock_offset: float | None = None
    clock_error: float | None = None
    clock_off: bool = False
    clock_at: datetime | None = None
    problem: str = ""


class DataRouter(Model):
    """A data router; bytes, bytes per second, events per second."""

    name: str
    node: str = ""
    ecc_server: str = ""
    online: bool | None = None
    clean: bool | None = None
    files: int = 0
    bytes: int = 0
    rate: float = 0.0
    growing: bool = False
    last_event: int | None = None
    event_rate: float = 0.0
    hears: bool | None = None
    disk: Disk | None = None
    disk_free: int | None = None
    disk_total: int | None = None
    age: float | None = None
    problem: str = ""
    deaf: bool = False
    excluded: bool = False
    trouble: Trouble | None = None
    restart: Action | None = None
    last_restart: RestartNow | None = None


class RunNow(Model):
    """The run that is open, or the last one."""

    experiment: str
    number: int
    title: str = ""
    run_class: str = ""
    state: str = ""
    verdict: str = ""
    requested_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    directory: str = ""
    excluded: dict[str, dict[str, str]] = {}
    adopted: bool = False
    data_verdict: str = ""
    sheet_lacks: list[str] = []


class Loose(Model):
    """Boards that are Running, or whose files grow, while no run is open."""

    servers: list[str] = []
    since: datetime | None = None
    adopt: Action | None = None


class Status(Model):
    """Everything at the moment `at`."""

    at: datetime
    overall: Overall
    monitor_alive: bool = True
    experiment: str | None = None
    next_run_number: int | None = None
    run: RunNow | None = None
    last_run: RunNow | None = None
    ecc_servers: list[EccServer] = []
    data_routers: list[DataRouter] = []
    actions: dict[str, Action] = {}
    command: CommandNow | None = None
    loose: Loose | None = None
    control: Control | None = None
    reconfigure_mutant: bool = False
    nodes: list[Node] = []
    min_free: int = 0


STATUS = Call("GET", "/status", Status)


class StatusArea(Area):
    """The status."""

    def now(self) -> Status:
        """As the monitor saw it last."""
        return self._send(STATUS)
