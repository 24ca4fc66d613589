"""One drawing for all who see the same, figures in the beat, and nothing of one viewer on another's page."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attpcdaq.live import store
from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol.models import Exclusion
from attpcdaq.runcontrol.seeing.sharing import Key
from attpcdaq.runlog.models import Run
from attpcdaq.testing.builders import Detector, build_detector
from attpcdaq.web import event_feed
from attpcdaq.web.partials import PANELS
from attpcdaq.web.shared_panels import SECONDS, SharedPanels
from get_protocol.state_machine import State
from tests.web import drawn
from tests.web.page import Page
from tests.web.people import browser, expert, observer, operator
from tests.web.seen import open_run, see, see_data
from tests.web.situations import situations

ALL = ",".join(PANELS)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.django_db(transaction=True)
class TestDrawnOnce:
    def drawn(self, shared: SharedPanels, viewer: str = "a", token: str = "t") -> tuple[str, int]:
        """The HTML, and how often the status was read for it."""
        read: list[int] = []

        def context(events: Key) -> dict[str, Any]:
            read.append(1)
            return {"status": {"events": []}}

        panels, _ = shared.html(lambda: (viewer,), [PANELS["events"]], context, token)
        return panels["events"], len(read)

    def test_who_sees_the_same_gets_the_same_drawing(self) -> None:
        store.add_event("run", "")
        clock = Clock()
        shared = SharedPanels(clock)
        first, read = self.drawn(shared)
        assert read == 1
        assert self.drawn(shared) == (first, 0)
        assert self.drawn(shared, viewer="b") == (first, 1)
        clock.now += SECONDS + 0.1
        assert self.drawn(shared) == (first, 1)

    def test_what_happened_since_is_never_missing(self) -> None:
        store.add_event("run", "")
        shared = SharedPanels(Clock())
        self.drawn(shared)
        store.add_event("ecc", "")
        assert self.drawn(shared)[1] == 1

    def test_who_comes_to_be_in_charge_while_somebody_is_drawn_for_gets_his_own(self) -> None:
        store.add_event("run", "")
        shared = SharedPanels(Clock())

        def overtaken() -> tuple[str]:
            """Seen as `a`; a moment later the other one is `a`."""
            store.add_event("control", "")
            return ("a",)

        shared.html(overtaken, [PANELS["events"]], lambda events: {"status": {"events": []}}, "t")
        assert self.drawn(shared)[1] == 1

    def test_without_any_event_nothing_is_kept(self) -> None:
        shared = SharedPanels(Clock())
        assert [self.drawn(shared)[1] for _ in range(2)] == [1, 1]


@pytest.mark.django_db
class TestWhoseItIs:
    def test_a_panel_is_the_same_on_the_page_and_fetched_alone(self) -> None:
        detector = build_detector(cobos=2)
        for client in (browser(expert()), browser(operator()), browser(observer())):
            # Seen anew: on a slow machine it would be too old meanwhile.
            see(detector, State.READY)
            whole = Page.of(_same(client.get("/").content))
            see(detector, State.READY)
            alone = Page.of(_same(client.get(f"/partials/status?panels={ALL}").content))
            for name in PANELS:
                path = f"//*[@data-panel='{name}']"
                assert alone.one(path).text() == whole.one(path).text(), name

    def test_a_form_carries_the_token_of_whoever_asks(self) -> None:
        see(build_detector(cobos=1), State.READY)
        client = browser(operator())
        page = Page.of(client.get("/partials/status?panels=run").content)
        token = page.one("//input[@name='csrfmiddlewaretoken']").get("value") or ""
        assert re.fullmatch(r"[A-Za-z0-9]{64}", token)
        client.handler.enforce_csrf_checks = True
        sent = {"csrfmiddlewaretoken": token, "confirm": "true"}
        assert client.post("/actions/stop", sent, headers={"HX-Request": "true"}).status_code == 202


def _same(content: bytes) -> bytes:
    """Without what differs from one look to the next."""
    return re.sub(rb"\d+ s\b", b"0 s", content)


@pytest.fixture
def running(db: None) -> Detector:
    detector = build_detector(cobos=2)
    open_run()
    see(detector, State.RUNNING)
    see_data(detector, 123_456_789, event=4242)
    return detector


class TestFigures:
    def beat(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(event_feed.beat().data)
        return said

    def test_the_beat_says_what_stands_on_the_page(self, running: Detector) -> None:
        page = Page.of(browser(operator()).get("/").content)
        shown = {part.get("data-figure"): part.text() for part in page.all("//*[@data-figure]")}
        said = self.beat()["figures"]
        assert len(shown) >= 3 * 5 + 1
        assert {key: said[key] for key in shown if key} == shown
        assert shown["flow"] == "3 of 3 data routers write 370 MB/s, event 4242"

    def test_who_is_excluded_does_not_count(self, running: Detector) -> None:
        Exclusion.objects.create(ecc_server=running.ecc_servers[0], reason="HV", by="kim", at=timezone.now())
        assert self.beat()["figures"]["flow"].startswith("2 of 2 data routers write 247 MB/s")

    def test_it_names_who_has_fallen_silent(self, running: Detector) -> None:
        assert self.beat()["quiet"] == []
        build_detector_row = running.data_routers[1]
        later = timezone.now() + timedelta(seconds=7)
        said = json.loads(event_feed.beat(later).data)
        assert build_detector_row.pk in said["quiet"]
        assert said["figures"]["rate"] == "0 B/s"

    def test_the_page_says_for_whom_it_was_drawn_as_silent(self, running: Detector) -> None:
        row = RouterState.objects.get(data_router=running.data_routers[1])
        row.grew_at = timezone.now() - timedelta(seconds=7)
        row.save()
        Run.objects.update(started_at=timezone.now() - timedelta(seconds=8))
        page = Page.of(browser(operator()).get("/").content)
        assert page.id("overall").get("data-quiet") == str(row.pk)
        assert self.beat()["quiet"] == [row.pk]

    def test_without_a_run_nobody_is_silent(self, running: Detector) -> None:
        Run.objects.update(state="closed")
        assert json.loads(event_feed.beat(timezone.now() + timedelta(seconds=60)).data)["quiet"] == []


@pytest.mark.parametrize(
    ("situation", "seconds"), [("idle", "10"), ("running", "10"), ("under-way", "3"), ("no-data", "3"), ("wedged", "3")]
)
@pytest.mark.django_db
def test_a_page_looks_again_sooner_while_something_is_under_way_or_wrong(situation: str, seconds: str) -> None:
    page = Page.of(drawn.drawn(situations()[situation], expert()).encode())
    assert page.id("overall").get("data-every") == seconds


MOST_QUERIES = 12


@pytest.mark.django_db(transaction=True)
def test_a_page_asked_for_in_the_same_moment_is_put_together_from_what_was_drawn() -> None:
    see(build_detector(cobos=10), State.READY)
    client, other = browser(operator()), browser(operator("pat"))
    client.get("/")
    with CaptureQueriesContext(connection) as asked:
        page = other.get("/")
    assert page.status_code == 200
    assert len(asked) <= MOST_QUERIES, [query["sql"][:120] for query in asked]
