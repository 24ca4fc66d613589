"""What is known of files in staging and of the runs that may have written them; times are on the DAQ's clock, in
seconds since the epoch, unless said otherwise."""

from dataclasses import dataclass
from functools import lru_cache

from get_protocol.errors import RemoteProtocolError
from get_protocol.graw_names import GrawName, parse_graw_name

LATE = 120.0
"""Frames of a run are looked for so long after its end; twice what has been seen."""
TICKS = 100_000_000


@dataclass(frozen=True, slots=True)
class Frames:
    """Event numbers and times (ticks of 10 ns) of a file; nothing at all where it could not be read."""

    first_event: int | None = None
    first_time: int | None = None
    last_event: int | None = None
    last_time: int | None = None
    whole: bool = False
    """All of it was read; otherwise only its first frame."""
    empty: bool = False
    times_back: int = 0
    largest_step: int = 0
    """Longest time between two frames, in ticks."""


UNREADABLE = Frames()


@dataclass(frozen=True, slots=True)
class Staged:
    """A file in staging; `modified` on the node's clock, `frames` None while nobody has read it."""

    name: str
    size: int
    modified: float
    frames: Frames | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    """A file of a run: the name it had in the same staging directory, and where it lies now."""

    name: str
    path: str
    frames: Frames | None = None


@dataclass(frozen=True, slots=True)
class RunSpan:
    """A run that boards of one place took part in."""

    run: int
    label: str
    asked: float
    told: float
    """When its first board here was told to start."""
    stopped: float
    clean: bool = True
    """The staging directory was seen clean when it was asked for; not so for an adopted one."""
    starts: int = 1
    """How often its boards here were told to start."""
    files: tuple[Filed, ...] = ()
    took_nothing: bool = False
    """No board has a file of it, in several places: it had no event, for they are not all held up alike."""

    def of(self, source: str) -> list[tuple[GrawName, Filed]]:
        """Its files of one source, in the order they were begun."""
        named = [(name, file) for file in self.files if (name := parsed(file.name)) and source_of(name) == source]
        return sorted(named, key=lambda pair: (pair[0].timestamp, pair[0].index, pair[0].late))


@dataclass(frozen=True, slots=True)
class Clock:
    """A node's clock: seconds ahead of ours, by how many that may be wrong, minutes its local time is ahead of UTC."""

    offset: float
    error: float
    utc_offset: int


@dataclass(frozen=True, slots=True)
class Place:
    """One staging directory: the runs that its boards took part in, oldest first, and its node's clock if known."""

    runs: tuple[RunSpan, ...]
    clock: Clock | None = None
    stepped: float = 0.0
    """When the node's clock was last seen to jump: times from before tell nothing of the order of things."""
    set_up: float = 0.0
    """When a board of it, or the MuTAnT, was last described, prepared or configured: its clock may begin anew then."""
    ran_until: float = 0.0
    """When a board of it was last seen Running."""


@dataclass(frozen=True, slots=True)
class Owner:
    """It belongs to this run, and why."""

    run: int
    proof: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be read first: first frames or all of files in staging, all of files of earlier runs (paths)."""

    heads: frozenset[str] = frozenset()
    scans: frozenset[str] = frozenset()
    filed: frozenset[str] = frozenset()


Verdict = Owner | Unknown | Needs


@lru_cache(maxsize=50_000)
def parsed(name: str) -> GrawName | None:
    """The parts of a name, None if no data router (and no close-out) made it."""
    try:
        return parse_graw_name(name)
    except RemoteProtocolError:
        return None


def source_of(name: GrawName) -> str:
    """Whose frames share a file: `CoBo3_AsAd1`, `MuTanT`."""
    return name.source if name.asad is None else f"{name.source}_AsAd{name.asad}"
