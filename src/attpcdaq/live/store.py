"""The only writer of the live tables: a row is written only when it changed, and an event says so."""

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from attpcdaq.gateways.ports import RouterReading
from attpcdaq.live import lease
from attpcdaq.live.labels import state_label
from attpcdaq.live.lease import Term
from attpcdaq.live.models import ECCState, Event, RouterState, Severity
from attpcdaq.topology.models import DataRouter, ECCServer
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State

CHANNEL = "attpcdaq_event"
REFRESH_KEPT = timedelta(hours=1)
# Seconds over which the rate is smoothed that tells when a disk is full.
SMOOTHED_OVER = 30.0
PAUSE = 300.0
# Of a router: they change all the time, and pages get them with each beat.
FIGURES = frozenset(("files", "bytes", "rate", "smooth_rate", "last_event", "event_rate", "grew_at", "disk_free"))


@transaction.atomic(savepoint=False)
def add_event(
    topic: str, text: str = "", *, subject: str = "", severity: str = Severity.INFO, at: datetime | None = None
) -> Event:
    """Append an event and wake the event streams when the transaction commits (PostgreSQL's NOTIFY does both)."""
    event = Event.objects.create(
        at=at or timezone.now(), topic=topic, severity=severity, subject=subject[:80], text=text
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(event.pk)])
    return event


def record_ecc(server_id: int, reply: StateReply, at: datetime) -> bool:
    """Store what an ECC server answered; True when something changed."""
    state, going = int(reply.state), int(reply.transition)
    with transaction.atomic():
        row, _ = ECCState.objects.select_for_update().get_or_create(ecc_server_id=server_id)
        if row.state == state and row.transition == going and not row.problem:
            return False
        before = row.state
        since = row.since if before == state and row.since is not None else at
        ECCState.objects.filter(pk=server_id).update(
            state=state,
            transition=going,
            since=since,
            ran_until=row.seen_at if before == State.RUNNING else row.ran_until,
            problem="",
            changed_at=at,
            seen_at=at,
        )
        name = ECCServer.objects.values_list("name", flat=True).get(pk=server_id)
        text = "" if before == state else f"{state_label(before)} -> {state_label(state)}"
        add_event("ecc", text, subject=name, severity=_severity(state), at=at)
    return True


def _severity(state: int) -> str:
    return Severity.ERROR if state == State.OFF else Severity.WARNING if state == State.PAUSED else Severity.INFO


def record_ecc_problem(server_id: int, problem: str, at: datetime) -> bool:
    """Store why the latest reading of an ECC server failed; its last good answer and age stay."""
    with transaction.atomic():
        row, _ = ECCState.objects.select_for_update().get_or_create(ecc_server_id=server_id)
        if row.problem == problem:
            return False
        first = not row.problem
        ECCState.objects.filter(pk=server_id).update(problem=problem, changed_at=at)
        name = ECCServer.objects.values_list("name", flat=True).get(pk=server_id)
        add_event("ecc", problem if first else "", subject=name, severity=Severity.ERROR, at=at)
    return True


def record_router(
    router_id: int, reading: RouterReading, at: datetime, since: datetime | None = None, min_free: int = 0
) -> bool:
    """Store what a node said of a data router, `since` being when it was read before; True when something changed.

    An event says when less than `min_free` bytes are left on its disk, once for all routers that write there.
    """
    with transaction.atomic():
        row, _ = RouterState.objects.select_for_update().get_or_create(data_router_id=router_id)
        fields = _router_fields(row, reading, at, since)
        changed = {name for name, value in fields.items() if getattr(row, name) != value}
        if not changed:
            return False
        fields["changed_at"] = at if _shows(row, fields, changed) else row.changed_at
        RouterState.objects.filter(pk=router_id).update(**fields, seen_at=at)
        text = _router_text(row, reading, restarted=fields["restarted_at"] != row.restarted_at)
        if text:
            good = reading.online and reading.hears is not False
            _router_event(router_id, text, Severity.INFO if good else Severity.ERROR, at)
        if _has_become_low(row, reading, min_free):
            text = f"less than {min_free / 1e9:g} GB are free on its disk: once it is full, frames are lost"
            _router_event(router_id, text, Severity.ERROR, at)
    return True


def _shows(row: RouterState, fields: Mapping[str, Any], changed: Collection[str]) -> bool:
    """Whether a page must look again: for mere figures the beat is enough, but not where they begin or end."""
    turned = (bool(getattr(row, name)) != bool(fields[name]) for name in ("files", "rate", "last_event"))
    return not FIGURES.issuperset(changed) or any(turned)


def _has_become_low(row: RouterState, reading: RouterReading, min_free: int) -> bool:
    """Whether its disk was above the limit when it was read before, and no other router has told of it since."""
    before, after = row.disk_free, reading.disk_free
    if before is None or after is None or not after < min_free <= before:
        return False
    there = RouterState.objects.filter(data_router__node__data_routers=row.pk, disk_total=reading.disk_total)
    return not there.filter(disk_free__lt=min_free).exclude(pk=row.pk).exists()


def amount(reading: RouterReading) -> tuple[int, int]:
    """Number of files and bytes in the staging directory."""
    return reading.counted or (len(reading.files), sum(file.size for file in reading.files))


def _router_fields(row: RouterState, reading: RouterReading, at: datetime, since: datetime | None) -> dict[str, Any]:
    files, size = amount(reading)
    seconds = (at - since).total_seconds() if since else 0.0
    grown = size - row.bytes
    restarted = row.pid is not None and reading.pid is not None and reading.pid != row.pid
    return {
        "online": reading.online,
        "pid": reading.pid or row.pid,
        "restarted_at": at if restarted else row.restarted_at,
        "files": files,
        "bytes": size,
        "rate": max(grown, 0) / seconds if seconds > 0 else 0.0,
        "smooth_rate": _smoothed(row, grown, at, since),
        "last_event": reading.last_event,
        "event_rate": events_between(row.last_event, reading.last_event) / seconds if seconds > 0 else 0.0,
        "hears": reading.hears,
        "grew_at": at if grown > 0 else row.grew_at,
        "disk_free": reading.disk_free,
        "disk_total": reading.disk_total,
        "problem": "",
    }


def events_between(before: int | None, after: int | None) -> int:
    """How many events came between two readings; 0 where the number went back or one of them is not known."""
    return max(after - before, 0) if before is not None and after is not None else 0


def _smoothed(row: RouterState, grown: int, at: datetime, since: datetime | None) -> float:
    """The smoothed rate after what came since it last grew; while nothing comes it stays, and smooth_rate ages it."""
    paused = (at - row.grew_at).total_seconds() if row.grew_at else math.inf
    if grown <= 0 or paused <= 0:
        return row.smooth_rate
    if paused < PAUSE:
        mean = grown / paused
        return mean + (row.smooth_rate - mean) * math.exp(-paused / SMOOTHED_OVER)
    # After a long pause it begins anew: what comes now tells when the disk is full, not how long nothing came.
    seconds = (at - since).total_seconds() if since else 0.0
    return grown / seconds if seconds > 0 else 0.0


def smooth_rate(row: RouterState, now: datetime) -> float:
    """Bytes per second over the last half minute or so, at `now`: without growth it goes down."""
    if row.grew_at is None:
        return 0.0
    return row.smooth_rate * math.exp(-max((now - row.grew_at).total_seconds() - 1.0, 0.0) / SMOOTHED_OVER)


def _router_text(row: RouterState, reading: RouterReading, *, restarted: bool) -> str:
    if restarted:
        return "was restarted: its board must go through Breakup and Configure"
    if row.online != reading.online:
        return "is online" if reading.online else "is not running"
    if reading.hears is False and row.hears is not False:
        return "runs, but does not hear: its port is taken by another process"
    if reading.hears and row.hears is False:
        return "hears again"
    return "answers again" if row.problem else ""


def record_emptied(node_id: int, staging_dir: str, at: datetime) -> None:
    """A staging directory was seen empty by who moved its files: the next reading need not be waited for."""
    rows = RouterState.objects.filter(data_router__node_id=node_id, data_router__staging_dir=staging_dir)
    rows.exclude(files=0).update(files=0, bytes=0, changed_at=at)


def record_router_problem(router_id: int, problem: str, at: datetime) -> bool:
    """Store why the latest reading of a data router failed; that it goes on failing otherwise is no news."""
    with transaction.atomic():
        row, _ = RouterState.objects.select_for_update().get_or_create(data_router_id=router_id)
        if row.problem == problem:
            return False
        first = not row.problem
        RouterState.objects.filter(pk=router_id).update(problem=problem, changed_at=at)
        _router_event(router_id, problem if first else "", Severity.ERROR, at)
    return True


def _router_event(router_id: int, text: str, severity: str, at: datetime) -> None:
    name = DataRouter.objects.values_list("name", flat=True).get(pk=router_id)
    add_event("router", text, subject=name, severity=severity, at=at)


def touch(ecc_ids: Collection[int], router_ids: Collection[int], at: datetime, term: Term) -> None:
    """Say that these answered and that the monitor is alive, which renews its lease; call it about once a second.

    One event for all routers of which something else than figures changed since the last call: at the start of a run
    that is every one of them.
    """
    with transaction.atomic():
        before = lease.written_at()
        lease.renew(term, at)
        if ecc_ids:
            ECCState.objects.filter(pk__in=ecc_ids, problem="").update(seen_at=at)
        if router_ids:
            RouterState.objects.filter(pk__in=router_ids, problem="").update(seen_at=at)
        moved = Q(changed_at__gt=before) if before else Q(changed_at__isnull=False)
        if RouterState.objects.filter(moved).exists():
            add_event("router", at=at)


def forget_refreshes(now: datetime) -> int:
    """Delete the textless events that only refreshed pages an hour ago or earlier; how many there were."""
    return Event.objects.filter(text="", at__lt=now - REFRESH_KEPT).delete()[0]
