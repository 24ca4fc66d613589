"""What the boards really did, put together from the simulator's journal and the simulated disks alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from attpcdaq.testing.memory_nodes import MemoryNodes
from get_simulator.journal import Entry
from tests.chaos.frames import serials_in
from tests.chaos.router import Stored


@dataclass
class Spell:
    """A board takes data from `on` to `off` (seconds; None: still); `frames` are those that reached a disk."""

    board: str
    on: float
    off: float | None = None
    frames: list[Stored] = field(default_factory=list)

    @property
    def last(self) -> float | None:
        """When its last frame reached a disk; late ones come after `off`."""
        return self.frames[-1].at if self.frames else None

    def __str__(self) -> str:
        off = "..." if self.off is None else f"{self.off:.2f}"
        return f"{self.board} took data {self.on:.2f}-{off} ({len(self.frames)} frames)"


class Place(NamedTuple):
    """Where a frame lies."""

    node: str
    directory: str
    name: str


def spells_of(journal: Iterable[Entry], now: float) -> list[Spell]:
    """Every time that a board took data, in the order in which they began."""
    spells: list[Spell] = []
    open_ones: dict[str, Spell] = {}
    for entry in journal:
        if entry.kind != "board":
            continue
        if entry.details["did"] == "started":
            open_ones[entry.subject] = Spell(entry.subject, entry.at)
            spells.append(open_ones[entry.subject])
        elif entry.subject in open_ones:
            open_ones.pop(entry.subject).off = entry.at
    return spells


def give_frames(spells: Iterable[Spell], taken: Mapping[int, tuple[str, float]], stored: Iterable[Stored]) -> None:
    """Put every stored frame to the spell in which, or late after which, its board took it."""
    of_board: dict[str, list[Spell]] = {}
    for spell in spells:
        of_board.setdefault(spell.board, []).append(spell)
    for frame in stored:
        board, at = taken[frame.serial]
        begun = [spell for spell in of_board.get(board, ()) if spell.on <= at]
        if begun:
            begun[-1].frames.append(frame)


def places_of_frames(nodes: MemoryNodes) -> dict[int, list[Place]]:
    """Frame number -> every place where it lies: each should have exactly one."""
    found: dict[int, list[Place]] = {}
    for node_name, node in nodes.nodes.items():
        for directory, files in node.directories.items():
            for name, file in files.items():
                if name.endswith(".graw"):
                    for serial in serials_in(file.data):
                        found.setdefault(serial, []).append(Place(node_name, directory, name))
    return found
