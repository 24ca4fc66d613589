"""Configurations of runs, and of now, side by side: what is the same, and which parameters are not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from attpcdaq.live.drift import drifts
from attpcdaq.live.models import DiskConfig
from attpcdaq.runlog.listing import NoSuchRunError, find_run
from attpcdaq.runlog.models import Run, RunConfig
from attpcdaq.topology import config_blobs
from attpcdaq.topology.models import ConfigKind, ConfigSource, ECCServer
from get_protocol.errors import ProtocolError
from get_protocol.xcfg_diff import Difference, Parameters, diff, flatten

MOST_SHOWN = 1000
"""Differences of one pair of files that are kept; the rest is counted."""
NOW = "now"
LOADED = "loaded"
# In the order in which they are read.
KINDS = [kind.value for kind in ConfigKind]

Likeness = Literal["identical", "same", "different", "unknown"]
# What must be looked at comes first; whether the bytes are the same too is not what is asked.
ORDER: list[Likeness] = ["different", "unknown", "same", "identical"]


class UnknownSideError(Exception):
    """There is nothing of that name to compare; the text says what there could be."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two files: the same bytes, the same parameters, or not; `problem` where one of them cannot be read."""

    likeness: Likeness
    differences: tuple[Difference, ...] = ()
    count: int = 0
    problem: str = ""

    @property
    def more(self) -> int:
        """Differences that are not kept."""
        return self.count - len(self.differences)


@dataclass(frozen=True, slots=True)
class Entry:
    """One configuration of one ECC server; no blob: why its bytes are not known."""

    server: str
    kind: str
    name: str
    blob: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared."""

    key: str
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """What several ECC servers have in common: the same two files (None: there is none on that side)."""

    kind: str
    servers: tuple[str, ...]
    old: Entry | None
    new: Entry | None
    compared: Compared

    @property
    def label(self) -> str:
        return ConfigKind(self.kind).label

    @property
    def names(self) -> str:
        """The name of the configuration, or both."""
        each = [entry.name if entry else "none" for entry in (self.old, self.new)]
        return each[0] if each[0] == each[1] else " → ".join(each)


@lru_cache(maxsize=24)
def _parameters(blob: str) -> Parameters:
    return flatten(config_blobs.get(blob), "the file")


@lru_cache(maxsize=256)
def compare(old: str, new: str) -> Compared:
    """Two kept files by their SHA-256: what they are never changes, so the answer is remembered."""
    if old == new:
        return Compared("identical")
    try:
        found = list(diff(_parameters(old), _parameters(new)))
    except ProtocolError as error:
        return Compared("unknown", problem=f"The bytes are not the same, and cannot be compared: {error}.")
    if not found:
        return Compared("same")
    return Compared("different", tuple(found[:MOST_SHOWN]), len(found))


def loaded_as_filed(rows: Iterable[RunConfig]) -> dict[tuple[str, str, str], Compared]:
    """By server, kind and name: the file against what the ECC server loaded, where both are kept."""
    rows = list(rows)
    files = {(row.server, row.kind, row.name): row.blob_id for row in rows if row.source == ConfigSource.FILE}
    loaded = {(row.server, row.kind, row.name): row.blob_id for row in rows if row.source == ConfigSource.LOADED}
    return {key: compare(one, two) for key, one in files.items() if one and (two := loaded.get(key))}


def drifts_of(run: Run) -> list[str]:
    """Every file that changed on disk while this run has it in use, in words; none when the run is over."""
    if not run.is_open:
        return []
    names = dict(ECCServer.objects.filter(name__in=run.configuration).values_list("pk", "name"))
    return [f"{names[drift.server_id]}: {drift.text}" for drift in drifts(names)]


def side(key: str) -> Side:
    """`EXPERIMENT/NUMBER`: a run's files; the same with /loaded: what was loaded; `now`. UnknownSideError."""
    if key == NOW:
        return Side(NOW, "Now, as it lies on the nodes", tuple(_entries_now()))
    experiment, _, rest = key.partition("/")
    number, _, source = rest.partition("/")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    if not (is_number and source in ("", LOADED) and key.isprintable()):
        allowed = "EXPERIMENT/NUMBER, the same with /loaded, now"
        raise UnknownSideError(f"{key[:80]!r} cannot be compared; allowed: {allowed}.")
    try:
        run = find_run(experiment, int(number))
    except NoSuchRunError as error:
        raise UnknownSideError(str(error)) from None
    rows = list(run.configs.all())
    label = f"{run.experiment.name} run {run.number}"
    if source:
        return Side(key, f"{label}, as loaded", tuple(_entries(rows, (ConfigSource.LOADED,))))
    return Side(key, label, tuple(_entries(rows, (ConfigSource.FILE, ConfigSource.LOADED))))


def _entries(rows: Sequence[RunConfig], sources: Sequence[str]) -> Iterable[Entry]:
    """The first source that has the bytes, or else the first that says why not."""
    found: dict[tuple[str, str, str], Entry] = {}
    for source in sources:
        for row in (row for row in rows if row.source == source):
            key = (row.server, row.kind, row.name)
            if key not in found or (found[key].blob is None and row.blob_id):
                found[key] = Entry(*key, row.blob_id, row.problem)
    return found.values()


def _entries_now() -> Iterable[Entry]:
    """What is chosen, and the hardware descriptions beside it."""
    rows = DiskConfig.objects.select_related("ecc_server__config_set")
    servers = {row.ecc_server_id: row.ecc_server for row in rows}
    for row in rows:
        chosen = servers[row.ecc_server_id].config_set
        if row.kind == ConfigKind.HARDWARE or (chosen is not None and getattr(chosen, row.kind) == row.name):
            yield Entry(row.ecc_server.name, row.kind, row.name, row.blob_id, row.problem)


def pairs(old: Side, new: Side) -> list[Pair]:
    """What is not the same first, then what is not known; servers with the same two files stand together."""
    if not (old.entries and new.entries):
        return []
    # No file on a node holds the data links.
    kinds = [kind for kind in KINDS if kind != ConfigKind.LINKS or (_has(old, kind) and _has(new, kind))]
    together: dict[tuple[str, Entry | None, Entry | None], list[str]] = {}
    for server in _servers(old, new):
        for kind in kinds:
            for one, two in _matched(_of(old, server, kind), _of(new, server, kind)):
                together.setdefault((kind, _bare(one), _bare(two)), []).append(server)
    found = [Pair(key[0], tuple(names), key[1], key[2], _compared(key[1], key[2])) for key, names in together.items()]
    return sorted(found, key=lambda pair: (ORDER.index(pair.compared.likeness), KINDS.index(pair.kind)))


def _servers(old: Side, new: Side) -> list[str]:
    order = {name: number for number, name in enumerate(ECCServer.objects.values_list("name", flat=True))}
    names = {entry.server for entry in (*old.entries, *new.entries)}
    return sorted(names, key=lambda name: (order.get(name, len(order)), name))


def _has(one: Side, kind: str) -> bool:
    return any(entry.kind == kind for entry in one.entries)


def _of(one: Side, server: str, kind: str) -> list[Entry]:
    return [entry for entry in one.entries if (entry.server, entry.kind) == (server, kind)]


def _matched(old: list[Entry], new: list[Entry]) -> list[tuple[Entry | None, Entry | None]]:
    """One with one, whatever their names; several by their names."""
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    ones, twos = {entry.name: entry for entry in old}, {entry.name: entry for entry in new}
    return [(ones.get(name), twos.get(name)) for name in dict.fromkeys((*ones, *twos))]


def _bare(entry: Entry | None) -> Entry | None:
    return None if entry is None else Entry("", entry.kind, entry.name, entry.blob, entry.problem)


def _compared(old: Entry | None, new: Entry | None) -> Compared:
    if old is None or new is None:
        return Compared("unknown", problem="Kept on one of the two sides only.")
    if old.blob is not None and new.blob is not None:
        return compare(old.blob, new.blob)
    why = (old.problem if old.blob is None else new.problem) or "they have not been read yet"
    return Compared("unknown", problem=f"Its bytes are not kept: {why}.")
