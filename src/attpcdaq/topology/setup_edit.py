"""A setup with one row more, one row other, or one row less and what cannot be without it (pure)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from attpcdaq.topology.models import Role
from attpcdaq.topology.setup import Change, Difference, Entry, RouterEntry, ServerEntry, Setup, SourceEntry

PARTS: Mapping[str, str] = {
    "node": "nodes",
    "ecc_server": "ecc_servers",
    "data_router": "data_routers",
    "data_source": "data_sources",
}
"""Tables of the setup file and the parts of a Setup that they fill."""
WORDS: Mapping[str, str] = {
    "node": "node",
    "ecc_server": "ECC server",
    "data_router": "data router",
    "data_source": "data source",
}
REFER: Mapping[str, tuple[str, ...]] = {
    "node": ("ecc_servers", "data_routers"),
    "ecc_server": ("data_sources",),
    "data_router": ("data_sources",),
    "data_source": (),
}
"""The parts whose rows have a key of that name; it holds the name of one."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """A row that goes on under another name: its live state, host keys and configurations stay with it."""

    kind: str
    was: str
    now: str

    def applied(self, setup: Setup) -> Setup:
        """The setup with the row, and all that refers to it, under the new name."""
        part = PARTS[self.kind]
        field = "sender_id" if self.kind == "data_source" else "name"
        rows = tuple(
            replace(each, **{field: self.now}) if each.name == self.was else each for each in getattr(setup, part)
        )
        return _following(replace(setup, **{part: rows}), self)

    def change(self) -> Change:
        return Change("rename", WORDS[self.kind], self.was, (Difference("name", self.was, self.now),))


def _following(setup: Setup, renaming: Renaming) -> Setup:
    key = renaming.kind
    changed: dict[str, Any] = {}
    for part in REFER[key]:
        changed[part] = tuple(
            replace(each, **{key: renaming.now}) if getattr(each, key) == renaming.was else each
            for each in getattr(setup, part)
        )
    return replace(setup, **changed)


def find(setup: Setup, kind: str, name: str) -> Entry | None:
    """The row of this name."""
    rows: tuple[Entry, ...] = getattr(setup, PARTS[kind])
    return next((each for each in rows if each.name == name), None)


def added(setup: Setup, kind: str, entry: Entry) -> Setup:
    """With `entry` as the last of its kind."""
    part = PARTS[kind]
    return replace(setup, **{part: (*getattr(setup, part), entry)})


def changed(setup: Setup, kind: str, name: str, entry: Entry) -> Setup:
    """With `entry` in place of the row called `name`; what refers to that follows a new name."""
    part = PARTS[kind]
    rows: tuple[Any, ...] = tuple(entry if each.name == name else each for each in getattr(setup, part))
    done = replace(setup, **{part: rows})
    return done if entry.name == name else _following(done, Renaming(kind, name, entry.name))


def without(setup: Setup, kind: str, name: str) -> Setup:
    """Without the row and what makes no sense any more: boards nobody configures or hears, and who is left with none.

    A MuTAnT whose data router goes stays, without readout. Nodes stay.
    """
    kept = replace(setup, **{PARTS[kind]: tuple(each for each in getattr(setup, PARTS[kind]) if each.name != name)})
    nodes = {node.name for node in kept.nodes}
    servers = tuple(each for each in kept.ecc_servers if each.node in nodes)
    routers = tuple(each for each in kept.data_routers if each.node in nodes)
    sources = _sources(kept.data_sources, servers, routers)
    return replace(
        kept,
        ecc_servers=tuple(each for each in servers if not _is_idle(each.name, "ecc_server", setup, sources)),
        data_routers=tuple(each for each in routers if not _is_idle(each.name, "data_router", setup, sources)),
        data_sources=sources,
    )


def _sources(
    sources: Collection[SourceEntry], servers: Collection[ServerEntry], routers: Collection[RouterEntry]
) -> tuple[SourceEntry, ...]:
    configure = {each.name for each in servers}
    receive = {"", *(each.name for each in routers)}
    deaf = (
        replace(each, data_router="") if each.role == Role.MUTANT and each.data_router not in receive else each
        for each in sources
    )
    return tuple(each for each in deaf if each.ecc_server in configure and each.data_router in receive)


def _is_idle(name: str, key: str, before: Setup, sources: Collection[SourceEntry]) -> bool:
    """Whether it had a board and has none any more; what never had one is being set up."""
    had = any(getattr(each, key) == name for each in before.data_sources)
    return had and not any(getattr(each, key) == name for each in sources)
