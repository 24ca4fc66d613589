"""Rows to plain values: one read of everything, so that page, API and plan see the same moment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch

from attpcdaq.live import lease
from attpcdaq.live.drift import Drift, drifts
from attpcdaq.live.labels import ECC_TOO_OLD, ROUTER_TOO_OLD, transition_label
from attpcdaq.live.models import ECCState, RouterState
from attpcdaq.runcontrol.asking.gate import set_aside_is_under_way
from attpcdaq.runcontrol.asking.preferences import preferences
from attpcdaq.runcontrol.asking.restarts import latest_restarts
from attpcdaq.runcontrol.models import ACTIVE_STATES, Command, Exclusion, Restart
from attpcdaq.runcontrol.planning.facts import RouterFacts, RunFacts, ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.stages import FORWARD
from attpcdaq.runcontrol.seeing.latest_steps import LatestSteps, latest_steps
from attpcdaq.runcontrol.seeing.moments import came_before, is_about_now
from attpcdaq.runcontrol.seeing.views import RestartView
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.topology.models import DataRouter, DataSource, ECCServer
from get_protocol.state_machine import State, Transition, sources

MONITOR_TOO_OLD = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one moment."""

    now: datetime
    servers: list[ECCServer]
    routers: list[DataRouter]
    experiment: Experiment | None
    run: Run | None
    active: list[Command]
    beat: datetime | None
    steps: LatestSteps
    restarting: tuple[str, ...]
    setting_aside: bool
    reconfigure_mutant: bool
    min_free: int
    """Bytes that must be free for a run to start."""
    restarts: dict[tuple[str, int], RestartView]
    drifts: dict[int, tuple[Drift, ...]]

    @property
    def monitor_alive(self) -> bool:
        return self.beat is not None and is_about_now(self.beat, self.now, MONITOR_TOO_OLD)


def read_rows(now: datetime) -> Rows:
    """Everything a decision or a page rests on."""
    sources = Prefetch("data_sources", DataSource.objects.order_by("id"))
    asked = ECCServer.objects.select_related("live", "config_set", "node", "exclusion").prefetch_related(sources)
    preferred = preferences()
    # Before the run: a run must not look forsaken because its command ended between two questions.
    active = list(Command.objects.filter(state__in=ACTIVE_STATES).prefetch_related("steps").order_by("requested_at"))
    servers = list(asked)
    return Rows(
        now=now,
        servers=servers,
        routers=_routers(servers),
        experiment=Experiment.objects.filter(is_active=True).first(),
        run=open_run(),
        active=active,
        beat=lease.written_at(),
        steps=latest_steps(now),
        restarting=tuple(Restart.objects.filter(state__in=ACTIVE_STATES).values_list("subject", flat=True)),
        setting_aside=set_aside_is_under_way(now),
        reconfigure_mutant=preferred.reconfigure_mutant,
        min_free=preferred.min_free,
        restarts=latest_restarts(now),
        drifts=_drifts(),
    )


def _routers(servers: Iterable[ECCServer]) -> list[DataRouter]:
    """All of them; the server of each is the one that was read already."""
    known = {server.pk: server for server in servers}
    routers = list(DataRouter.objects.select_related("live", "node__live", "data_source"))
    for router in routers:
        source = getattr(router, "data_source", None)
        if source is not None and source.ecc_server_id in known:
            source.ecc_server = known[source.ecc_server_id]
    return routers


def _drifts() -> dict[int, tuple[Drift, ...]]:
    """Files changed on disk, by ECC server."""
    found: dict[int, tuple[Drift, ...]] = {}
    for drift in drifts():
        found[drift.server_id] = (*found.get(drift.server_id, ()), drift)
    return found


def config_part(server: ECCServer, transition: int) -> str:
    """The name which a transition reads of the chosen configuration (facts 1.3); empty where it reads none."""
    chosen = server.config_set
    if chosen is None:
        return ""
    parts = {
        Transition.DESCRIBE: chosen.describe,
        Transition.PREPARE: chosen.prepare,
        Transition.CONFIGURE: chosen.configure,
    }
    return parts.get(Transition(transition), "")


def _other_config(server: ECCServer, state: State | None, rows: Rows) -> tuple[str, State | None]:
    """Why a run would be recorded with another configuration than the boards have, and how far back that leads.

    Empty and None when it would not, or when the server has to go that way again anyhow.
    """
    for transition in FORWARD:
        step, chosen = rows.steps.loaded.get((server.name, transition)), config_part(server, transition)
        if step is not None and step.config and chosen and step.config != chosen:
            label, back = transition_label(transition), max(sources(transition))
            if state is not None and state <= back:
                break
            return f"{label} was done with {step.config}, but {chosen} is chosen.", back
    return "", None


def _start_over(server: ECCServer, state: State | None, rows: Rows) -> str:
    """Why it should begin anew from Idle: what fails again and again has often lost what it was told (facts 2.4)."""
    step = rows.steps.failed_twice(server.name)
    if step is None or state is None or state not in sources(Transition(step.transition)):
        return ""
    return f"{transition_label(step.transition)} failed twice: it begins anew from Idle."


def exclusion_of(server: ECCServer) -> Exclusion | None:
    """Why the system goes on without a server; None for an included one."""
    return getattr(server, "exclusion", None)


def is_excluded(router: DataRouter) -> bool:
    """Whether the system goes on without the board that sends to this router."""
    source = getattr(router, "data_source", None)
    return source is not None and exclusion_of(source.ecc_server) is not None


def live_state(server: ECCServer, now: datetime) -> tuple[State | None, Transition, ECCState | None]:
    """State as far as it is known now: an answer that is too old is no answer."""
    live = getattr(server, "live", None)
    if live is None or live.state is None or live.seen_at is None or not is_about_now(live.seen_at, now, ECC_TOO_OLD):
        return None, Transition.NONE, live
    return State(live.state), Transition(live.transition), live


def fresh_router(router: DataRouter, now: datetime) -> RouterState | None:
    """The router's live row, or None when it says nothing about now."""
    live: RouterState | None = getattr(router, "live", None)
    fresh = live is not None and live.seen_at is not None and is_about_now(live.seen_at, now, ROUTER_TOO_OLD)
    return live if fresh else None


def is_deaf(router: DataRouter, rows: Rows) -> bool:
    """Restarted after its board was configured: it receives nothing until Breakup and Configure (facts 4)."""
    live, source = getattr(router, "live", None), getattr(router, "data_source", None)
    if live is None or live.restarted_at is None or source is None or router.link_type == "FDT":
        return False
    configured = rows.steps.loaded.get((source.ecc_server.name, Transition.CONFIGURE))
    state, _, _ = live_state(source.ecc_server, rows.now)
    held = state is None or state >= State.READY
    if configured is None or configured.sent_at is None:
        return held
    return held and came_before(configured.sent_at, live.restarted_at, rows.now)


def system_facts(rows: Rows) -> SystemFacts:
    """The rows as what the plan takes."""
    run = rows.run
    return SystemFacts(
        servers=tuple(_server_facts(server, rows) for server in rows.servers),
        routers=tuple(_router_facts(router, rows) for router in rows.routers if getattr(router, "data_source", None)),
        run=RunFacts(run.number, run.state) if run else None,
        experiment=rows.experiment.name if rows.experiment else None,
        monitor_alive=rows.monitor_alive,
        commands=tuple(command.get_action_display() for command in rows.active),
        restarting=rows.restarting,
        setting_aside=rows.setting_aside,
        min_free=rows.min_free,
        reconfigure_mutant=rows.reconfigure_mutant,
    )


def _server_facts(server: ECCServer, rows: Rows) -> ServerFacts:
    state, transition, live = live_state(server, rows.now)
    at_work = (c for c in rows.active if any(step.server_name == server.name for step in c.steps.all()))
    command = next(at_work, None)
    other_config, redo_from = _other_config(server, state, rows)
    redo_why = _start_over(server, state, rows)
    exclusion = exclusion_of(server)
    drifted = [drift.back_to for drift in rows.drifts.get(server.pk, ()) if drift.blob is not None]
    return ServerFacts(
        name=server.name,
        roles=frozenset(source.role for source in server.data_sources.all()),
        state=state,
        transition=transition,
        configured=server.config_set is not None,
        problem=live.problem if live else "",
        command=command.get_action_display() if command else "",
        other_config=other_config,
        redo_from=State.IDLE if redo_why else redo_from,
        redo_why=redo_why,
        drifted_to=min(drifted, default=None),
        excluded=exclusion.reason if exclusion else "",
    )


def _router_facts(router: DataRouter, rows: Rows) -> RouterFacts:
    live = fresh_router(router, rows.now)
    known = getattr(router, "live", None)
    return RouterFacts(
        name=router.name,
        server=router.data_source.ecc_server.name,
        online=live.online if live else None,
        clean=live.files == 0 if live else None,
        files=live.files if live else 0,
        problem=known.problem if known else "",
        deaf=is_deaf(router, rows),
        hears=live.hears if live else None,
        node=router.node.name,
        disk_free=live.disk_free if live else None,
    )
