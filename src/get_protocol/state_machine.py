"""The ECC server's state machine as one table (facts 2.1)."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class State(IntEnum):
    """State numbers on the wire; OFF from a live server means wedged (facts 2.4)."""

    OFF = 0
    IDLE = 1
    DESCRIBED = 2
    PREPARED = 3
    READY = 4
    RUNNING = 5
    PAUSED = 6


class Transition(IntEnum):
    """Transition numbers on the wire; also the ErrorCode of a failed transition (facts 1.4)."""

    NONE = 0
    DESCRIBE = 1
    PREPARE = 2
    CONFIGURE = 3
    START = 4
    STOP = 5
    PAUSE = 6
    RESUME = 7
    BREAKUP = 8
    UNDO = 9


def _row(row: dict[State, State]) -> Mapping[State, State]:
    return MappingProxyType(row)


TABLE: Mapping[Transition, Mapping[State, State]] = MappingProxyType(
    {
        Transition.NONE: _row({}),
        Transition.DESCRIBE: _row({State.IDLE: State.DESCRIBED}),
        Transition.PREPARE: _row({State.DESCRIBED: State.PREPARED}),
        Transition.CONFIGURE: _row({State.PREPARED: State.READY}),
        Transition.START: _row({State.READY: State.RUNNING}),
        Transition.STOP: _row({State.RUNNING: State.READY, State.PAUSED: State.READY}),
        Transition.PAUSE: _row({State.RUNNING: State.PAUSED}),
        Transition.RESUME: _row({State.PAUSED: State.RUNNING}),
        Transition.BREAKUP: _row(
            {
                State.READY: State.PREPARED,
                State.RUNNING: State.PREPARED,
                State.PAUSED: State.PREPARED,
            }
        ),
        Transition.UNDO: _row({State.PREPARED: State.DESCRIBED, State.DESCRIBED: State.IDLE}),
    }
)

KILLS_SERVER: frozenset[Transition] = frozenset({Transition.RESUME})
"""Legal in the table, but the real server crashes on it (facts 1.5)."""


def target(state: State, transition: Transition) -> State | None:
    """State that `transition` leads to, or None where the server ignores it (facts 2.2)."""
    return TABLE[transition].get(state)


def sources(transition: Transition) -> frozenset[State]:
    """States in which `transition` does something."""
    return frozenset(TABLE[transition])
