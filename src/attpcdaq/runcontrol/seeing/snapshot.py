"""The whole status at one moment, for page, partials, API and event stream."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.asking.adopt import adopt_reasons
from attpcdaq.runcontrol.models import Command
from attpcdaq.runcontrol.planning.facts import SystemFacts
from attpcdaq.runcontrol.seeing.action_views import ActionViews, command_view
from attpcdaq.runcontrol.seeing.disks import disk_views
from attpcdaq.runcontrol.seeing.gather import Rows, read_rows, system_facts
from attpcdaq.runcontrol.seeing.overall import overall
from attpcdaq.runcontrol.seeing.sharing import Key, Shared
from attpcdaq.runcontrol.seeing.snapshot_ecc import ecc_view
from attpcdaq.runcontrol.seeing.snapshot_router import node_views, router_view
from attpcdaq.runcontrol.seeing.views import (
    ActionView,
    CommandView,
    EccView,
    EventView,
    LooseView,
    Overall,
    RouterView,
    RunView,
    Snapshot,
)
from attpcdaq.runlog import manifests, sheets
from attpcdaq.runlog.models import OPEN_STATES, Run

__all__ = ["command_view", "run_view", "snapshot"]
EVENTS_SHOWN = 30
# What was written last while a run was open is seen a moment after it has closed.
SEEN_LATE = timedelta(seconds=2.5)


def snapshot(now: datetime | None = None, events: Key | None = None) -> Snapshot:
    """Everything the status shows, read once; without `now` it may be the reading of who asked a moment before.

    `events`: `sharing.latest_events()`, where the asker has just read them.
    """
    return _shared.get(events) if now is None else _read(now)


@dataclass(frozen=True, slots=True)
class Core:
    """What the overall state rests on, and the state itself."""

    servers: tuple[EccView, ...]
    routers: tuple[RouterView, ...]
    run: RunView | None
    last: Run | None
    command: CommandView | None
    loose: LooseView | None
    overall: Overall


def core(rows: Rows, facts: SystemFacts) -> Core:
    """Of the rows of one moment."""
    servers = tuple(ecc_view(server, rows, facts) for server in rows.servers)
    disks = disk_views(rows)
    routers = tuple(router_view(router, rows, disks.get(router.pk)) for router in rows.routers)
    run = run_view(rows.run) if rows.run else None
    command = _command_shown(rows, facts)
    ended = Run.objects.exclude(state__in=OPEN_STATES).select_related("experiment")
    last = manifests.with_verdicts(ended).first()
    loose = _loose(servers, routers, last, rows, facts)
    state = overall(servers, routers, run, command, rows.now, monitor_alive=rows.monitor_alive, loose=loose)
    return Core(servers, routers, run, last, command, loose, state)


def _read(now: datetime) -> Snapshot:
    rows = read_rows(now)
    facts = system_facts(rows)
    seen = core(rows, facts)
    return Snapshot(
        at=rows.now,
        monitor_alive=rows.monitor_alive,
        overall=seen.overall,
        experiment=rows.experiment.name if rows.experiment else None,
        next_run_number=rows.experiment.last_run_number + 1 if rows.experiment else None,
        run=seen.run,
        last_run=replace(run_view(seen.last), sheet_lacks=sheets.missing(seen.last)) if seen.last else None,
        ecc_servers=seen.servers,
        routers=seen.routers,
        actions=ActionViews(None, facts),
        command=seen.command,
        events=tuple(_event_view(event) for event in Event.objects.exclude(text="")[:EVENTS_SHOWN]),
        stray=seen.run is None and any(router.clean is False for router in seen.routers if not router.excluded),
        control=control.view(),
        loose=seen.loose,
        reconfigure_mutant=rows.reconfigure_mutant,
        nodes=node_views(rows),
        min_free=rows.min_free,
        monitor_at=rows.beat,
    )


_shared = Shared(_read)


def _loose(
    servers: tuple[EccView, ...], routers: tuple[RouterView, ...], last: Run | None, rows: Rows, facts: SystemFacts
) -> LooseView | None:
    """Whose boards run, or send, while no run is open; None when there are none."""
    if rows.run is not None:
        return None
    closed = last.closed_at + SEEN_LATE if last and last.closed_at else None
    sending = {
        router.ecc_server
        for router in routers
        if router.growing and not router.excluded and (closed is None or (router.grew_at and router.grew_at > closed))
    }
    names = tuple(s.name for s in servers if (s.state == "running" and not s.going_to) or s.name in sending)
    if not names:
        return None
    seen = [server.live.since for server in rows.servers if server.name in names and hasattr(server, "live")]
    reasons = adopt_reasons(facts)
    since = min((at for at in seen if at is not None), default=None)
    return LooseView(names, since, ActionView(allowed=not reasons, reasons=reasons))


def run_view(run: Run) -> RunView:
    """A run as the panel and the API show it."""
    return RunView(
        id=run.pk,
        experiment=run.experiment.name,
        number=run.number,
        title=run.title,
        run_class=run.run_class,
        state=run.state,
        state_label=run.get_state_display(),
        verdict=run.verdict,
        requested_at=run.requested_at,
        started_at=run.started_at,
        stopped_at=run.stopped_at,
        directory=run.directory,
        files_moving_at=run.files_moving_at,
        excluded=run.excluded,
        adopted=run.adopted,
        data_verdict=manifests.verdict_on(run),
    )


def _command_shown(rows: Rows, facts: SystemFacts) -> CommandView | None:
    if rows.active:
        return command_view(rows.active[-1], facts, {server.name: server.deadlines for server in rows.servers})
    latest = Command.objects.select_related("run").prefetch_related("steps").first()
    return command_view(latest, facts) if latest else None


def _event_view(event: Event) -> EventView:
    return EventView(event.pk, event.at, event.topic, event.severity, event.subject, event.text)
