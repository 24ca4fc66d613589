"""What one cycle left behind: the only things that the checker is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from get_simulator.journal import Entry
from tests.chaos.ecc_port import Sent
from tests.chaos.truth import Place, Spell


@dataclass(frozen=True, slots=True)
class Look:
    """The page at one moment, in plain words."""

    at: float
    level: str
    text: str
    servers: Mapping[str, str]
    going: Mapping[str, str]
    online: Mapping[str, bool | None]
    run: str | None
    alarmed: bool


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it is recorded; times in simulated seconds."""

    pk: int
    number: int
    state: str
    verdict: str
    directory: str
    requested: float
    started: float | None
    stopped: float | None
    closed: float | None
    over: float | None
    """When it was first seen to be more than stopping: by then no data may come any more."""
    boards: Mapping[str, str]
    """Board -> its ECC server, those that the run was meant to have."""
    adopted: bool
    files: frozenset[tuple[str, str]]
    """(Node, path) of its data files."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command as it is recorded."""

    pk: str
    action: str
    state: str
    requested: float
    lifetime: float
    finished: float | None
    revivals: int
    steps: tuple["StepRow", ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """One server's part."""

    server: str
    transition: int
    state: str
    sent: float | None
    finished: float | None


@dataclass
class Outage:
    """Something of the product was away."""

    part: str
    since: float
    until: float


@dataclass
class Evidence:
    """Everything of one cycle."""

    began: float
    ended: float
    runs: Sequence[RunRow]
    commands: Sequence[CommandRow]
    known_numbers: Mapping[int, int]
    """Run number -> the row it was first seen on."""
    journal: Sequence[Entry]
    spells: Sequence[Spell]
    places: Mapping[int, Sequence[Place]]
    calls: Sequence[Sent]
    looks: Sequence[Look]
    outages: Sequence[Outage]
    router_of: Mapping[str, str]
    """Board -> its data router."""
    node_of: Mapping[str, str]
    """ECC server or data router -> its node."""
    clock_stepped: bool = False
    """The product's clock was set: it may take a command for up to 5 s younger or older than it is."""
    problems: Sequence[str] = field(default_factory=list)
    """Messes out of which the crew's clicks did not lead."""
