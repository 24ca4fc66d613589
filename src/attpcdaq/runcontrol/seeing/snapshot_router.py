"""One data router as the page shows it."""

from dataclasses import replace
from datetime import timedelta

from attpcdaq.live.clocks import offset_words
from attpcdaq.live.labels import age_seconds
from attpcdaq.live.models import NodeState, RouterState
from attpcdaq.runcontrol.asking.restarts import restart_action
from attpcdaq.runcontrol.seeing.gather import Rows, fresh_router, is_deaf, is_excluded
from attpcdaq.runcontrol.seeing.moments import is_about_now
from attpcdaq.runcontrol.seeing.views import DiskView, NodeView, RouterView, TroubleView
from attpcdaq.runcontrol.troubles.troubles import trouble_of
from attpcdaq.runcontrol.troubles.troubles_watch import CLOCK_OFF, DISK_FILLING
from attpcdaq.topology.models import DataRouter

# Three readings of a node (monitor/poller): at a low rate a file does not grow between any two of them.
GROWING = timedelta(seconds=6)
# A clock is read twice a minute.
CLOCK_TOO_OLD = timedelta(minutes=3)


def router_view(router: DataRouter, rows: Rows, disk: DiskView | None) -> RouterView:
    """A router: what it was last seen with, and what of it counts now."""
    live, known = fresh_router(router, rows.now), getattr(router, "live", None)
    source = getattr(router, "data_source", None)
    seen_at = known.seen_at if known else None
    growing = live is not None and live.grew_at is not None and is_about_now(live.grew_at, rows.now, GROWING)
    deaf, clock = is_deaf(router, rows), _clock(router, rows)
    return RouterView(
        id=router.pk,
        name=router.name,
        node=router.node.name,
        ecc_server=source.ecc_server.name if source else "",
        online=live.online if live else None,
        clean=live.files == 0 if live else None,
        files=known.files if known else 0,
        bytes=known.bytes if known else 0,
        rate=live.rate if live and growing else 0.0,
        growing=growing,
        grew_at=known.grew_at if known else None,
        last_event=known.last_event if known else None,
        event_rate=live.event_rate if live and growing else 0.0,
        hears=live.hears if live else None,
        disk=disk,
        clock=clock,
        warnings=_warnings(disk, clock),
        disk_free=known.disk_free if known else None,
        disk_total=known.disk_total if known else None,
        age=age_seconds(seen_at, rows.now),
        seen_at=seen_at,
        problem=known.problem if known else "",
        deaf=deaf,
        excluded=is_excluded(router),
        trouble=_trouble(live, known, disk, deaf=deaf),
        restart=restart_action(router, rows.run),
        last_restart=rows.restarts.get(("router", router.pk)),
    )


def node_views(rows: Rows) -> tuple[NodeView, ...]:
    """The nodes that data are written on, in the order of their first routers."""
    nodes = {router.node_id: router.node for router in rows.routers}
    return tuple(_node_view(node.name, getattr(node, "live", None)) for node in nodes.values())


def _node_view(name: str, live: NodeState | None) -> NodeView:
    if live is None:
        return NodeView(name, None, None, False, None)
    return NodeView(name, live.clock_offset, live.clock_error, live.clock_off, live.clock_at, live.problem)


def _clock(router: DataRouter, rows: Rows) -> str:
    live: NodeState | None = getattr(router.node, "live", None)
    if live is None or not live.clock_off or live.clock_offset is None or live.clock_at is None:
        return ""
    if not is_about_now(live.clock_at, rows.now, CLOCK_TOO_OLD):
        return ""
    return f"its clock is {offset_words(live.clock_offset)} ({router.node.name})"


def _warnings(disk: DiskView | None, clock: str) -> tuple[TroubleView, ...]:
    found = []
    if disk is not None and disk.level and not disk.low:
        found.append(replace(DISK_FILLING.view, level=disk.level))
    if clock:
        found.append(CLOCK_OFF.view)
    return tuple(found)


def _trouble(
    live: RouterState | None, known: RouterState | None, disk: DiskView | None, *, deaf: bool
) -> TroubleView | None:
    return trouble_of(
        known.problem if known else "",
        part="router",
        deaf=deaf,
        online=live.online if live else None,
        hears=live.hears if live else None,
        disk_low=disk is not None and disk.low,
    )
