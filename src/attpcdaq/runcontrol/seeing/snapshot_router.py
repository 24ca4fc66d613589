"""One data router as the page shows it."""

from datetime import timedelta

from attpcdaq.live.labels import age_seconds
from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol.asking.restarts import restart_action
from attpcdaq.runcontrol.seeing.gather import Rows, fresh_router, is_deaf, is_excluded
from attpcdaq.runcontrol.seeing.moments import is_about_now
from attpcdaq.runcontrol.seeing.views import RouterView, TroubleView
from attpcdaq.runcontrol.troubles.troubles import trouble_of
from attpcdaq.topology.models import DataRouter

GROWING = timedelta(seconds=3)


def router_view(router: DataRouter, rows: Rows) -> RouterView:
    """A router: what it was last seen with, and what of it counts now."""
    live, known = fresh_router(router, rows.now), getattr(router, "live", None)
    source = getattr(router, "data_source", None)
    seen_at = known.seen_at if known else None
    growing = live is not None and live.grew_at is not None and is_about_now(live.grew_at, rows.now, GROWING)
    deaf = is_deaf(router, rows)
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
        disk_free=known.disk_free if known else None,
        disk_total=known.disk_total if known else None,
        age=age_seconds(seen_at, rows.now),
        seen_at=seen_at,
        problem=known.problem if known else "",
        deaf=deaf,
        excluded=is_excluded(router),
        trouble=_trouble(live, known, deaf=deaf),
        restart=restart_action(router, rows.run),
        last_restart=rows.restarts.get(("router", router.pk)),
    )


def _trouble(live: RouterState | None, known: RouterState | None, *, deaf: bool) -> TroubleView | None:
    return trouble_of(
        known.problem if known else "",
        part="router",
        deaf=deaf,
        online=live.online if live else None,
        disk_free=live.disk_free if live else None,
    )
