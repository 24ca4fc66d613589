"""The wall: what is said there, and that it stays."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from attpcdaq.testing.builders import build_detector
from attpcdaq.web.wall import STAYS, least_disk, what_is_wrong
from get_protocol.state_machine import State
from tests.web import drawn
from tests.web.page import Page
from tests.web.people import browser, observer, operator
from tests.web.seen import open_run, see, see_data
from tests.web.situations import situations

pytestmark = pytest.mark.django_db


def test_a_run_with_its_figures() -> None:
    detector = build_detector(cobos=2)
    open_run()
    see(detector, State.RUNNING)
    see_data(detector, 123_456_789, event=4242)
    page = Page.of(browser(observer()).get("/wall/").content)
    text = page.id("wall").text()
    for words in ("Run 7", "0:01:30", ": 16O on alpha", "370 MB/s", "4242", "100 GB", "The disk will be full soon"):
        assert words in text
    assert page.id("wall").get("data-run") == "running"
    assert not page.has("//nav | //button[@formaction] | //*[@id='control']")


def test_without_a_run_it_says_for_how_long() -> None:
    see(build_detector(cobos=1), State.READY)
    open_run(state="closed", stopped_at=timezone.now() - timedelta(seconds=60))
    text = Page.of(browser(observer()).get("/wall/").content).id("wall").text()
    assert "No run for 0:01:0" in text
    assert "Last: run 7, Closed" in text


def test_it_says_when_the_monitor_was_last_at_work() -> None:
    client = browser(observer())
    assert "Monitor never" in Page.of(client.get("/wall/").content).id("wall").text()
    see(build_detector(cobos=1), State.READY, now=timezone.now() - timedelta(minutes=10))
    page = Page.of(client.get("/wall/").content)
    assert "Monitor 10 min ago" in page.id("wall").text()


def test_it_is_dark_unless_somebody_chose_otherwise() -> None:
    client = browser(observer())
    assert Page.of(client.get("/wall/").content).one("//html").get("data-theme") == "dark"
    client.post("/theme", {"theme": "light"})
    assert Page.of(client.get("/wall/").content).one("//html").get("data-theme") == "light"


def test_its_part_is_fetched_alone() -> None:
    page = Page.of(browser(observer()).get("/partials/wall?panels=wall").content)
    assert page.one("//*[@data-panel]").get("data-source") == "/partials/wall"


def test_nobody_need_log_in_there_every_day() -> None:
    client = browser(operator())
    assert "Stay logged in" in Page.of(client.get("/wall/").content).one("//footer").text()
    answer = client.post("/wall/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/wall/")
    until = timezone.now() + STAYS
    assert abs(client.session.get_expiry_age() - STAYS.total_seconds()) < 60
    assert f"until {until:%-d %b %Y}" in Page.of(client.get("/wall/").content).one("//footer").text()


def test_the_worst_comes_first_and_nothing_is_said_twice() -> None:
    assert what_is_wrong(situations()["wedged"])[0] == ("bad", "ecc-cobo4: its ECC server is wedged")
    assert what_is_wrong(situations()["excluded"]) == [("warn", "Excluded: ecc-cobo3")]
    assert what_is_wrong(situations()["running"]) == []


def test_what_only_the_overall_state_says_is_said() -> None:
    shown = situations()["failed"]
    assert ("bad", "Prepared: ecc-cobo3, ecc-mutant") in what_is_wrong(replace(shown, command=None))


def test_the_fullest_disk_counts() -> None:
    assert least_disk(drawn.status()) is None
