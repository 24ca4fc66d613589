"""For how long an operation may take before it is given up."""

from collections.abc import Mapping

from get_protocol.state_machine import Transition

# Seconds, where a server has no limits of its own; generous beside facts 2.3, since real boards are slower.
LIMITS: dict[Transition, float] = {
    Transition.DESCRIBE: 30.0,
    Transition.PREPARE: 60.0,
    Transition.CONFIGURE: 120.0,
    Transition.START: 30.0,
    Transition.STOP: 30.0,
    Transition.BREAKUP: 30.0,
    Transition.UNDO: 30.0,
}


def limit_of(transition: int, own: Mapping[str, float]) -> float:
    """Seconds that `transition` may take on a server; `own` are its limits by the transition's name, small letters."""
    known = Transition(transition)
    return float(own.get(known.name.lower(), LIMITS[known]))
