"""The way of each server: how far back it must go, and how far up again, so that the order of boards holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from attpcdaq.runcontrol.planning.facts import ServerFacts, SystemFacts
from attpcdaq.runcontrol.planning.stages import FORWARD, Stage, stages_of, stop_stages
from get_protocol.state_machine import State, Transition, sources

TAKING_DATA = frozenset({State.RUNNING, State.PAUSED})
# One sequence for everybody. Breakup only from Ready: what runs is stopped first, so that the MuTAnT stops first.
DOWN = (
    (Transition.BREAKUP, State.READY),
    (Transition.UNDO, State.PREPARED),
    (Transition.UNDO, State.DESCRIBED),
)
UP = (
    (Transition.DESCRIBE, State.IDLE),
    (Transition.PREPARE, State.DESCRIBED),
    (Transition.CONFIGURE, State.PREPARED),
    (Transition.START, State.READY),
)
DEAF = "A data router was restarted: it is deaf until its board is configured again."
OTHER_CONFIGURATION = "Set up with another configuration than is chosen now."
FILES_CHANGED = "Files changed on disk after they were loaded."
PREPARED_AGAIN = "The MuTAnT is prepared before the CoBos, so they are prepared again."
CONFIGURED_AGAIN = "The MuTAnT is configured after the CoBos, so it is configured again."
NEW_COUNTERS = "The MuTAnT is configured before each run (a setting), so its counters begin again."


@dataclass(frozen=True, slots=True)
class Way:
    """One server: stopped if it takes data, down to `low`, then up to `high`; `whys` say what it goes down for."""

    server: ServerFacts
    low: State
    high: State
    whys: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        return self.server.state in TAKING_DATA

    @property
    def top(self) -> State:
        """The state it goes on from, once it takes no data."""
        return top(self.server)

    @property
    def calls(self) -> tuple[tuple[Transition, State], ...]:
        """The calls after a Stop, each with the state it is made in."""
        return _calls(self.top, self.low, self.high)

    def makes(self, *transitions: Transition) -> bool:
        """Whether any of these calls is on the way."""
        return any(call in transitions for call, _ in self.calls)

    def back_to(self, low: State, why: str) -> "Way":
        """The same, but at least as far back as `low`."""
        return replace(self, low=min(self.low, low), whys=(*self.whys, why)) if self.top > low else self


# A page asks for a hundred plans, and there are not many ways.
@cache
def _calls(start: State, low: State, high: State) -> tuple[tuple[Transition, State], ...]:
    down = [(call, source) for call, source in DOWN if start >= source > low]
    up = [(call, source) for call, source in UP if low <= source < high]
    return (*down, *up)


def top(server: ServerFacts) -> State:
    """Its state (which must be known), or Ready once what runs has been stopped."""
    assert server.state is not None
    return State.READY if server.state in TAKING_DATA else server.state


def ways_down(servers: Iterable[ServerFacts], low: State) -> tuple[Way, ...]:
    """Everybody who is above `low` goes down to it; nobody goes up."""
    return tuple(Way(server, low, low) for server in servers if top(server) > low)


def ways_up(facts: SystemFacts, high: State, *, whole: bool) -> tuple[Way, ...]:
    """Everybody to `high`, back first where that is needed; the order towards others only in the whole system."""
    ways = [_own_way(server, facts, high) for server in facts.servers]
    if whole:
        ways = _in_order(ways)
    return tuple(way for way in ways if way.stops or way.calls)


def _own_way(server: ServerFacts, facts: SystemFacts, high: State) -> Way:
    """Back as far as the server itself needs it: a deaf router, another configuration, counters anew."""
    way = Way(server, top(server), high)
    if any(router.deaf and router.server == server.name for router in facts.routers):
        way = way.back_to(State.PREPARED, DEAF)
    if server.redo_from is not None:
        way = way.back_to(server.redo_from, server.redo_why or OTHER_CONFIGURATION)
    if server.drifted_to is not None and high is State.READY:
        # Only where setting up is what was asked for: a Start takes what is loaded, whatever somebody edits meanwhile.
        way = way.back_to(server.drifted_to, FILES_CHANGED)
    if server.has_mutant and facts.reconfigure_mutant and high is State.RUNNING:
        way = way.back_to(State.PREPARED, NEW_COUNTERS)
    return way


def _in_order(ways: Sequence[Way]) -> list[Way]:
    """Back as far as the order of boards needs it, also towards what was done before."""
    if any(way.server.has_mutant and way.makes(Transition.PREPARE) for way in ways):
        ways = [way if way.server.has_mutant else way.back_to(State.DESCRIBED, PREPARED_AGAIN) for way in ways]
    if any(not way.server.has_mutant and way.makes(Transition.CONFIGURE) for way in ways):
        ways = [way.back_to(State.PREPARED, CONFIGURED_AGAIN) if way.server.has_mutant else way for way in ways]
    return list(ways)


def single_ways(transition: Transition, servers: Iterable[ServerFacts]) -> tuple[Way, ...]:
    """One call for everybody in a state where it does something; what runs is stopped before a Breakup."""
    acting = [server for server in servers if server.state in sources(transition)]
    if transition is Transition.BREAKUP:
        return ways_down(acting, State.PREPARED)
    if transition is Transition.UNDO:
        return tuple(way for server in acting for way in ways_down([server], State(top(server) - 1)))
    return tuple(Way(server, top(server), State(top(server) + 1)) for server in acting)


def way_stages(ways: Sequence[Way], *, stopped: bool = False) -> tuple[Stage, ...]:
    """The stages of all ways together; `stopped` when a Stop for everybody stands before them."""
    stages = () if stopped else stop_stages(way.server for way in ways if way.stops)
    taking: dict[tuple[Transition, State], list[Way]] = {phase: [] for phase in DOWN + UP}
    for way in ways:
        for phase in way.calls:
            taking[phase].append(way)
    for (call, source), those in taking.items():
        stages += stages_of(call, source, [way.server for way in those], _why(call, source, those))
    return stages


def _why(call: Transition, source: State, ways: Sequence[Way]) -> str:
    """What servers begin to go down for, each reason once; with names where it is not everybody's."""
    names: dict[str, list[str]] = {}
    for way in ways:
        for why in way.whys if (call, source) == way.calls[0] else ():
            names.setdefault(why, []).append(way.server.name)
    return " ".join(why if len(who) == len(ways) else f"{', '.join(who)}: {why}" for why, who in names.items())


def way_reasons(ways: Iterable[Way]) -> list[str]:
    """Servers whose way needs a configuration, and that have none."""
    bare = (way.server.name for way in ways if way.makes(*FORWARD) and not way.server.configured)
    return [f"{name}: no configuration is chosen for it (Setup page)." for name in bare]
