"""The order of boards towards servers that a plan leaves as they are (domain: the order of boards)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from attpcdaq.runcontrol.planning.facts import ServerFacts
from attpcdaq.runcontrol.planning.stages import Stage
from attpcdaq.runcontrol.planning.ways import Way
from get_protocol.state_machine import State, Transition


def order_reasons(transition: Transition, ways: Iterable[Way], servers: Iterable[ServerFacts]) -> list[str]:
    """Why one call for the whole system would break the order, since some servers are past it already."""
    ahead = _ahead(transition, [way.server for way in ways], servers)
    return [f"{ahead} Go to Ready does it in order."] if ahead else []


def noted(stages: Iterable[Stage], ways: Sequence[Way], servers: Sequence[ServerFacts]) -> tuple[Stage, ...]:
    """Stages for single servers, which touch no other: they say where the order is not kept."""
    acting = [way.server for way in ways]
    notes = {stage.transition: _ahead(stage.transition, acting, servers) for stage in stages}
    return tuple(replace(stage, why=f"{stage.why} {notes[stage.transition]}".strip()) for stage in stages)


def _ahead(transition: Transition, acting: Sequence[ServerFacts], servers: Iterable[ServerFacts]) -> str:
    """Who was past the call before those whom it should have followed; empty for nobody."""
    called = {server.name for server in acting}
    others = [server for server in servers if server.name not in called and server.state is not None]
    if transition is Transition.PREPARE and any(server.has_mutant for server in acting):
        rule, done = "prepared before the CoBos", "prepared"
        names = [each.name for each in others if not each.has_mutant and _reached(each, State.PREPARED)]
    elif transition is Transition.CONFIGURE and not all(server.has_mutant for server in acting):
        rule, done = "configured after the CoBos", "configured"
        names = [each.name for each in others if each.has_mutant and _reached(each, State.READY)]
    else:
        return ""
    verb = "has" if len(names) == 1 else "have"
    return f"The MuTAnT is {rule}, but {', '.join(names)} {verb} been {done} already." if names else ""


def _reached(server: ServerFacts, state: State) -> bool:
    return server.state is not None and server.state >= state
