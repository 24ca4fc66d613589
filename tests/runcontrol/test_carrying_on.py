"""Who goes on after a failure, in every kind of stage."""

import pytest

from attpcdaq.runcontrol.doing.carrying_on import taking_part
from attpcdaq.runcontrol.models import Step
from get_protocol.state_machine import Transition

T = Transition


def stage(transition: Transition, *names: str) -> list[Step]:
    return [Step(server_name=name, transition=transition) for name in names]


def names(stage_: list[Step], lost: list[Step], *, opens_run: bool = False) -> list[str]:
    taking = taking_part(stage_, lost, lambda step: step.server_name == "mutant", opens_run=opens_run)
    return [step.server_name for step in taking]


@pytest.mark.parametrize(
    ("now", "lost", "going"),
    [
        (stage(T.STOP, "cobo0", "cobo1"), stage(T.STOP, "mutant"), ["cobo0", "cobo1"]),
        (stage(T.BREAKUP, "cobo0", "mutant"), stage(T.STOP, "mutant"), []),
        (stage(T.BREAKUP, "cobo0", "cobo1"), stage(T.BREAKUP, "mutant"), ["cobo0", "cobo1"]),
        (stage(T.UNDO, "cobo0", "cobo1", "mutant"), stage(T.BREAKUP, "cobo0"), ["cobo1", "mutant"]),
        (stage(T.DESCRIBE, "cobo0", "cobo1"), stage(T.UNDO, "mutant"), []),
        (stage(T.PREPARE, "mutant"), stage(T.DESCRIBE, "cobo0"), ["mutant"]),
        (stage(T.PREPARE, "cobo0", "cobo1"), stage(T.DESCRIBE, "cobo0"), ["cobo1"]),
        (stage(T.PREPARE, "cobo0", "cobo1"), stage(T.PREPARE, "mutant"), []),
        (stage(T.PREPARE, "cobo0", "cobo1"), stage(T.DESCRIBE, "mutant"), []),
        (stage(T.CONFIGURE, "cobo0", "cobo1"), stage(T.PREPARE, "cobo0"), ["cobo1"]),
        (stage(T.CONFIGURE, "mutant"), stage(T.CONFIGURE, "cobo0"), []),
        (stage(T.START, "mutant"), stage(T.START, "cobo0"), []),
        (stage(T.CONFIGURE, "mutant"), [], ["mutant"]),
    ],
)
def test_others_carry_on_as_far_as_the_order_of_boards_allows(
    now: list[Step], lost: list[Step], going: list[str]
) -> None:
    assert names(now, lost) == going


@pytest.mark.parametrize("transition", [T.PREPARE, T.CONFIGURE, T.START])
def test_a_run_needs_everybody(transition: Transition) -> None:
    assert names(stage(transition, "cobo1", "mutant"), stage(T.DESCRIBE, "cobo0"), opens_run=True) == []
