"""A log as somebody sees it who looks at it now; looking lets the monitor read it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from attpcdaq.live import lease, log_cursor
from attpcdaq.live.log_cursor import Cursor, News
from attpcdaq.live.log_tails import part_of, want
from attpcdaq.live.models import LogKind, LogTail
from attpcdaq.topology.models import Access

# A look takes 5 s where the node does not answer.
READ_WITHIN = timedelta(seconds=8)
MONITOR_WITHIN = timedelta(seconds=5)
WORDS = {LogKind.ECC.value: "ECC server", LogKind.ROUTER.value: "data router"}

State = Literal["ok", "problem", "waiting", "silent", "unset", "agent"]


class NoSuchLogError(LookupError):
    """There is no such ECC server or data router, in words."""


NOTHING = News((), 0, Cursor(size=0))


@dataclass(frozen=True, slots=True)
class LogView:
    """What is known of a log, and what is new in it.

    `state`: ok; problem (in words); waiting to be read; silent: the monitor is not at work; unset: the setup says not
    where it is; agent: its node lets nobody read files.
    """

    kind: LogKind
    name: str
    node: str
    path: str
    state: State
    problem: str = ""
    read_at: datetime | None = None
    size: int | None = None
    modified: float | None = None
    news: News = NOTHING


def look(kind: str, name: str, seen: str, now: datetime) -> LogView:
    """What is new since the cursor `seen` (empty: all); it is wanted for 15 s more. NoSuchLogError, BadCursor."""
    cursor, part = log_cursor.parse(seen), part_of(kind, name)
    if part is None:
        raise NoSuchLogError(f"There is no {WORDS.get(kind, 'part')} {name[:63]!r} in the setup.")
    view = (LogKind(kind), part.name, part.node.name, part.log_file)
    if not part.log_file:
        return LogView(*view, "unset")
    if part.node.access == Access.AGENT:
        return LogView(*view, "agent")
    want(kind, name)
    row = LogTail.objects.filter(kind=kind, name=name).defer("data").first()
    if row is None or row.read_at is None or row.path != part.log_file:
        return LogView(*view, _state(None, now), news=replace(NOTHING, cursor=cursor or NOTHING.cursor))
    state = _state(row, now)
    return LogView(*view, state, row.problem, row.read_at, row.size, row.modified, _news(row, cursor))


def tail_of(kind: str, name: str) -> bytes:
    """The bytes that were read last, as they are; none where nobody has read it."""
    data = LogTail.objects.filter(kind=kind, name=name).values_list("data", flat=True).first()
    return bytes(data or b"")


def _news(row: LogTail, seen: Cursor | None) -> News:
    if seen is not None and (seen.size, seen.modified) == (row.size, int(row.modified or 0)):
        return News((), row.size, seen)
    # Read anew, with its size: the monitor may have written in between.
    row = LogTail.objects.get(pk=row.pk)
    return log_cursor.news(bytes(row.data), row.size, row.modified, seen)


def _state(row: LogTail | None, now: datetime) -> State:
    monitor = lease.written_at()
    if monitor is None or now - monitor > MONITOR_WITHIN:
        return "silent"
    if row is None or row.read_at is None or now - row.read_at > READ_WITHIN:
        return "waiting"
    return "problem" if row.problem else "ok"
