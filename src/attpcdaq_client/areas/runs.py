"""Runs: list, one with its files, what is proven of its data, its configuration and rates."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from attpcdaq_client.areas.area import Area
from attpcdaq_client.areas.timeline import Timeline
from attpcdaq_client.calls import Call, Model


class Run(Model):
    """A run; `duration` in seconds."""

    experiment: str
    number: int
    state: str
    run_class: str = ""
    title: str = ""
    requested_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    closed_at: datetime | None = None
    duration: float | None = None
    operator: str | None = None
    verdict: str = ""
    directory: str = ""
    excluded: dict[str, dict[str, str]] = {}
    adopted: bool = False
    data_files: int = 0
    data_bytes: int = 0
    data_verdict: str = ""

    @property
    def over(self) -> bool:
        """Its files are where they belong."""
        return self.state in ("closed", "failed")


class File(Model):
    """A file of a run; bytes."""

    kind: str
    node: str
    path: str
    owner: str = ""
    size: int = 0


class Measurement(Model):
    """What was recorded of an observable."""

    name: str
    value: int | float | str
    unit: str = ""
    type: str = ""


class RunDetail(Run):
    """A run with its files and its sheet, and how it came about."""

    notes: str = ""
    configuration: dict[str, Any] = {}
    files: list[File] = []
    measurements: list[Measurement] = []
    timeline: Timeline | None = None


class Reason(Model):
    """Why a run's data are not complete: `level` incomplete, not_proven or remarks."""

    level: str
    text: str


class Source(Model):
    """What the files of one CoBo and AsAd, or of the MuTAnT, hold together; times in ticks of 10 ns."""

    source: str
    nodes: list[str] = []
    routers: list[str] = []
    files: int = 0
    bytes: int = 0
    frames: int = 0
    events: int = 0
    first_event: int | None = None
    last_event: int | None = None
    first_time: int | None = None
    last_time: int | None = None
    longest_step: int = 0
    gaps: int = 0
    gap_ranges: list[list[int]] = []
    missing: int = 0
    missing_ranges: list[list[int]] = []
    behind: int = 0
    twice: int = 0


class Progress(Model):
    """How far the reading has come."""

    files: int
    of_files: int
    bytes: int = 0
    of_bytes: int = 0


class ManifestFile(Model):
    """A file; of a data file also what is in it."""

    kind: str
    node: str
    path: str
    owner: str = ""
    size: int = 0
    sha256: str = ""
    problem: str = ""
    proof: str = ""


class Manifest(Model):
    """Whether a run's data are complete: `verdict` complete, remarks, incomplete, not_proven; empty: being checked."""

    experiment: str
    run: int
    verdict: str
    format: str = ""
    version: int = 0
    requested_at: str | None = None
    started_at: str | None = None
    stopped_at: str | None = None
    closed_at: str | None = None
    without: dict[str, str] = {}
    reasons: list[Reason] = []
    made_at: str | None = None
    sources: list[Source] = []
    files: list[ManifestFile] = []
    progress: Progress | None = None


class KeptConfig(Model):
    """One configuration of one ECC server of a run; `sha256` fetches its bytes."""

    ecc_server: str
    kind: str
    source: str = ""
    name: str = ""
    path: str = ""
    size: int | None = None
    sha256: str | None = None
    problem: str = ""
    taken_at: datetime | None = None
    loaded_is: str | None = None


class Sample(Model):
    """A step of time that ends at `at`: mean rates, highest counts, least free space."""

    at: datetime
    seconds: int = 0
    files: int = 0
    bytes: int = 0
    rate: float = 0.0
    event: int | None = None
    event_rate: float = 0.0
    disk_free: int | None = None


class RouterSamples(Model):
    """The samples of one data router."""

    data_router: str
    node: str = ""
    samples: list[Sample] = []


class Samples(Model):
    """`step` seconds are one line."""

    step: int
    data_routers: list[RouterSamples] = []


FILTER = ("experiment", "run_class", "state", "verdict", "since", "until", "text", "sort")
RUNS = Call("GET", "/runs", list[Run], query=(*FILTER, "limit", "offset"))
EXPORT = Call("GET", "/runs/export", bytes, query=(*FILTER, "format"))
RUN = Call("GET", "/runs/{number}", RunDetail, query=("experiment",))
CHECK = Call("POST", "/runs/{number}/check", type(None), query=("experiment",))
MANIFEST = Call("GET", "/runs/{experiment}/{number}/manifest", Manifest)
CONFIGURATION = Call("GET", "/runs/{experiment}/{number}/configuration", list[KeptConfig])
SAMPLES = Call("GET", "/runs/{experiment}/{number}/samples", Samples, query=("step",))


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs, in which order; None is anything. `since` and `until` are days, `sort` a column (- the other way)."""

    experiment: str | None = None
    run_class: str | None = None
    state: str | None = None
    verdict: str | None = None
    since: date | None = None
    until: date | None = None
    text: str | None = None
    sort: str | None = None


ALL_RUNS = RunFilter()


class Runs(Area):
    """Runs of the active experiment, or of the one named."""

    def all(self, wanted: RunFilter = ALL_RUNS, *, limit: int = 1000, offset: int = 0) -> list[Run]:
        """Newest first, unless `wanted` sorts them otherwise."""
        return self._send(RUNS, query={**asdict(wanted), "limit": limit, "offset": offset})

    def export(self, kind: Literal["csv", "xlsx", "json"], wanted: RunFilter = ALL_RUNS) -> bytes:
        """A file with all that fit, their sheets among it."""
        return self._send(EXPORT, query={**asdict(wanted), "format": kind})

    def one(self, number: int, *, experiment: str | None = None) -> RunDetail:
        """A run with its files and its sheet."""
        return self._send(RUN, number=number, query={"experiment": experiment})

    def check(self, number: int, *, experiment: str | None = None) -> None:
        """Have all its files read and judged once more."""
        return self._send(CHECK, number=number, query={"experiment": experiment})

    def manifest(self, experiment: str, number: int) -> Manifest:
        """Whether its data are complete."""
        return self._send(MANIFEST, experiment=experiment, number=number)

    def configuration(self, experiment: str, number: int) -> list[KeptConfig]:
        """What every ECC server was set up with."""
        return self._send(CONFIGURATION, experiment=experiment, number=number)

    def samples(self, experiment: str, number: int, *, step: int | None = None) -> Samples:
        """Rates, events and disks while it ran; `step` in seconds."""
        return self._send(SAMPLES, experiment=experiment, number=number, query={"step": step})
