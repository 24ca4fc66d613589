"""Events, and the logs of ECC servers and data routers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from attpcdaq_client.areas.area import LIMIT, Area
from attpcdaq_client.calls import Call, Model


class Event(Model):
    """Something that happened; `severity` info, warning or error."""

    id: int
    at: datetime
    topic: str = ""
    severity: str = ""
    subject: str = ""
    text: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""


class Acknowledged(Model):
    """How many nobody had acknowledged before, and how many are left."""

    acknowledged: int
    left: int = 0


class LogLine(Model):
    """A line that begins at byte `at`; `level` error, warning or nothing; it stands there `times`."""

    at: int
    text: str = ""
    level: str = ""
    left_out: int = 0
    times: int = 1
    has_head: bool = True


class Log(Model):
    """The end of a log; `lines` stand instead of all that was given from `begin` on. `cursor` asks for what follows."""

    kind: str
    name: str
    state: str
    node: str = ""
    path: str = ""
    problem: str = ""
    read_at: datetime | None = None
    size: int | None = None
    modified: float | None = None
    lines: list[LogLine] = []
    begin: int = 0
    cursor: str = ""
    is_anew: bool = False
    missed: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; `severity` or worse, `run` as EXPERIMENT/NUMBER, `is_open`: nobody acknowledged them."""

    text: str = ""
    severity: str = ""
    topic: str = ""
    subject: str = ""
    run: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_open: bool | None = None


ALL_EVENTS = EventFilter()
FILTER = ("text", "severity", "topic", "subject", "run", "since", "until", "is_open")
EVENTS = Call("GET", "/events", list[Event], query=(*FILTER, "before", "after", "limit"))
ACKNOWLEDGE = Call("POST", "/events/acknowledge", Acknowledged, body=("ids", "through"))
LOG = Call("GET", "/logs/{kind}/{name}", Log, query=("seen",))


class Events(Area):
    """What happened, and who took note of it."""

    def all(
        self,
        wanted: EventFilter = ALL_EVENTS,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = LIMIT,
    ) -> list[Event]:
        """Newest first; go on with `before` the last id, or follow with `after` the first."""
        moments = {name: getattr(wanted, name) for name in ("since", "until")}
        days = {name: moment.isoformat() for name, moment in moments.items() if moment}
        query = {**asdict(wanted), "since": None, "until": None, **days}
        return self._send(EVENTS, query={**query, "before": before, "after": after, "limit": limit})

    def acknowledge(self, ids: Sequence[int] = (), *, through: int = 0) -> Acknowledged:
        """Take note of these, or of all up to the one that was seen as the newest."""
        return self._send(ACKNOWLEDGE, body={"ids": list(ids), "through": through})

    def log(self, kind: Literal["ecc", "router"], name: str, *, seen: str | None = None) -> Log:
        """The end of a log; asking lets it be read for 15 s more. `seen`: the cursor of the answer before."""
        return self._send(LOG, kind=kind, name=name, query={"seen": seen})
