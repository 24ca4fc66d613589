"""The table of facts 2.1, written here once more by hand."""

import itertools

import pytest

from get_protocol.state_machine import KILLS_SERVER, TABLE, State, Transition, sources, target

LEGAL = {
    ("DESCRIBE", 1): 2,
    ("PREPARE", 2): 3,
    ("CONFIGURE", 3): 4,
    ("START", 4): 5,
    ("STOP", 5): 4,
    ("STOP", 6): 4,
    ("PAUSE", 5): 6,
    ("RESUME", 6): 5,
    ("BREAKUP", 4): 3,
    ("BREAKUP", 5): 3,
    ("BREAKUP", 6): 3,
    ("UNDO", 3): 2,
    ("UNDO", 2): 1,
}


@pytest.mark.parametrize(("transition", "state"), list(itertools.product(Transition, State)))
def test_target(transition: Transition, state: State) -> None:
    expected = LEGAL.get((transition.name, state.value))
    assert target(state, transition) == expected
    assert (state in sources(transition)) == (expected is not None)


def test_numbers_on_the_wire() -> None:
    assert [state.name for state in State] == ["OFF", "IDLE", "DESCRIBED", "PREPARED", "READY", "RUNNING", "PAUSED"]
    names = "NONE DESCRIBE PREPARE CONFIGURE START STOP PAUSE RESUME BREAKUP UNDO"
    assert [transition.name for transition in Transition] == names.split()
    assert [state.value for state in State] == list(range(7))
    assert [transition.value for transition in Transition] == list(range(10))


def test_nothing_leads_out_of_wedged() -> None:
    assert all(target(State.OFF, transition) is None for transition in Transition)


def test_only_resume_kills_the_server() -> None:
    assert frozenset({Transition.RESUME}) == KILLS_SERVER


def test_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TABLE[Transition.START][State.IDLE] = State.RUNNING
