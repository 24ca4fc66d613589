"""Writes what is known of the nodes' clocks: they stamp file names and times, by which files are told to their runs."""

from datetime import datetime

from django.db import transaction

from attpcdaq.gateways.ports import NodeClock
from attpcdaq.live.models import NodeState, Severity
from attpcdaq.live.store import add_event
from attpcdaq.topology.models import Node

# Seconds beyond what the reading itself may be wrong by.
OFF_BY = 0.05
# It is right again only when it is clearly so: one that is nearly off would be news every time.
RIGHT_BY = 0.04
# A clock that is merely kept right by NTP goes more evenly than that between two readings.
JUMPED_BY = 0.5


def record_clock(node_id: int, clock: NodeClock, at: datetime) -> bool:
    """Store how far a node's clock is off, and say once that it is, or is not any more. Always True: it was read."""
    with transaction.atomic():
        row, _ = NodeState.objects.select_for_update().get_or_create(node_id=node_id)
        off = is_off(clock, was_off=row.clock_off)
        NodeState.objects.filter(pk=node_id).update(
            clock_offset=clock.offset,
            clock_error=clock.error,
            utc_offset=clock.utc_offset,
            clock_at=at,
            stepped_at=at if has_jumped(row, clock) else row.stepped_at,
            clock_off=off,
            problem="",
        )
        if off != row.clock_off:
            text = f"its clock is {offset_words(clock.offset)}" if off else "its clock is right again"
            _event(node_id, text, Severity.WARNING if off else Severity.INFO, at)
    return True


def record_clock_problem(node_id: int, problem: str, at: datetime) -> bool:
    """Store why a node's clock could not be read; True when that is new. What was read before stays."""
    row, _ = NodeState.objects.get_or_create(node_id=node_id)
    if row.problem == problem:
        return False
    NodeState.objects.filter(pk=row.pk).update(problem=problem)
    return True


def has_jumped(row: NodeState, clock: NodeClock) -> bool:
    """Whether a clock, or what local time is there, went otherwise than evenly since it was last read."""
    if row.clock_offset is None or row.utc_offset is None:
        return False
    apart = abs(clock.offset - row.clock_offset) > JUMPED_BY + clock.error + (row.clock_error or 0.0)
    return apart or clock.utc_offset != row.utc_offset


def is_off(clock: NodeClock, *, was_off: bool) -> bool:
    """Whether it is further off than OFF_BY for certain; one that was stays so until it is within RIGHT_BY."""
    if was_off:
        return abs(clock.offset) > RIGHT_BY
    return abs(clock.offset) - clock.error > OFF_BY


def offset_words(offset: float) -> str:
    """Seconds ahead of ours as the crew reads it: "0.32 s ahead", "5 min behind"."""
    size, side = abs(offset), "ahead" if offset > 0 else "behind"
    if size < 100:
        return f"{size:.2g} s {side}" if size < 10 else f"{size:.0f} s {side}"
    return f"{size / 60:.0f} min {side}" if size < 6000 else f"{size / 3600:.1f} h {side}"


def _event(node_id: int, text: str, severity: str, at: datetime) -> None:
    name = Node.objects.values_list("name", flat=True).get(pk=node_id)
    add_event("router", text, subject=name, severity=severity, at=at)
