"""What a load would change, as it is shown: what goes, what changes, what comes, what stays."""

from dataclasses import dataclass

from attpcdaq.topology.setup import Change, Difference, Setup
from attpcdaq.topology.setup_edit import PARTS, WORDS
from attpcdaq.web.setup_words import LABELS

ORDER = ("remove", "rename", "change", "add")
TITLES = {"remove": "Goes away", "rename": "Gets another name", "change": "Changes", "add": "Is added"}
MANY = {"remove": "go away", "rename": "get another name", "change": "change", "add": "are added"}
LEVELS = {"remove": "bad", "rename": "busy", "change": "warn", "add": "ok"}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the setup and the keys that differ, by their names on the pages."""

    kind: str
    name: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """All changes of one sort."""

    verb: str
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        return TITLES[self.verb]

    @property
    def counted(self) -> str:
        """How many of what, as a sentence has it."""
        one = len(self.lines) == 1
        return f"{len(self.lines)} {TITLES[self.verb].lower() if one else MANY[self.verb]}"

    @property
    def level(self) -> str:
        return LEVELS[self.verb]


@dataclass(frozen=True, slots=True)
class Stays:
    """Rows of one kind that are as they were."""

    kind: str
    names: tuple[str, ...]


def groups(changes: tuple[Change, ...]) -> list[Group]:
    """What hurts first."""
    found = ((verb, tuple(_line(one) for one in changes if one.verb == verb)) for verb in ORDER)
    return [Group(verb, lines) for verb, lines in found if lines]


def _line(change: Change) -> Line:
    named = (Difference(LABELS.get(one.key, one.key), one.old, one.new) for one in change.differences)
    return Line(change.kind, change.name, tuple(named))


def stays(changes: tuple[Change, ...], setup: Setup) -> list[Stays]:
    """The rows that no change touches."""
    touched = {(one.kind, one.name) for one in changes}
    touched |= {(one.kind, one.differences[0].new) for one in changes if one.verb == "rename"}
    kept = [
        Stays(WORDS[kind], tuple(each.name for each in getattr(setup, part) if (WORDS[kind], each.name) not in touched))
        for kind, part in PARTS.items()
    ]
    return [one for one in kept if one.names]


def losses(changes: tuple[Change, ...]) -> list[str]:
    """What is lost with the rows, in words."""
    nodes = [one.name for one in changes if (one.verb, one.kind) == ("remove", "node")]
    servers = [one.name for one in changes if (one.verb, one.kind) == ("remove", "ECC server")]
    unchosen = [
        one.name
        for one in changes
        for each in one.differences
        if one.verb == "change" and each.key == "config" and each.new == "(none)"
    ]
    told = []
    if nodes:
        told.append(f"The host keys pinned for {', '.join(nodes)} are forgotten.")
        told.append(f"Files of earlier runs on {', '.join(nodes)} cannot be checked again while no node has that name.")
    if servers:
        told.append(f"The chosen configurations and the lists of {', '.join(servers)} are forgotten.")
    if unchosen:
        told.append(f"A configuration must be chosen again for {', '.join(unchosen)}.")
    return told
