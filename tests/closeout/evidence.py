"""What a block left behind: files as they were written, as they lie now, and what the database says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.closeout.router import Written


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A data file as it lies on a node."""

    node: str
    directory: str
    name: str
    data: bytes

    @property
    def path(self) -> str:
        return f"{self.directory}/{self.name}"

    def __str__(self) -> str:
        return f"{self.node}:{self.path}"


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as a run lists it."""

    run: int
    node: str
    path: str
    size: int
    planned: bool


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A file that the database says is in quarantine."""

    node: str
    path: str
    why: str
    planned: bool


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run and what is said of its data; `proof` is empty as long as nobody has said anything."""

    number: int
    state: str
    directory: str
    verdict: str
    proof: str
    reasons: tuple[str, ...]
    closing: float | None
    """Seconds from when it had stopped until it was closed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The only things that the checker is given."""

    runs: Sequence[RunRow]
    written: Sequence[Written]
    on_disk: Sequence[OnDisk]
    files: Sequence[FileRow]
    quarantined: Sequence[QuarantineRow]
    taken: Mapping[int, set[int]]
    """Run -> numbers of the frames that its boards took."""
    struck: Mapping[int, frozenset[str]]
    """Run -> what struck in it or in the one before."""
    problems: Sequence[str] = ()
