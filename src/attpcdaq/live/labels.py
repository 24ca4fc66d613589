"""Words for states: one place, used by pages, API and events."""

from datetime import datetime, timedelta

from get_protocol.state_machine import State, Transition, target

# An answer older than this says nothing about now: the state is unknown (domain: states of ours).
ECC_TOO_OLD = timedelta(seconds=5)
ROUTER_TOO_OLD = timedelta(seconds=10)
UNKNOWN = "unknown"
WEDGED = "wedged"


def state_word(state: int | None) -> str:
    """Lower-case word of a state number; `unknown` for None, `wedged` for 0 from a live server."""
    if state is None:
        return UNKNOWN
    return WEDGED if state == State.OFF else State(state).name.lower()


def state_label(state: int | None) -> str:
    """The word as shown to the crew."""
    return state_word(state).capitalize()


def transition_label(transition: int) -> str:
    """Name of a transition as on its button."""
    return Transition(transition).name.capitalize()


def going_to(state: int | None, transition: int) -> str:
    """Label of the state which a transition under way leads to; empty when there is none."""
    if state is None or transition == Transition.NONE:
        return ""
    reached = target(State(state), Transition(transition))
    return "" if reached is None else state_label(reached)


def age_seconds(seen_at: datetime | None, now: datetime) -> float | None:
    """Seconds since `seen_at`; None when never seen. A clock that stepped back gives 0."""
    return None if seen_at is None else max((now - seen_at).total_seconds(), 0.0)
