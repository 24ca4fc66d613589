"""One ECC server as the page shows it."""

from datetime import datetime, timedelta

from django.utils import timezone

from attpcdaq.live.labels import age_seconds, going_to, state_label, state_word, transition_label
from attpcdaq.live.models import ECCState
from attpcdaq.runcontrol.asking.restarts import restart_action
from attpcdaq.runcontrol.models import Step, StepState
from attpcdaq.runcontrol.planning.facts import SystemFacts
from attpcdaq.runcontrol.seeing.action_views import ActionViews
from attpcdaq.runcontrol.seeing.gather import Rows, exclusion_of, live_state
from attpcdaq.runcontrol.seeing.moments import came_before, is_about_now
from attpcdaq.runcontrol.seeing.views import EccView, ExclusionView
from attpcdaq.runcontrol.troubles.troubles import trouble_of
from attpcdaq.topology.models import ECCServer
from get_protocol.state_machine import State, Transition, sources, target

# A call's end is recorded, and the monitor sees it a moment later.
JUST_ENDED = timedelta(seconds=1)
SEEN_LATE = timedelta(seconds=3)


def ecc_view(server: ECCServer, rows: Rows, facts: SystemFacts) -> EccView:
    """A server, and what may be done to it alone."""
    state, transition, live = live_state(server, rows.now)
    seen_at, problem = (live.seen_at, live.problem) if live else (None, "")
    last_error = _last_error(rows.steps.told.get(server.name), state, live, rows.now)
    busy = still_busy(server, transition, live, rows)
    return EccView(
        id=server.pk,
        name=server.name,
        state=state_word(state),
        state_label=state_label(state),
        going_to=going_to(state, transition),
        age=age_seconds(seen_at, rows.now),
        seen_at=seen_at,
        config=str(server.config_set) if server.config_set else "",
        problem=problem,
        progress=_progress(server, rows),
        last_error=last_error,
        roles=tuple(sorted({source.role for source in server.data_sources.all()})),
        boards=tuple(source.sender_id for source in server.data_sources.all()),
        actions=ActionViews((server.name,), facts),
        excluded=exclusion_view(server),
        still_busy=busy,
        trouble=trouble_of(problem or last_error, part="ecc", state=state_word(state), still_busy=busy),
        restart=restart_action(server, rows.run),
        last_restart=rows.restarts.get(("ecc", server.pk)),
        drifts=tuple(drift.text for drift in rows.drifts.get(server.pk, ())),
    )


def exclusion_view(server: ECCServer) -> ExclusionView | None:
    """Why the system goes on without it; None for an included one."""
    out = exclusion_of(server)
    return ExclusionView(out.reason, out.by, out.at) if out else None


def still_busy(server: ECCServer, transition: Transition, live: ECCState | None, rows: Rows) -> str:
    """A call that blocks in the server while nobody waits for it any more (facts 2.3); empty when there is none."""
    step = rows.steps.told.get(server.name)
    waited_for = any(at_work.state == StepState.SENT for at_work in _steps_at_work(server, rows))
    if transition is Transition.NONE or waited_for or (step is not None and _not_seen_since(step, live, rows.now)):
        return ""
    label = transition_label(transition)
    if step is None or step.transition != transition or step.finished_at is None or step.sent_at is None:
        return f"{label}, which was not asked for here."
    sent, given_up = timezone.localtime(step.sent_at), timezone.localtime(step.finished_at)
    return f"{label}, sent at {sent:%H:%M:%S} and given up at {given_up:%H:%M:%S}."


def _not_seen_since(step: Step, live: ECCState | None, now: datetime) -> bool:
    """Whether the server's last answer may be older than the end of its latest call: it says nothing of what is left.

    A call may also have been sent since the commands were read: somebody waits for it.
    """
    if step.state == StepState.SENT:
        return True
    if live is None or live.seen_at is None or step.finished_at is None:
        return False
    return came_before(live.seen_at, step.finished_at, now) or is_about_now(live.seen_at, step.finished_at, JUST_ENDED)


def _steps_at_work(server: ECCServer, rows: Rows) -> list[Step]:
    return [step for command in rows.active for step in command.steps.all() if step.server_name == server.name]


def _progress(server: ECCServer, rows: Rows) -> str:
    """What the commands at work do with this server just now."""
    steps = _steps_at_work(server, rows)
    current = next((s for s in steps if s.state == StepState.SENT), None)
    current = (
        current or next((s for s in steps if s.state == StepState.WAITING), None) or (steps[-1] if steps else None)
    )
    return f"{transition_label(current.transition)}: {current.get_state_display().lower()}" if current else ""


def _last_error(step: Step | None, state: State | None, live: ECCState | None, now: datetime) -> str:
    """What the latest step said when it failed, unless the server got there, or went elsewhere, after all."""
    if step is None or step.state not in (StepState.FAILED, StepState.EXPIRED):
        return ""
    goals = {target(source, Transition(step.transition)) for source in sources(Transition(step.transition))}
    there = state in goals if step.goal is None else state == step.goal
    return "" if there or _went_on(step, live, now) else step.message


def _went_on(step: Step, live: ECCState | None, now: datetime) -> bool:
    """Whether the server changed its state after the step had failed, as a restart does."""
    if live is None or live.since is None or step.finished_at is None:
        return False
    after = came_before(step.finished_at, live.since, now)
    return after and not is_about_now(live.since, step.finished_at, SEEN_LATE)
