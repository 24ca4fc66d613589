"""Stages: who gets which call at the same time, in the order of boards."""

from collections.abc import Iterable
from dataclasses import dataclass

from attpcdaq.runcontrol.planning.facts import ServerFacts
from get_protocol.state_machine import TABLE, State, Transition

# The way up; each reads its part of the configuration (facts 1.3).
FORWARD = (Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE)
# Where the order of boards matters (domain: the order of boards); everywhere else they go together.
MUTANT_FIRST = frozenset({Transition.PREPARE, Transition.STOP})
MUTANT_LAST = frozenset({Transition.CONFIGURE, Transition.START})


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


def stages_of(
    transition: Transition, source: State, servers: Iterable[ServerFacts], why: str = ""
) -> tuple[Stage, ...]:
    """`transition` from `source` for all of them: MuTAnT first or last, or together with the CoBos named first."""
    known = tuple(servers)
    cobos = tuple(server.name for server in known if not server.has_mutant)
    mutant = tuple(server.name for server in known if server.has_mutant)
    groups = [cobos + mutant]
    if transition in MUTANT_FIRST:
        groups = [mutant, cobos]
    elif transition in MUTANT_LAST:
        groups = [cobos, mutant]
    return tuple(Stage(transition, group, TABLE[transition][source], why) for group in groups if group)


def stop_stages(servers: Iterable[ServerFacts], why: str = "") -> tuple[Stage, ...]:
    """A Stop for all of them, whatever is believed of their states."""
    return stages_of(Transition.STOP, State.RUNNING, servers, why)
