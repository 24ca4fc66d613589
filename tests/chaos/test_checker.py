"""The checker itself: every rule complains when it is broken, and only then."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from get_protocol.state_machine import Transition
from get_simulator.journal import Entry
from tests.chaos.checker import KINDS, Finding, check
from tests.chaos.ecc_port import Begun, Sent
from tests.chaos.evidence import CommandRow, Evidence, Look, Outage, RunRow, StepRow
from tests.chaos.router import Stored
from tests.chaos.truth import Place, Spell, give_frames, spells_of

BOARD, SERVER, ROUTER, NODE = "CoBo[0]", "ecc-cobo0", "router-cobo0", "node-cobo0"
DIRECTORY = "e20009/run_0001"
FILE = "CoBo0_AsAd0_2026-11-22T12:00:11.000_0000.graw"
RUN = RunRow(
    pk=1,
    number=1,
    state="closed",
    verdict="",
    directory=DIRECTORY,
    requested=10.0,
    started=11.0,
    stopped=20.0,
    closed=22.0,
    over=20.2,
    boards={BOARD: SERVER},
    adopted=False,
    files=frozenset({(NODE, f"/staging/{DIRECTORY}/{FILE}")}),
)
BEGUN = Begun(10.1, "a", 25.0)
STEP = StepRow(SERVER, 4, "confirmed", 10.5, 10.9)
START = CommandRow("a", "start", "done", 10.0, 15.0, 11.0, 0, (STEP,), whole=True)
STOP = CommandRow("b", "stop", "done", 19.0, 60.0, 21.0, 0, (), whole=True)


def spell(on: float = 10.6, off: float | None = 19.5, frames: Sequence[float] = (12.0, 19.0)) -> Spell:
    return Spell(BOARD, on, off, [Stored(at, number, FILE) for number, at in enumerate(frames)])


def evidence(**more: Any) -> Evidence:
    """A run as it should be, with what a test changes."""
    good = Evidence(
        began=9.0,
        ended=40.0,
        runs=[RUN],
        commands=[START, STOP],
        known_numbers={},
        journal=[],
        spells=[spell()],
        places={number: [Place(NODE, f"/staging/{DIRECTORY}", FILE)] for number in range(2)},
        calls=[Sent(10.5, SERVER, Transition.START, BEGUN, None)],
        looks=[Look(12.5, "ok", "", {}, {}, {}, "running", alarmed=False)],
        outages=[],
        router_of={BOARD: ROUTER},
        node_of={SERVER: NODE, ROUTER: NODE},
    )
    return replace(good, **more)


def kinds(found: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(finding.kind, finding.rule) for finding in found}


def look(at: float, *, run: str | None = None, alarmed: bool = False) -> Look:
    return Look(at, "bad" if alarmed else "ok", "", {}, {}, {}, run, alarmed=alarmed)


def test_a_good_run_is_left_in_peace() -> None:
    assert check(evidence()) == []


def test_a_board_belongs_to_the_later_of_two_runs_that_touch() -> None:
    """After a step of the clock a run may seem to be closed a moment after the next one began."""
    directory = "e20009/run_0002"
    times = {"requested": 22.0, "started": 23.0, "stopped": 30.0, "closed": 32.0, "over": 30.2}
    files = frozenset({(NODE, f"/staging/{directory}/{FILE}")})
    second = replace(RUN, pk=2, number=2, directory=directory, files=files, **times)
    later = Spell(BOARD, 22.1, 29.5, [Stored(25.0, 7, FILE)])
    places = {**evidence().places, 7: [Place(NODE, f"/staging/{directory}", FILE)]}
    runs = [replace(RUN, closed=22.2), second]
    stepped = {"commands": [], "clock_stepped": True}
    assert check(evidence(runs=runs, spells=[spell(), later], places=places, **stepped)) == []


BROKEN: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "recorded as running, and no board ran": (("false", "started"), {"spells": [], "places": {}}),
    "one board began long after": (("false", "started"), {"spells": [spell(on=15.0, frames=(19.0,))]}),
    "over, and the board still sends": (("false", "stopped"), {"spells": [spell(off=None, frames=(12.0, 30.0))]}),
    "all is well on the page, and no data come": (
        ("false", "no data"),
        {"spells": [spell(off=60.0, frames=(12.0,))], "looks": [look(39.0, run="running")], "runs": [
            replace(RUN, state="running", stopped=None, closed=None)
        ]},
    ),
    "names a file that is not there": (
        ("false", "files"),
        {"runs": [replace(RUN, files=RUN.files | {(NODE, f"/staging/{DIRECTORY}/other.graw")})]},
    ),
    "frames in another run's directory": (
        ("false", "frames"),
        {"places": {number: [Place(NODE, "/staging/e20009/run_0002", FILE)] for number in range(2)}},
    ),
    "recorded as failed, and a board ran": (("lost", "failed"), {"runs": [replace(RUN, state="failed", started=None)]}),
    "a file that the run does not know": (("lost", "files"), {"runs": [replace(RUN, files=frozenset())]}),
    "frames that are gone": (("lost", "frames"), {"places": {}}),
    "frames left in staging without a word": (
        ("lost", "frames"),
        {"places": {number: [Place(NODE, "/staging", FILE)] for number in range(2)}},
    ),
    "frames left in staging with a word about another board": (
        ("lost", "frames"),
        {"places": {number: [Place(NODE, "/staging", FILE)] for number in range(2)},
         "runs": [replace(RUN, verdict="router-cobo1: no route to host")]},
    ),
    "data without a run and without an alarm": (
        ("lost", "no alarm"),
        {"runs": [], "spells": [spell(on=10.6, off=39.0)], "places": {n: [Place(NODE, "/s", FILE)] for n in (0, 1)},
         "looks": [look(30.0)]},
    ),
    "a frame in two places": (
        ("duplicate", "frames"),
        {"places": {n: [Place(NODE, f"/staging/{DIRECTORY}", FILE), Place(NODE, "/staging", FILE)] for n in (0, 1)}},
    ),
    "a number that another run had": (("duplicate", "number"), {"known_numbers": {1: 7}}),
    "a number that came before": (("duplicate", "number"), {"known_numbers": {9: 0}}),
    "two runs at once": (("duplicate", "two runs"), {"runs": [RUN, replace(RUN, pk=2, number=2, requested=15.0)]}),
    "two runs in the same moment": (("duplicate", "two runs"), {"runs": [RUN, replace(RUN, pk=2, number=2)]}),
    "two runs that overlap": (("duplicate", "two runs"), {"runs": [RUN, replace(RUN, pk=2, number=2, requested=21.5)]}),
    "begun after it expired": (
        ("late", "expired"),
        {"calls": [Sent(40.5, SERVER, Transition.START, Begun(40.0, "a", 25.0), None)]},
    ),
    "begun again after it expired": (
        ("late", "expired"),
        {"calls": [Sent(10.5, SERVER, Transition.START, BEGUN, None),
                   Sent(40.5, SERVER, Transition.START, Begun(40.0, "a", 25.0), None)]},
    ),
    "sent after it was over": (("late", "over"), {"calls": [Sent(13.0, SERVER, Transition.START, BEGUN, None)]}),
    "sent after a Stop": (
        ("late", "after a Stop"),
        {"commands": [replace(START, finished=None, state="running"), replace(STOP, requested=12.0, finished=25.0)],
         "calls": [Sent(16.0, SERVER, Transition.START, BEGUN, None)]},
    ),
    "a call to a server that is busy with ours": (
        ("late", "two calls"),
        {"journal": [Entry(1, 10.8, "busy", SERVER, {"operation": "Start"})],
         "calls": [Sent(at, SERVER, Transition.START, BEGUN, None) for at in (10.5, 10.8)]},
    ),
    "a mess that no click led out of": (("stuck", "no way out"), {"problems": ["six clicks"]}),
    "a run on its way for ever": (
        ("stuck", "run"),
        {"runs": [replace(RUN, state="stopping", stopped=None, closed=None)]},
    ),
    "a command on its way for ever": (("stuck", "command"), {"commands": [replace(START, state="running")]}),
    "a step on its way for ever": (
        ("stuck", "step"),
        {"commands": [replace(START, steps=(replace(STEP, state="sent"),))]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_made_to_happen_is_reported(case: str) -> None:
    expected, change = BROKEN[case]
    assert expected in kinds(check(evidence(**change)))


def test_every_kind_has_a_case() -> None:
    assert {kind for (kind, _), _ in BROKEN.values()} == set(KINDS)


@pytest.mark.parametrize("name", [BOARD, SERVER, ROUTER, NODE])
def test_a_verdict_that_names_the_board_excuses_it(name: str) -> None:
    run = replace(RUN, verdict=f"Not seen stopped: {name}.")
    assert check(evidence(runs=[run], spells=[spell(off=None, frames=(12.0, 30.0))])) == []


def test_an_alarm_in_time_is_enough() -> None:
    loose = {"runs": [], "spells": [spell(on=10.6, off=39.0)], "places": {n: [Place(NODE, "/s", FILE)] for n in (0, 1)}}
    assert check(evidence(**loose, looks=[look(15.0), look(30.0, alarmed=True)])) == []
    away = [Outage("monitor", 14.0, 25.0)]
    assert check(evidence(**loose, looks=[look(30.0)], outages=away)) == []


def test_a_frame_that_came_after_its_run_was_closed_is_a_stray() -> None:
    run = replace(RUN, files=frozenset(), verdict="")
    strays = {number: [Place(NODE, "/staging/_stray/2026", FILE)] for number in range(2)}
    frames = spell(frames=(22.5, 23.0))
    found = check(evidence(runs=[replace(run, over=23.0)], spells=[frames], places=strays))
    assert found == []


def test_an_adopted_run_has_the_data_that_came_before_it() -> None:
    run = replace(RUN, adopted=True, requested=14.0, started=10.7)
    assert check(evidence(runs=[run], looks=[look(12.5, alarmed=True)], calls=[])) == []


def test_a_board_that_died_before_its_run_was_adopted_belongs_to_it() -> None:
    run = replace(RUN, adopted=True, requested=18.0, started=10.7)
    quiet = {"looks": [], "calls": []}
    assert check(evidence(runs=[run], spells=[spell(off=14.0, frames=(12.0, 13.9))], **quiet)) == []


def test_a_call_of_a_revived_command_is_in_time() -> None:
    late = [Sent(30.5, SERVER, Transition.START, Begun(30.0, "a", 44.0), None)]
    command = replace(START, finished=31.0, revivals=1)
    assert check(evidence(calls=late, commands=[command])) == []


def test_a_stepped_clock_excuses_five_seconds() -> None:
    late = {"calls": [Sent(28.5, SERVER, Transition.START, Begun(28.0, "a", 25.0), None)]}
    over = [replace(START, finished=29.0), STOP]
    assert ("late", "expired") in kinds(check(evidence(**late, commands=over)))
    assert check(evidence(**late, commands=over, clock_stepped=True)) == []


def test_spells_are_put_together_from_the_journal() -> None:
    did = [(1.0, "started"), (5.0, "stopped"), (6.0, "started")]
    journal = [Entry(n, at, "board", BOARD, {"did": what}) for n, (at, what) in enumerate(did)]
    spells = spells_of(journal, 9.0)
    assert [(one.on, one.off) for one in spells] == [(1.0, 5.0), (6.0, None)]
    give_frames(spells, {1: (BOARD, 2.0), 2: (BOARD, 5.5), 3: (BOARD, 7.0)}, [Stored(8.0, n, FILE) for n in (1, 2, 3)])
    assert [len(one.frames) for one in spells] == [2, 1]  # late frames belong to the spell before
