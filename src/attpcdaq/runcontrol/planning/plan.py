"""Deciding, and nothing else: what may happen, in which order, or every reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from attpcdaq.live.labels import state_label, transition_label
from attpcdaq.runcontrol.planning.facts import ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.order import noted, order_reasons
from attpcdaq.runcontrol.planning.reasons import LEADS_OUT, general_reasons, run_in_the_way, server_reasons
from attpcdaq.runcontrol.planning.stages import Stage, stop_stages
from attpcdaq.runcontrol.planning.ways import (
    TAKING_DATA,
    Way,
    single_ways,
    way_reasons,
    way_stages,
    ways_down,
    ways_up,
)
from get_protocol.state_machine import State, Transition

SINGLE: dict[str, Transition] = {
    "describe": Transition.DESCRIBE,
    "prepare": Transition.PREPARE,
    "configure": Transition.CONFIGURE,
    "start": Transition.START,
    "stop": Transition.STOP,
    "breakup": Transition.BREAKUP,
    "undo": Transition.UNDO,
}
ACTIONS = (*SINGLE, "go_ready", "go_idle")


@dataclass(frozen=True, slots=True)
class Plan:
    """Yes: stages in order, without who is there already. `confirm`: what a person must agree to first."""

    action: str
    stages: tuple[Stage, ...]
    confirm: str = ""

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change when what would be done changes."""
        stages = [f"{stage.transition:d}>{stage.goal:d} {','.join(stage.servers)}" for stage in self.stages]
        return sha256("\n".join([self.action, *stages]).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, with every reason named."""

    reasons: tuple[str, ...]


def action_label(action: str) -> str:
    """An action of ACTIONS as on its button."""
    return transition_label(SINGLE[action]) if action in SINGLE else f"Go to {action.removeprefix('go_').capitalize()}"


def plan(action: str, targets: Sequence[str] | None, facts: SystemFacts) -> Plan | Refusal:
    """The stages of `action` (of ACTIONS) on `targets` (None: every server not excluded), or why it may not be done."""
    whole = targets is None
    scope = facts.included() if targets is None else facts.only(targets)
    if not facts.servers:
        return Refusal(("No ECC server is set up: begin with Easy setup.",))
    if action == "stop":
        return Plan(action, stop_stages(_to_stop(facts) if whole else scope.servers))
    if not scope.servers:
        return Refusal(("Every ECC server is excluded: include one again first.",))
    # Start for the whole system is a goal, reached from anywhere; for single servers it is one call.
    single = None if whole and action == "start" else SINGLE.get(action)
    blocked = server_reasons(action, single, scope, whole=whole)
    clear = scope.only([server.name for server in scope.servers if server.name not in blocked]) if blocked else scope
    ways = _ways(action, single, clear, whole=whole)
    first = _run_stopped(facts) if whole and action in LEADS_OUT else ()
    reasons = [*general_reasons(action, scope, whole=whole), *blocked.values(), *way_reasons(ways)]
    if whole and single is not None:
        reasons += order_reasons(single, ways, scope.servers)
    if not reasons and not ways and (single is not None or not first):
        reasons = [f"Nothing to do: {_list_states(scope.servers)}."]
    if reasons:
        return Refusal(tuple(reasons))
    stages = first + way_stages(ways, stopped=bool(first))
    if not whole:
        stages = noted(stages, ways, facts.included().servers)
    return Plan(action, stages, _confirm(action, stages, scope, whole=whole))


def _ways(action: str, single: Transition | None, clear: SystemFacts, *, whole: bool) -> tuple[Way, ...]:
    if action == "go_idle":
        return ways_down(clear.servers, State.IDLE)
    if single is not None:
        return single_ways(single, clear.servers)
    return ways_up(clear, State.RUNNING if action == "start" else State.READY, whole=whole)


def _to_stop(facts: SystemFacts) -> tuple[ServerFacts, ...]:
    """Every server that takes part, and an excluded one that may be taking data all the same."""
    reached = tuple(
        server
        for server in facts.servers
        if not server.excluded or server.state in TAKING_DATA or server.transition is Transition.START
    )
    return reached or facts.servers


def _run_stopped(facts: SystemFacts) -> tuple[Stage, ...]:
    run = run_in_the_way(facts)
    return stop_stages(_to_stop(facts), f"Run {run.number} is open: it is stopped first.") if run else ()


def _confirm(action: str, stages: Sequence[Stage], scope: SystemFacts, *, whole: bool) -> str:
    """What a person must agree to, since a run is open."""
    run = run_in_the_way(scope)
    if run is None or action not in LEADS_OUT:
        return ""
    begin = f"Run {run.number} is open. {action_label(action)}"
    if whole:
        return f"{begin} stops it first."
    called = {name for stage in stages for name in stage.servers}
    names = ", ".join(server.name for server in scope.servers if server.name in called)
    if action == "go_ready":
        return f"{begin} repairs {names} within it: start {names} alone afterwards."
    return f"{begin} takes {names} out of it."


def _list_states(servers: Sequence[ServerFacts]) -> str:
    labels = sorted({state_label(server.state) for server in servers})
    if len(servers) == 1:
        return f"{servers[0].name} is {labels[0]}"
    return f"every server is {labels[0]}" if len(labels) == 1 else "the servers are " + ", ".join(labels)
