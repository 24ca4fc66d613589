"""The checker of the real services: every rule complains when it is broken, and only then."""

from typing import Any

import pytest

from tests.chaos.real_check import Found, Rows, compare

BOARD, SERVER = "CoBo[0]", "ecc-cobo0"
RUN = {
    "experiment": "demo",
    "number": 1,
    "state": "closed",
    "verdict": "",
    "adopted": False,
    "asked": 10.0,
    "began": 11.0,
    "ended": 20.0,
}
START = {"id": "a", "action": "start", "state": "done", "asked": 10.0, "until": 25.0}
STOP = {"id": "b", "action": "stop", "state": "done", "asked": 19.0, "until": 79.0}
STEPS = [
    {"command_id": "a", "server_name": SERVER, "transition": 4, "state": "confirmed"},
    {"command_id": "b", "server_name": SERVER, "transition": 5, "state": "confirmed"},
]


def call(at: float, operation: str) -> dict[str, Any]:
    return {"kind": "call", "subject": SERVER, "at": at, "operation": operation}


def board(at: float, did: str) -> dict[str, Any]:
    return {"kind": "board", "subject": BOARD, "at": at, "did": did}


JOURNAL = [call(10.5, "Start"), board(10.8, "started"), call(19.2, "Stop"), board(19.5, "stopped")]
LOOSE = [board(40.0, "started"), board(50.0, "stopped")]


def found(runs=(RUN,), commands=(START, STOP), steps=tuple(STEPS), journal=tuple(JOURNAL), boards=1) -> Found:
    return compare(Rows(runs, commands, steps), journal, boards)


def test_a_good_run_is_left_in_peace() -> None:
    good = found()
    assert good.all() == []
    assert (good.runs, good.calls) == (1, 2)


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "recorded as running with a board that never ran": ("false", {"boards": 2}),
    "closed without a start and without a word": ("false", {"runs": [{**RUN, "began": None}]}),
    "a board that ran for nobody": ("lost", {"journal": [*JOURNAL, *LOOSE]}),
    "a board that runs on after its run": ("lost", {"journal": JOURNAL[:3]}),
    "a run recorded as failed of which a board ran": ("lost", {"runs": [{**RUN, "state": "failed", "began": None}]}),
    "a number used twice": ("duplicate", {"runs": [RUN, RUN]}),
    "a call that nobody asked for": ("late", {"journal": [*JOURNAL, call(30.0, "Breakup")]}),
    "a call after its command expired": ("late", {"commands": [{**START, "until": 10.2}, STOP]}),
    "a command left under way": ("stuck", {"commands": [START, {**STOP, "state": "running"}]}),
    "a step left under way": ("stuck", {"steps": [STEPS[0], {**STEPS[1], "state": "sent"}]}),
    "a run left under way": ("stuck", {"runs": [{**RUN, "state": "stopping", "ended": None}]}),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_made_to_happen_is_reported(case: str) -> None:
    kind, change = BROKEN[case]
    assert kind in {text.split(":")[0] for text in found(**change).all()}
