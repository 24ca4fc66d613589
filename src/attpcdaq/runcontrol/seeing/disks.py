"""When the disks are full: what is free on each, and how fast all routers that write there fill it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from attpcdaq.live.store import smooth_rate
from attpcdaq.runcontrol.planning.amounts import in_time
from attpcdaq.runcontrol.seeing.gather import Rows, fresh_router
from attpcdaq.runcontrol.seeing.views import DiskLevel, DiskView

WARN_BELOW = 2 * 3600.0
BAD_BELOW = 20 * 60.0
# Beyond this nobody wants to read it, and beyond that the rate says nothing.
TOLD_BELOW = 3 * 86400.0
NEVER = 60 * 86400.0


@dataclass(frozen=True, slots=True)
class Writer:
    """A router that writes at `rate` bytes/s where `free` of `total` bytes are free."""

    router: int
    node: str
    free: int
    total: int | None
    rate: float


def disk_views(rows: Rows) -> dict[int, DiskView]:
    """By id of the data router; without those whose disk is not known now."""
    return shared_disks(_writers(rows), rows.min_free)


def _writers(rows: Rows) -> Iterable[Writer]:
    for router in rows.routers:
        live = fresh_router(router, rows.now)
        if live is not None and live.disk_free is not None:
            yield Writer(router.pk, router.node.name, live.disk_free, live.disk_total, smooth_rate(live, rows.now))


def shared_disks(writers: Iterable[Writer], min_free: int) -> dict[int, DiskView]:
    """The disk of each router. Disks of one node that are of the same size count as one: that errs to the safe side."""
    disks: dict[tuple[str, int | None], list[Writer]] = {}
    for writer in writers:
        disks.setdefault((writer.node, writer.total), []).append(writer)
    views: Mapping[tuple[str, int | None], DiskView] = {key: _view(found, min_free) for key, found in disks.items()}
    return {writer.router: views[key] for key, found in disks.items() for writer in found}


def _view(writers: list[Writer], min_free: int) -> DiskView:
    free, rate = min(writer.free for writer in writers), sum(writer.rate for writer in writers)
    left = free / rate if rate * NEVER > free else None
    low = free < max(min_free, 1)
    words = f"full in {in_time(left)}" if left is not None and free and left < TOLD_BELOW else ""
    return DiskView(writers[0].node, free, writers[0].total, rate, left, _level(left, low=low), low, words)


def _level(left: float | None, *, low: bool) -> DiskLevel:
    if low or (left is not None and left < BAD_BELOW):
        return "bad"
    return "warn" if left is not None and left < WARN_BELOW else ""
