"""A setup as plain values: what a setup file says, what Easy setup makes, and what the tables hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Literal

from get_protocol.config_set import ConfigId


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A computer and how it is reached (no SSH user means the one of the settings); how its parts are restarted."""

    name: str
    host: str
    access: str = "ssh"
    agent_port: int = 8080
    ssh_port: int = 22
    ssh_user: str = ""
    restart_ecc: str = ""
    restart_router: str = ""


@dataclass(frozen=True, slots=True)
class ServerEntry:
    """An ECC server; without `config` the choice made earlier stays. `deadlines`: operation -> seconds."""

    name: str
    node: str
    host: str
    port: int = 8083
    describe_name: str = ""
    config_dir: str = ""
    backup_dir: str = ""
    log_file: str = ""
    config: ConfigId | None = None
    deadlines: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouterEntry:
    """A data router and the directory it writes into."""

    name: str
    node: str
    host: str
    staging_dir: str
    port: int = 46005
    link_type: str = "TCP"
    process_name: str = "dataRouter"
    log_file: str = ""


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A board: who configures it and who receives its data (nobody: a MuTAnT without readout)."""

    sender_id: str
    role: str
    ecc_server: str
    data_router: str = ""

    @property
    def name(self) -> str:
        return self.sender_id


Entry = NodeEntry | ServerEntry | RouterEntry | SourceEntry


@dataclass(frozen=True, slots=True)
class Setup:
    """The whole hardware as we believe it to be."""

    nodes: tuple[NodeEntry, ...] = ()
    ecc_servers: tuple[ServerEntry, ...] = ()
    data_routers: tuple[RouterEntry, ...] = ()
    data_sources: tuple[SourceEntry, ...] = ()


class SetupError(Exception):
    """A setup that may not be; `errors` names every fault and says what is allowed."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


Verb = Literal["add", "remove", "rename", "change"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of a row; `old` is None in a new row."""

    key: str
    old: str | None
    new: str

    def __str__(self) -> str:
        return f"{self.key} {self.new}" if self.old is None else f"{self.key} {self.old} → {self.new}"


@dataclass(frozen=True, slots=True)
class Change:
    """One row that a load would add, remove, rename or change; `differences` are the keys that differ."""

    verb: Verb
    kind: str
    name: str
    differences: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        details = "; ".join(map(str, self.differences))
        return f"{self.verb} {self.kind} {self.name}" + (f": {details}" if details else "")


EMPTY: tuple[object, ...] = ("", None, {})
# Keys that are left out of the file and of what is shown where they say what is usual.
USUAL: Mapping[str, object] = {"access": "ssh", "agent_port": 8080}
KINDS = {
    "nodes": "node",
    "ecc_servers": "ECC server",
    "data_routers": "data router",
    "data_sources": "data source",
}


def changes(old: Setup, new: Setup) -> tuple[Change, ...]:
    """What loading `new` over `old` does, row by row; the order of rows does not count."""
    return tuple(
        change for part, kind in KINDS.items() for change in _part(kind, getattr(old, part), getattr(new, part))
    )


def _part(kind: str, old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[Change]:
    before = {entry.name: entry for entry in old}
    after = {entry.name: entry for entry in new}
    for name in before:
        if name not in after:
            yield Change("remove", kind, name)
    for name, entry in after.items():
        if name not in before:
            yield Change("add", kind, name, tuple(_described(entry)))
        elif differences := tuple(_differences(before[name], entry)):
            yield Change("change", kind, name, differences)


def _described(entry: Entry) -> Iterator[Difference]:
    for each in fields(entry):
        value = getattr(entry, each.name)
        if is_said(each.name, value) and value != entry.name:
            yield Difference(each.name, None, _shown(value))


def is_said(key: str, value: object) -> bool:
    """Whether a value is worth a line: it is neither empty nor what is usual."""
    return value not in EMPTY and USUAL.get(key) != value


def _differences(old: Entry, new: Entry) -> Iterator[Difference]:
    for each in fields(old):
        before, after = getattr(old, each.name), getattr(new, each.name)
        if isinstance(new, ServerEntry) and each.name == "config":
            after = config_after(new, before)
        if before != after:
            yield Difference(each.name, _shown(before), _shown(after))


def config_after(entry: ServerEntry, chosen: ConfigId | None) -> ConfigId | None:
    """The choice once `entry` is loaded: its own, else the old one while that is of the board's describe name."""
    if entry.config is not None or chosen is None:
        return entry.config
    return chosen if entry.describe_name in ("", chosen.describe) else None


def _shown(value: object) -> str:
    if isinstance(value, ConfigId):
        return " / ".join(asdict(value).values())
    if value in EMPTY:
        return "(none)"
    if isinstance(value, Mapping):
        return ", ".join(f"{operation} {seconds:g} s" for operation, seconds in value.items())
    return str(value)
