"""Deciding, and nothing else: what may happen, in which order, or every reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from attpcdaq.live.labels import state_label, transition_label
from attpcdaq.runcontrol.facts import ServerFacts, SystemFacts
from attpcdaq.runcontrol.start_checks import start_reasons
from get_protocol.state_machine import State, Transition, sources, target

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
# Where the order of boards matters (domain: the order of boards); everywhere else they go together.
MUTANT_FIRST = frozenset({Transition.PREPARE, Transition.STOP})
MUTANT_LAST = frozenset({Transition.CONFIGURE, Transition.START})
FORWARD = (Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE)
NEEDS_CONFIGURATION = frozenset(FORWARD)


@dataclass(frozen=True, slots=True)
class Stage:
    """Servers that get the same call at the same time; the next stage waits for all of them.

    After a failure only a Stop goes on to its next stage (run_progress), and it does not wait long (execute).
    """

    transition: Transition
    servers: tuple[str, ...]
    goal: State
    """What every one of them must be seen in afterwards."""
    why: str = ""
    """The reason for a stage that the goal alone does not explain."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Yes: stages in order; `skipped` servers are there already. `confirm`: what a person must agree to first."""

    action: str
    stages: tuple[Stage, ...]
    skipped: tuple[str, ...] = ()
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


def plan(action: str, targets: Sequence[str] | None, facts: SystemFacts) -> Plan | Refusal:
    """The stages of `action` on `targets` (None: the whole system), or why it may not be done now."""
    if action not in SINGLE:
        return Refusal((f"{action} is not built yet.",))
    transition = SINGLE[action]
    wanted = None if targets is None else frozenset(targets)
    servers = facts.servers if wanted is None else tuple(s for s in facts.servers if s.name in wanted)
    if not servers:
        return Refusal(("No ECC server is set up: begin with Easy setup.",))
    if transition is Transition.STOP:
        return Plan(action, _stages(transition, servers))  # whatever is believed of their states
    reasons = _reasons(transition, servers, facts, whole=targets is None)
    acting = tuple(server for server in servers if server.state in sources(transition))
    if not reasons and not acting:
        reasons = (f"Nothing to do: {_list_states(servers)}.",)
    if reasons:
        return Refusal(reasons)
    skipped = tuple(server.name for server in servers if server not in acting)
    return _confirmed(Plan(action, _stages(transition, acting), skipped), facts, whole=targets is None)


def _reasons(
    transition: Transition, servers: tuple[ServerFacts, ...], facts: SystemFacts, *, whole: bool
) -> tuple[str, ...]:
    reasons: list[str] = []
    if not facts.monitor_alive:
        reasons.append("The monitor is not running, so the state of the hardware is not known.")
    if transition is Transition.START:
        reasons += start_reasons(facts, whole=whole)
    if whole and facts.commands:
        reasons.append(f"{facts.commands[0]} is under way.")
    for server in servers:
        reason = _server_reason(transition, server, said=bool(whole and facts.commands))
        if reason:
            reasons.append(f"{server.name}: {reason}")
    return tuple(reasons)


def _server_reason(transition: Transition, server: ServerFacts, *, said: bool) -> str:
    """Why this server may not take part; empty when it may, or has nothing to do."""
    if server.command and not said:
        return f"{server.command} is under way."
    if server.state is None:
        return f"its state is unknown. {server.problem}".strip()
    if server.state is State.OFF:
        return "it is wedged (state 0): only restarting its ECC process helps."
    if server.transition is not Transition.NONE:
        return f"{transition_label(server.transition)} is under way in it."
    if server.state in sources(transition):
        return _missing_configuration(transition, server)
    return "" if _already_there(transition, server.state) else _way(transition, server.state)


def _missing_configuration(transition: Transition, server: ServerFacts) -> str:
    needs = transition in NEEDS_CONFIGURATION and not server.configured
    return "no configuration is chosen for it (Setup page)." if needs else ""


def _already_there(transition: Transition, state: State) -> bool:
    """Whether leaving the server out is what was meant: it is at the goal, or past it on the way up."""
    if transition in FORWARD:
        return state > max(sources(transition)) and state is not State.PAUSED
    if transition is Transition.BREAKUP:
        return state <= State.PREPARED
    return transition is Transition.UNDO and state is State.IDLE


def _way(transition: Transition, state: State) -> str:
    """How the server gets to where the transition is legal."""
    if transition is Transition.UNDO:
        return f"it is {state_label(state)}: Breakup comes before Undo."
    if state is State.PAUSED:
        return "it is Paused: Stop or Breakup leads out of it."
    needed = " or ".join(state_label(source) for source in sorted(sources(transition)))
    return f"it is {state_label(state)}, and {transition_label(transition)} needs {needed}."


def _list_states(servers: Sequence[ServerFacts]) -> str:
    labels = sorted({state_label(server.state) for server in servers})
    if len(servers) == 1:
        return f"{servers[0].name} is {labels[0]}"
    return f"every server is {labels[0]}" if len(labels) == 1 else "the servers are " + ", ".join(labels)


def _stages(transition: Transition, servers: Sequence[ServerFacts]) -> tuple[Stage, ...]:
    """The order of boards: MuTAnT first or last, or all in one stage with the CoBos first in it."""
    cobos = tuple(server.name for server in servers if not server.has_mutant)
    mutant = tuple(server.name for server in servers if server.has_mutant)
    groups: tuple[tuple[str, ...], ...] = (cobos + mutant,)
    if transition in MUTANT_FIRST:
        groups = (mutant, cobos)
    elif transition in MUTANT_LAST:
        groups = (cobos, mutant)
    return tuple(stage for group in groups for stage in _by_goal(transition, group, servers))


def _by_goal(transition: Transition, group: Sequence[str], servers: Sequence[ServerFacts]) -> list[Stage]:
    goals = {server.name: _goal(transition, server.state) for server in servers if server.name in group}
    return [
        Stage(transition, tuple(name for name in group if goals[name] is goal), goal)
        for goal in sorted(set(goals.values()), reverse=True)
    ]


def _goal(transition: Transition, state: State | None) -> State:
    """Where the call leads; a Stop is sent whatever is believed of the state."""
    reached = None if state is None else target(state, transition)
    return (
        max(target(source, transition) or State.OFF for source in sources(transition)) if reached is None else reached
    )


def _confirmed(plan_: Plan, facts: SystemFacts, *, whole: bool) -> Plan:
    """Breakup or Undo while a run is open needs a person's word; for the whole system it is a Stop first."""
    transition = SINGLE[plan_.action]
    if facts.run is None or transition not in (Transition.BREAKUP, Transition.UNDO):
        return plan_
    label, run = transition_label(transition), f"Run {facts.run.number} is open."
    if whole:
        return replace(
            plan_,
            stages=_stages(Transition.STOP, facts.servers) + plan_.stages,
            confirm=f"{run} {label} stops it first.",
        )
    names = ", ".join(name for stage in plan_.stages for name in stage.servers)
    return replace(plan_, confirm=f"{run} {label} takes {names} out of it.")
