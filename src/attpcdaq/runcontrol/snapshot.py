"""The whole status at one moment, for page, partials, API and event stream."""

from datetime import datetime

from django.utils import timezone

from attpcdaq.live.labels import age_seconds, going_to, state_label, state_word, transition_label
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.facts import SystemFacts
from attpcdaq.runcontrol.gather import Rows, fresh_router, is_deaf, live_state, read_rows, system_facts
from attpcdaq.runcontrol.models import Command, Step, StepState
from attpcdaq.runcontrol.overall import overall
from attpcdaq.runcontrol.plan import ACTIONS, Plan, plan
from attpcdaq.runcontrol.views import (
    ActionView,
    CommandView,
    EccView,
    EventView,
    RouterView,
    RunView,
    Snapshot,
    StepView,
)
from attpcdaq.runlog.models import OPEN_STATES, Run
from attpcdaq.topology.models import DataRouter, ECCServer
from get_protocol.state_machine import State, Transition, sources, target

EVENTS_SHOWN = 30
GROWING_SECONDS = 3.0


def snapshot(now: datetime | None = None) -> Snapshot:
    """Everything the status shows, read once."""
    rows = read_rows(now or timezone.now())
    facts = system_facts(rows)
    servers = tuple(_ecc_view(server, rows, facts) for server in rows.servers)
    routers = tuple(_router_view(router, rows) for router in rows.routers)
    run = run_view(rows.run) if rows.run else None
    command = _command_shown(rows)
    last = Run.objects.exclude(state__in=OPEN_STATES).select_related("experiment").first()
    return Snapshot(
        at=rows.now,
        monitor_alive=rows.monitor_alive,
        overall=overall(servers, routers, run, command, rows.now, monitor_alive=rows.monitor_alive),
        experiment=rows.experiment.name if rows.experiment else None,
        next_run_number=rows.experiment.last_run_number + 1 if rows.experiment else None,
        run=run,
        last_run=run_view(last) if last else None,
        ecc_servers=servers,
        routers=routers,
        actions={action: _action_view(action, None, facts) for action in ACTIONS},
        command=command,
        events=tuple(_event_view(event) for event in Event.objects.exclude(text="")[:EVENTS_SHOWN]),
        stray=run is None and any(router.clean is False for router in routers),
    )


def _action_view(action: str, targets: tuple[str, ...] | None, facts: SystemFacts) -> ActionView:
    outcome = plan(action, targets, facts)
    if isinstance(outcome, Plan):
        return ActionView(allowed=True, confirm=outcome.confirm)
    return ActionView(allowed=False, reasons=outcome.reasons)


def _ecc_view(server: ECCServer, rows: Rows, facts: SystemFacts) -> EccView:
    state, transition, live = live_state(server, rows.now)
    seen_at = live.seen_at if live else None
    step = rows.latest_steps.get(server.name)
    return EccView(
        id=server.pk,
        name=server.name,
        state=state_word(state),
        state_label=state_label(state),
        going_to=going_to(state, transition),
        age=age_seconds(seen_at, rows.now),
        seen_at=seen_at,
        config=str(server.config_set) if server.config_set else "",
        problem=live.problem if live else "",
        progress=_progress(server, rows),
        last_error=_last_error(step, state),
        roles=tuple(sorted({source.role for source in server.data_sources.all()})),
        boards=tuple(source.sender_id for source in server.data_sources.all()),
        actions={action: _action_view(action, (server.name,), facts) for action in ACTIONS},
    )


def _last_error(step: Step | None, state: State | None) -> str:
    """What the latest step said when it failed, unless the server got there after all."""
    if step is None or step.state not in (StepState.FAILED, StepState.EXPIRED):
        return ""
    goals = {target(source, Transition(step.transition)) for source in sources(Transition(step.transition))}
    return "" if state in goals else step.message


def _progress(server: ECCServer, rows: Rows) -> str:
    """What the commands at work do with this server just now."""
    steps = [step for command in rows.active for step in command.steps.all() if step.server_name == server.name]
    current = next((s for s in steps if s.state == StepState.SENT), None)
    current = (
        current or next((s for s in steps if s.state == StepState.WAITING), None) or (steps[-1] if steps else None)
    )
    return f"{transition_label(current.transition)}: {current.get_state_display().lower()}" if current else ""


def _router_view(router: DataRouter, rows: Rows) -> RouterView:
    live, known = fresh_router(router, rows.now), getattr(router, "live", None)
    source = getattr(router, "data_source", None)
    seen_at = known.seen_at if known else None
    quiet = age_seconds(live.grew_at, rows.now) if live else None
    growing = quiet is not None and quiet <= GROWING_SECONDS
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
        deaf=is_deaf(router, rows),
    )


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
    )


def _command_shown(rows: Rows) -> CommandView | None:
    if rows.active:
        return command_view(rows.active[-1])
    latest = Command.objects.select_related("run").prefetch_related("steps").first()
    return command_view(latest) if latest else None


def command_view(command: Command) -> CommandView:
    """A command and its steps, in their order."""
    return CommandView(
        id=str(command.pk),
        action=command.action,
        label=command.get_action_display(),
        targets=None if command.targets is None else tuple(command.targets),
        state=command.state,
        message=command.message,
        requested_by=command.requested_by,
        requested_at=command.requested_at,
        finished_at=command.finished_at,
        run_number=command.run.number if command.run else None,
        steps=tuple(_step_view(step) for step in command.steps.all()),
    )


def _step_view(step: Step) -> StepView:
    return StepView(step.stage, step.server_name, transition_label(step.transition), step.state, step.message)


def _event_view(event: Event) -> EventView:
    return EventView(event.pk, event.at, event.topic, event.severity, event.subject, event.text)
