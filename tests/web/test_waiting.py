"""Nothing is waited for without saying how much is done, since when, and until when; only what hurts is asked about."""

from dataclasses import replace
from datetime import timedelta

import pytest

from attpcdaq.runcontrol.seeing.views import ActionView, Snapshot, StepView
from attpcdaq.testing.builders import build_detector
from attpcdaq.web.waiting import waiting
from get_protocol.state_machine import State
from tests.web import drawn
from tests.web.drawn import COBOS, NOW, draw
from tests.web.people import browser, operator
from tests.web.seen import open_run, see

pytestmark = pytest.mark.django_db


def under_way(**more: object) -> Snapshot:
    """A Configure in which four CoBos are done, six are called."""
    sent = NOW - timedelta(seconds=8)
    steps = tuple(
        StepView(0, name, "Configure", "confirmed", "")
        if number < 4
        else StepView(0, name, "Configure", "sent", "", sent, sent + timedelta(seconds=100 + number))
        for number, name in enumerate(COBOS)
    )
    command = drawn.command(state="running", message="", finished_at=None, retry=ActionView(allowed=False), steps=steps)
    return drawn.status("prepared", command=replace(command, **more))  # type: ignore[arg-type]


def test_a_command_shows_how_far_it_is_and_when_it_gives_up() -> None:
    page = draw(under_way(), operator())
    bar = page.one("//*[@id='overall']//progress")
    assert (bar.get("value"), bar.get("max")) == ("4", "10")
    words = page.one("//*[@id='overall']//*[@class='waiting']").text()
    assert "4 of 10 calls are done" in words
    # The latest of those that are under way.
    assert "by 04:01:41 at the latest" in words


def test_one_that_nobody_has_begun_says_when_it_is_too_late() -> None:
    found = waiting(under_way(state="queued", expires_at=NOW + timedelta(seconds=15)))
    assert found is not None
    assert (found.text, found.until) == ("Waiting for a worker to begin", NOW + timedelta(seconds=15))


def test_files_being_moved_are_counted_by_node() -> None:
    shown = drawn.status("ready", run=drawn.run(state="closing", stopped_at=NOW - timedelta(seconds=3)))
    routers = tuple(replace(router, clean=number < 5) for number, router in enumerate(shown.routers))
    found = waiting(replace(shown, routers=routers))
    assert found is not None
    assert (found.done, found.total, found.since) == (5, 11, NOW - timedelta(seconds=3))
    assert "5 of 11 nodes are done" in found.text


@pytest.mark.parametrize("state", ["idle", "ready", "running"])
def test_nothing_under_way_shows_no_bar(state: str) -> None:
    assert not draw(drawn.status(state), operator()).has("//progress")


@pytest.mark.parametrize(
    ("run_class", "state", "asked"),
    [("production", "running", True), ("production", "stopping", False), ("testing", "running", False)],
)
def test_only_stop_of_a_production_run_asks(run_class: str, state: str, asked: bool) -> None:
    page = draw(drawn.status("running", run=drawn.run(run_class=run_class, state=state)), operator())
    said = page.one("//*[@id='action-stop']").get("hx-confirm")
    assert said == ("Run 7 is a production run and takes data. Stop it?" if asked else None)
    assert page.one("//*[@id='action-start']").get("hx-confirm") is None


def test_stop_needs_no_agreement_of_whoever_has_no_scripts() -> None:
    detector = build_detector(cobos=1)
    open_run()
    see(detector, State.RUNNING)
    assert browser(operator()).post("/actions/stop", headers={"HX-Request": "true"}).status_code == 202
