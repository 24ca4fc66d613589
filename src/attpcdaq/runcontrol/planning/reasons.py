"""Why not: every reason against an action, in words, with the server named and what leads on."""

from attpcdaq.live.labels import state_label, transition_label
from attpcdaq.runcontrol.planning.facts import RunFacts, ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.stages import FORWARD
from attpcdaq.runcontrol.planning.start_checks import RUNNING, start_reasons
from get_protocol.state_machine import State, Transition, sources

# These take servers out of data taking, so an open run is stopped first.
LEADS_OUT = frozenset({"breakup", "undo", "go_ready", "go_idle"})
CLOSING = "closing"


def general_reasons(action: str, scope: SystemFacts, *, whole: bool) -> list[str]:
    """What stands in the way whatever the servers are."""
    reasons = []
    if not scope.monitor_alive:
        reasons.append("The monitor is not running, so the state of the hardware is not known.")
    if action == "start":
        reasons += start_reasons(scope, whole=whole)
    if whole and scope.commands:
        reasons.append(f"{scope.commands[0]} is under way.")
    run = run_in_the_way(scope)
    if not whole and action in LEADS_OUT and run and run.state != RUNNING:
        reasons.append(f"Run {run.number} is {run.state}. Single servers are repaired within a run that is running.")
    return reasons


def run_in_the_way(facts: SystemFacts) -> RunFacts | None:
    """The open run whose boards may be taking data; while it is closing they were all seen stopped."""
    return facts.run if facts.run and facts.run.state != CLOSING else None


def server_reasons(action: str, single: Transition | None, scope: SystemFacts, *, whole: bool) -> dict[str, str]:
    """Server name -> "name: why it may not take part"; `single` where one legal call must do."""
    loose = whole and action == "start" and scope.run is None
    reasons = {}
    for server in scope.servers:
        reason = _trouble(server, said=bool(whole and scope.commands))
        if not reason and single is not None:
            reason = _single_reason(single, server)
        if not reason and loose and server.state is State.RUNNING:
            reason = "it is Running although no run is open: adopt it as a run, or stop it."
        if reason:
            reasons[server.name] = f"{server.name}: {reason}"
    return reasons


def _trouble(server: ServerFacts, *, said: bool) -> str:
    if server.excluded:
        return f"it is excluded ({server.excluded}): include it again first."
    if server.command and not said:
        return f"{server.command} is under way."
    if server.state is None:
        return f"its state is unknown. {server.problem}".strip()
    if server.state is State.OFF:
        return "it is wedged (state 0): restart its ECC server, nothing else helps."
    if server.transition is not Transition.NONE:
        return f"{transition_label(server.transition)} is under way in it."
    return ""


def _single_reason(transition: Transition, server: ServerFacts) -> str:
    """Why the call would be ignored in this state; empty as well when that is just what was meant."""
    state = server.state
    if state is None or state in sources(transition) or _already_there(transition, state):
        return ""
    if transition is Transition.UNDO:
        return f"it is {state_label(state)}: Breakup comes before Undo."
    if state is State.PAUSED:
        return "it is Paused: Stop or Breakup leads out of it."
    needed = " or ".join(state_label(source) for source in sorted(sources(transition)))
    return f"it is {state_label(state)}, and {transition_label(transition)} needs {needed}."


def _already_there(transition: Transition, state: State) -> bool:
    """Whether leaving the server out is what was meant: it is at the goal, or past it on the way up."""
    if transition in FORWARD:
        return state > max(sources(transition)) and state is not State.PAUSED
    if transition is Transition.BREAKUP:
        return state <= State.PREPARED
    return transition is Transition.UNDO and state is State.IDLE
