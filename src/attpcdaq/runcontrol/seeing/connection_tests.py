"""What came of trying a connection, also when nobody tried it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from attpcdaq.runcontrol.asking.connection_tests import GONE_AFTER, TAKEN_WITHIN, TRIED_WITHIN
from attpcdaq.runcontrol.models import CommandState, ConnectionTest

MARKS = {"ok": "+", "warn": "!", "bad": "-"}
NOBODY = f"No worker took it within {TAKEN_WITHIN.seconds} s, so nothing was tried: is the Celery worker running?"
GONE = "The worker that tried it is gone: try again."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: level ok, warn or bad."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """A test as it stands at a moment; `until` is when it ends at the latest."""

    id: str
    kind: str
    subject: str
    state: str
    findings: tuple[Finding, ...]
    requested_by: str
    requested_at: datetime
    until: datetime
    elapsed: float

    @property
    def is_active(self) -> bool:
        return self.state in (CommandState.QUEUED, CommandState.RUNNING)

    @property
    def limit(self) -> float:
        """Seconds it may take in all."""
        return (self.until - self.requested_at).total_seconds()


def view_of(row: ConnectionTest, now: datetime) -> TrialView:
    """The row, or what is true of it when nobody took it or finished it in time."""
    state, findings, ended = str(row.state), tuple(_findings(row.message)), row.finished_at or now
    if state == CommandState.QUEUED and now > row.expires_at:
        state, findings, ended = CommandState.EXPIRED.value, (Finding("bad", NOBODY),), row.expires_at
    elif state == CommandState.RUNNING and now > (gone := row.requested_at + GONE_AFTER):
        state, findings, ended = CommandState.FAILED.value, (Finding("bad", GONE),), gone
    return TrialView(
        id=str(row.pk),
        kind=row.kind,
        subject=str(row.target.get("name", "")),
        state=state,
        findings=findings,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        until=row.expires_at + TRIED_WITHIN,
        elapsed=(ended - row.requested_at).total_seconds(),
    )


def as_message(findings: Iterable[Finding]) -> str:
    """A line each, its level by the mark before it."""
    return "\n".join(f"{MARKS[each.level]} {' '.join(each.text.split())}" for each in findings)


def _findings(message: str) -> Iterable[Finding]:
    levels = {mark: level for level, mark in MARKS.items()}
    return (Finding(levels.get(line[:1], "bad"), line[2:]) for line in message.splitlines())
