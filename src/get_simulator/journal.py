"""What really happened, in order: the record against which a checker compares what others claim."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: `kind` is call, transition, board, process or fault; `at` in POSIX seconds."""

    seq: int
    at: float
    kind: str
    subject: str
    details: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"seq": self.seq, "at": self.at, "kind": self.kind, "subject": self.subject, **self.details}


class Journal:
    """The newest `size` entries, numbered from 1 without gaps."""

    def __init__(self, size: int = 100_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=size)
        self.last_seq = 0
        self.on_entry: Callable[[Entry], None] = lambda entry: None

    def record(self, at: float, kind: str, subject: str, **details: object) -> None:
        self.last_seq += 1
        entry = Entry(self.last_seq, at, kind, subject, details)
        self._entries.append(entry)
        self.on_entry(entry)

    def since(self, seq: int, kind: str | None = None) -> list[Entry]:
        """Entries numbered above `seq`, oldest first; only those of `kind` when it is given."""
        return [entry for entry in self._newer_than(seq) if kind is None or entry.kind == kind][::-1]

    def _newer_than(self, seq: int) -> Iterator[Entry]:
        for entry in reversed(self._entries):
            if entry.seq <= seq:
                return
            yield entry
