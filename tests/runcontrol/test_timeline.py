"""How a run was operated: phases, commands with their calls, restarts."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attpcdaq.runcontrol.models import Command, Restart, Step
from attpcdaq.runcontrol.seeing.timeline import timeline
from attpcdaq.runlog.models import Manifest, Run, RunState
from get_protocol.state_machine import Transition
from tests.runlog.rows import NOON, make_experiment, make_run

pytestmark = pytest.mark.django_db


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def run() -> Run:
    """Asked for at 0 s, running from 4 s, stopped at 604 s, closed at 610 s."""
    times = {"requested_at": at(0), "started_at": at(4), "stopped_at": at(604), "closed_at": at(610)}
    return make_run(make_experiment(), 1, **times)


def command(run: Run | None, action: str, begin: float, end: float | None, **fields: Any) -> Command:
    given = {"state": "done", "requested_by": "kim"} | fields
    times = {"requested_at": at(begin), "expires_at": at(begin + 15), "published_at": at(begin)}
    return Command.objects.create(run=run, action=action, finished_at=end and at(end), **times, **given)


def step(
    order: Command, server: str, transition: Transition, begin: float | None, end: float | None, **more: Any
) -> None:
    times = {"sent_at": None if begin is None else at(begin), "finished_at": None if end is None else at(end)}
    Step.objects.create(command=order, server_name=server, transition=transition, **({"stage": 0} | times | more))


def phases(run: Run, now: float) -> list[tuple[str, float | None]]:
    return [(each.name, each.seconds) for each in timeline(run, at(now)).phases]


def test_a_run_from_its_request_to_its_proof(run: Run) -> None:
    command(run, "start", 0, 4)
    command(run, "stop", 600, 605)
    Manifest.objects.create(run=run, verdict="complete", asked_at=at(611), made_at=at(618))
    found = timeline(Run.objects.select_related("manifest").get(), at(9999))
    assert [(each.name, each.seconds) for each in found.phases] == [
        ("Starting", 4), ("Running", 596), ("Stopping", 4), ("Moving files", 6), ("Checking files", 7),
    ]  # fmt: skip
    assert (found.begin, found.end) == (at(0), at(610))
    assert [(each.label, each.seconds, each.by) for each in found.orders] == [("Start", 4, "kim"), ("Stop", 5, "kim")]


def test_while_it_runs_the_phase_has_no_end_and_the_timeline_ends_now(run: Run) -> None:
    Run.objects.update(state=RunState.RUNNING, stopped_at=None, closed_at=None)
    run.refresh_from_db()
    assert phases(run, 100) == [("Starting", 4), ("Running", None)]
    assert timeline(run, at(100)).end == at(100)
    command(run, "stop", 90, None, state="running")
    assert phases(run, 100) == [("Starting", 4), ("Running", 86), ("Stopping", None)]


def test_a_run_whose_files_are_moved_goes_on_until_now(run: Run) -> None:
    Run.objects.update(state=RunState.CLOSING, closed_at=None)
    run.refresh_from_db()
    found = timeline(run, at(607))
    assert found.end == at(607)
    assert (found.phases[-1].name, found.phases[-1].begin < found.end) == ("Moving files", True)


def test_a_run_whose_boards_stopped_by_themselves_has_no_stopping(run: Run) -> None:
    assert phases(run, 9999) == [("Starting", 4), ("Running", 600), ("Moving files", 6)]


def test_a_run_that_never_ran(run: Run) -> None:
    Run.objects.update(state=RunState.FAILED, started_at=None, stopped_at=None, closed_at=at(9))
    run.refresh_from_db()
    command(run, "start", 0, 12, state="failed", message="ecc-cobo1 refused.")
    found = timeline(run, at(9999))
    assert [(each.name, each.seconds) for each in found.phases] == [("Starting", 9)]
    assert found.end == at(12), "the command still stopped the boards that ran"
    assert found.orders[0].ended_badly


def test_calls_with_their_times_and_the_ones_never_made(run: Run) -> None:
    order = command(run, "start", 0, 4)
    step(order, "ecc-cobo0", Transition.START, 0.5, 2, state="confirmed")
    step(order, "ecc-mutant", Transition.START, None, 3, stage=1, state="skipped", message="not reached")
    calls = timeline(run, at(700)).orders[0].calls
    assert [(c.stage, c.server, c.transition, c.state, c.seconds) for c in calls] == [
        (0, "ecc-cobo0", "Start", "confirmed", 1.5),
        (1, "ecc-mutant", "Start", "skipped", None),
    ]


def test_a_clock_that_stepped_back_makes_no_negative_time(run: Run) -> None:
    step(command(run, "start", 0, -1), "ecc-cobo0", Transition.START, 2, 1, state="confirmed")
    (order,) = timeline(run, at(700)).orders
    assert (order.seconds, order.calls[0].seconds) == (0, 0)


def test_what_was_asked_of_single_servers_meanwhile_is_there_and_nothing_of_other_times(run: Run) -> None:
    command(None, "start", 100, 102, targets=["ecc-cobo1"])
    command(None, "go_ready", -50, -40)
    command(None, "go_idle", 700, 710)
    for when in (200, 5000):
        Restart.objects.create(
            subject="ecc-cobo1", node="node-cobo1", command="x", state="done", requested_by="sam",
            requested_at=at(when), expires_at=at(when), finished_at=at(when + 3),
        )  # fmt: skip
    found = timeline(run, at(9999))
    assert [each.label for each in found.orders] == ["Start of ecc-cobo1", "Restart of ecc-cobo1"]
    assert [each.kind for each in found.orders] == ["start", "restart"]


def test_it_asks_as_much_of_many_commands_as_of_one(run: Run) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            timeline(run, at(9999))
        return len(queries)

    step(command(run, "start", 0, 4), "ecc-cobo0", Transition.START, 0, 1)
    assert asked() == 4, "commands, their steps, restarts, and once whether the files were checked"
    few = asked()
    for number in range(20):
        for name in ("a", "b", "c"):
            step(command(run, "start", number, 30), name, Transition.START, 1, 2)
    assert asked() == few
