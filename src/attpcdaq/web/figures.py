"""The figures that change all the time, written once a second for everybody who looks: the beat carries them.

An element with data-figure="KEY" shows the text of its key. Keys: `flow`, `rate`, `events`, `event` of all data routers
together, and `r<ID>.files`, `.size`, `.rate`, `.event`, `.events` of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from attpcdaq.live.labels import ROUTER_TOO_OLD
from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol.seeing.moments import is_about_now
from attpcdaq.runcontrol.seeing.overall import is_quiet
from attpcdaq.runcontrol.seeing.snapshot_router import GROWING
from attpcdaq.runcontrol.seeing.views import RouterView, Snapshot
from attpcdaq.runlog.models import Run, RunState
from attpcdaq.web.templatetags.daq_tags import human_bytes, human_rate, per_second


@dataclass(frozen=True, slots=True)
class Flow:
    """What all included data routers write together: bytes/s, events/s, the last event number."""

    writing: int
    routers: int
    rate: float
    events: float
    event: int | None

    @property
    def words(self) -> str:
        """As "11 of 11 data routers write 12.3 MB/s, event 4242"."""
        text = f"{self.writing} of {self.routers} data routers write {human_rate(self.rate)}"
        return text if self.event is None else f"{text}, event {self.event}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One router's figures as they count now; `quiet`: no data came for longer than is all right in this run."""

    id: int
    files: int
    bytes: int
    growing: bool
    rate: float
    event: int | None
    events: float
    excluded: bool
    seen_at: datetime | None = None
    quiet: bool = False


def flow(routers: Iterable[RouterView | Seen]) -> Flow:
    """The sums; whoever is excluded does not count."""
    taking_part = [each if isinstance(each, Seen) else _of_view(each) for each in routers if not each.excluded]
    return Flow(
        writing=sum(router.growing for router in taking_part),
        routers=len(taking_part),
        rate=sum(router.rate for router in taking_part),
        events=max((router.events for router in taking_part), default=0.0),
        event=max((router.event for router in taking_part if router.event is not None), default=None),
    )


def _of_view(view: RouterView) -> Seen:
    return Seen(
        view.id, view.files, view.bytes, view.growing, view.rate, view.last_event, view.event_rate, view.excluded
    )


def quiet(status: Snapshot) -> list[int]:
    """The ids of the routers that are quiet as the status has them: what the beat says later is held against this."""
    started_at = status.run.started_at if status.run and status.run.state == RunState.RUNNING else None
    return sorted(router.id for router in status.routers if is_quiet(router.grew_at, started_at, status.at))


def read(now: datetime) -> list[Seen]:
    """Every data router that was ever seen."""
    started_at = Run.objects.filter(state=RunState.RUNNING).values_list("started_at", flat=True).first()
    excluded = "data_router__data_source__ecc_server__exclusion__pk"
    rows = RouterState.objects.values_list(
        "pk", "files", "bytes", "rate", "last_event", "event_rate", "grew_at", "seen_at", excluded
    )
    return [_seen(now, started_at, *row) for row in rows]


def _seen(
    now: datetime, started_at: datetime | None,
    pk: int, files: int, size: int, rate: float, event: int | None, events: float,
    grew_at: datetime | None, seen_at: datetime | None, excluded: int | None,
) -> Seen:  # fmt: skip
    fresh = seen_at is not None and is_about_now(seen_at, now, ROUTER_TOO_OLD)
    growing = fresh and grew_at is not None and is_about_now(grew_at, now, GROWING)
    shown = (rate, events) if growing else (0.0, 0.0)
    too_long = is_quiet(grew_at, started_at, now)
    return Seen(pk, files, size, growing, shown[0], event, shown[1], excluded is not None, seen_at, too_long)


def texts(seen: Iterable[Seen]) -> dict[str, str]:
    """Key -> what stands on the page."""
    seen = list(seen)
    together = flow(seen)
    found = {
        "flow": together.words,
        "rate": human_rate(together.rate),
        "events": per_second(together.events),
        "event": _number(together.event),
    }
    for router in seen:
        found[f"r{router.id}.files"] = str(router.files)
        found[f"r{router.id}.size"] = human_bytes(router.bytes)
        found[f"r{router.id}.rate"] = human_rate(router.rate)
        found[f"r{router.id}.event"] = _number(router.event)
        found[f"r{router.id}.events"] = per_second(router.events) if router.growing else ""
    return found


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)
