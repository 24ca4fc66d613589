"""The events page: searched, filtered, a page at a time; warnings and errors are acknowledged once, by somebody."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester
from attpcdaq.live.events import MOST_COUNTED, acknowledge, not_acknowledged
from attpcdaq.live.models import Event
from attpcdaq.live.store import add_event
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology.models import ECCServer
from attpcdaq.web.event_counts import unacknowledged
from tests.racing import race_of
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.web.page import Page
from tests.web.people import browser, observer, operator

pytestmark = pytest.mark.django_db


def happen(text: str, severity: str = "info", subject: str = "", topic: str = "ecc", at: datetime = NOON) -> Event:
    return add_event(topic, text, subject=subject, severity=severity, at=at)


def page(query: str = "", client: Client | None = None, status: int = 200) -> Page:
    answer = (client or browser(operator())).get(f"/log/{query}")
    assert answer.status_code == status
    return Page.of(answer.content)


def said(query: str = "") -> list[str]:
    """The words of the events that are shown."""
    return [part.text() for part in page(query).all("//tr[@data-event]/td[4]")]


class TestLooking:
    def test_newest_first_and_never_what_has_no_words(self) -> None:
        happen("first")
        add_event("router")
        happen("second")
        assert said() == ["second", "first"]

    def test_each_field_narrows(self) -> None:
        happen("Idle -> Described", subject="ecc-cobo3")
        happen("is not running", "error", "router-cobo3", "router", NOON + timedelta(days=1))
        happen("clock is off", "warning", "node-cobo3", "router", NOON + timedelta(days=2))
        assert said("?text=IDLE") == ["Idle -> Described"]
        assert said("?text=router-cobo3") == ["is not running"]
        assert said("?severity=warning") == ["clock is off", "is not running"]
        assert said("?severity=error") == ["is not running"]
        assert said("?topic=router") == ["clock is off", "is not running"]
        assert said("?subject=ecc-cobo3") == ["Idle -> Described"]
        assert said("?subject=ecc-cobo") == []
        day = (NOON + timedelta(days=1)).date()
        assert said(f"?since={day}&until={day}") == ["is not running"]
        assert said(f"?since={day}") == ["clock is off", "is not running"]
        assert said("?is_open=on") == ["clock is off", "is not running"]

    def test_a_run_is_its_time(self) -> None:
        run = make_run(make_experiment(), 12)
        run.requested_at, run.closed_at = NOON, NOON + timedelta(hours=1)
        run.save()
        happen("before", at=NOON - timedelta(seconds=1))
        happen("asked for", at=NOON)
        happen("closed", at=NOON + timedelta(hours=1))
        happen("after", at=NOON + timedelta(hours=1, seconds=1))
        assert said("?run=e20009/12") == ["closed", "asked for"]
        run.closed_at = None
        run.save()
        assert said("?run=e20009/12") == ["after", "closed", "asked for"]

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("?run=12", "Give a run as EXPERIMENT/NUMBER: e20009/12."),
            ("?run=e20009/x", "Give a run as EXPERIMENT/NUMBER: e20009/12."),
            ("?run=e20009/99", "99"),
            ("?run=nothing/1", "nothing"),
            ("?since=yesterday", "Give a day as 2026-11-22."),
            ("?since=2026-11-23&until=2026-11-22", "It must not be before 2026-11-23."),
            ("?severity=loud", "loud is not one of the available choices"),
            ("?topic=weather", "weather is not one of the available choices"),
            ("?before=x", "whole number"),
            ("?before=0", "greater than or equal to 1"),
            (f"?text={'x' * 101}", "at most 100 characters"),
            ("?text=%00", "Null characters are not allowed"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(self, query: str, words: str) -> None:
        make_experiment()
        form = page(query, status=400)
        assert words in " ".join(part.text() for part in form.all("//ul[contains(@class, 'errorlist')]"))
        assert not form.has("//*[@id='event-list']")

    def test_a_page_at_a_time_by_id(self) -> None:
        for number in range(250):
            happen(f"number {number}", subject="ecc-cobo3")
        first = page("?subject=ecc-cobo3")
        assert len(first.all("//tr[@data-event]")) == 100
        older = first.one("//a[@rel='next']").get("href")
        assert older
        happen("number 250", subject="ecc-cobo3")
        second = page(older.removeprefix("/log/"))
        assert second.all("//tr[@data-event]/td[4]")[0].text() == "number 149"
        assert second.all("//nav[contains(@class, 'pages')]/a")[0].text() == "Newest"
        last = page((second.one("//a[@rel='next']").get("href") or "").removeprefix("/log/"))
        assert len(last.all("//tr[@data-event]")) == 50
        assert not last.has("//a[@rel='next']")

    def test_the_live_part_alone(self) -> None:
        happen("first")
        answer = browser(operator()).get("/log/?severity=&panels=event-list")
        part = Page.of(answer.content)
        assert part.has("//section[@data-panel='event-list']")
        assert not part.has("//header")

    def test_older_pages_do_not_change_under_the_reader(self) -> None:
        event = happen("first")
        assert page().one("//section[@id='event-list']").get("data-topics") == "said acknowledged"
        assert page(f"?before={event.pk + 1}").one("//section[@id='event-list']").get("data-source") is None

    def test_what_is_in_them_is_text(self) -> None:
        happen("<script>alert(1)</script>\n<b>second line</b>", subject="<i>x</i>&subject=y")
        shown = page()
        assert not shown.has("//script[contains(text(), 'alert')]")
        assert not shown.has("//td//b")
        assert "<script>alert(1)</script>" in shown.one("//tr[@data-event]/td[4]").text()
        link = shown.one("//td[@class='about']/a").get("href")
        assert said(link or "") == [shown.one("//tr[@data-event]/td[4]").text()]

    def test_servers_and_routers_have_a_way_to_their_log(self) -> None:
        build_detector(cobos=1, mutant=False)
        ECCServer.objects.update(log_file="/logs/ecc.log")
        happen("one", subject="ecc-cobo0")
        happen("two", subject="router-cobo0", topic="router")
        assert [part.get("href") for part in page().all("//a[@class='log-link']")] == ["/logs/ecc/ecc-cobo0/"]

    def test_as_many_questions_whatever_is_shown(self) -> None:
        client = browser(operator())
        counts = []
        for more in (3, 90):
            for number in range(more):
                happen(f"event {number}", "error", f"ecc-cobo{number}")
            client.get("/log/")
            with CaptureQueriesContext(connection) as asked:
                client.get("/log/")
            counts.append(len(asked))
        assert counts[0] == counts[1]

    def test_nothing_yet_and_nothing_that_fits(self) -> None:
        assert "Nothing has happened yet." in page().id("event-list").text()
        assert "No event fits" in page("?text=x").id("event-list").text()
        assert "Nothing is left" in page("?is_open=on").id("event-list").text()


class TestAcknowledging:
    def test_one(self) -> None:
        event, other = happen("is not running", "error", "router-cobo3"), happen("clock", "warning")
        client = browser(operator("kim"))
        answer = client.post("/log/acknowledge", {"event": event.pk, "next": "/log/?severity=error"})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/log/?severity=error")
        event.refresh_from_db()
        other.refresh_from_db()
        assert (event.acknowledged_by, other.acknowledged_at) == ("kim", None)
        assert page().one(f"//tr[@data-event='{event.pk}']/td[5]").text().startswith("✓ kim")
        line = Entry.objects.get(what="acknowledge")
        assert (line.who, line.what, line.outcome, line.text) == ("kim", "acknowledge", "done", f"1 of {event.pk}")
        newest = Event.objects.all()[0]
        assert (newest.topic, newest.text) == ("acknowledged", "")

    def test_those_shown_and_no_others(self) -> None:
        shown = [happen(f"error {number}", "error") for number in range(3)]
        form = page()
        sent = [part.get("value") for part in form.all("//input[@name='shown']")]
        assert sorted(int(value or 0) for value in sent) == [event.pk for event in shown]
        later = happen("came meanwhile", "error")
        browser(operator("kim")).post("/log/acknowledge", {"all": "shown", "shown": sent})
        assert list(Event.objects.filter(acknowledged_at__isnull=True).exclude(text="")) == [later]

    def test_all_of_a_bad_night(self) -> None:
        for number in range(120):
            happen(f"error {number}", "error")
        happen("an information")
        form = page("?is_open=on")
        assert "Acknowledge all 120" in form.one("//button[@value='open']").text()
        through = form.one("//input[@name='through']").get("value")
        later = happen("came meanwhile", "error")
        client = browser(operator("kim"))
        client.post("/log/acknowledge", {"all": "open", "through": through}, headers={"HX-Request": "true"})
        assert list(Event.objects.exclude(text="").filter(acknowledged_at__isnull=True, severity="error")) == [later]
        assert not page().has("//button[@value='open']")

    def test_twice_is_said_and_the_first_stays(self) -> None:
        event = happen("is not running", "error")
        for name in ("kim", "lou"):
            answer = browser(operator(name)).post(
                "/log/acknowledge", {"event": event.pk}, headers={"HX-Request": "true"}
            )
            assert answer.status_code == 200
        assert "Somebody had acknowledged this already" in answer.content.decode()
        event.refresh_from_db()
        assert event.acknowledged_by == "kim"

    @pytest.mark.parametrize(
        "sent",
        [
            {}, {"event": "x"}, {"event": "0"}, {"event": "-1"}, {"event": ["1", "x"]}, {"event": str(1 << 63)},
            {"all": "shown"}, {"all": "open"}, {"all": "open", "through": "x"}, {"all": "everything"},
            {"event": "²"}, {"all": "shown", "shown": [str(n) for n in range(1, 502)]},
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_said_and_nothing_done(self, sent: dict[str, str]) -> None:
        happen("is not running", "error")
        answer = browser(operator()).post("/log/acknowledge", sent, headers={"HX-Request": "true"})
        assert answer.status_code == 400
        assert "Give their numbers" in answer.content.decode()
        assert not Event.objects.filter(acknowledged_at__isnull=False).exists()

    def test_what_there_is_not_is_named_and_nothing_done(self) -> None:
        event = happen("is not running", "error")
        answer = browser(operator()).post(
            "/log/acknowledge", {"event": [event.pk, 999_999]}, headers={"HX-Request": "true"}
        )
        assert (answer.status_code, "There is no event 999999" in answer.content.decode()) == (400, True)
        assert not Event.objects.filter(acknowledged_at__isnull=False).exists()

    def test_who_may_only_look_has_no_button(self) -> None:
        event = happen("is not running", "error")
        client = browser(observer())
        assert not page(client=client).has("//tr//button")
        assert client.post("/log/acknowledge", {"event": event.pk}).status_code == 403

    def test_it_leads_to_no_other_site(self) -> None:
        event = happen("is not running", "error")
        sent = {"event": event.pk, "next": "https://elsewhere.example/"}
        assert browser(operator()).post("/log/acknowledge", sent).headers["Location"] == "/log/"


class TestCount:
    def test_its_question_says_what_the_index_is_for(self) -> None:
        """With the words handed over beside the question SQLite would look through every event, for every page."""
        sql, handed_over = not_acknowledged().query.sql_with_params()
        assert "'warning'" in sql
        assert not {"warning", "error"} & set(handed_over)

    def test_warnings_and_errors_that_nobody_acknowledged(self) -> None:
        assert unacknowledged() == ""
        happen("information")
        happen("warning", "warning")
        happen("error", "error")
        assert unacknowledged() == "2"
        assert page().one("//nav[@aria-label='Main']//*[@data-count]").text() == "2"
        Event.objects.update(acknowledged_at=timezone.now())
        assert page().one("//*[@data-unacknowledged]").get("hidden") is not None

    def test_more_than_anybody_counts(self) -> None:
        Event.objects.bulk_create(Event(at=NOON, topic="ecc", severity="error", text="x") for _ in range(1200))
        assert unacknowledged() == f"{MOST_COUNTED}+"


@pytest.mark.django_db(transaction=True)
def test_of_many_who_acknowledge_at_once_each_event_has_one() -> None:
    ids = [happen(f"event {number}", "error").pk for number in range(5)]
    people = [Requester(name) for name in ("kim", "lou", "sam")]
    counts = race_of(*(partial(acknowledge, person, NOON, ids=ids) for person in people))
    assert sorted(map(str, counts)) == ["0", "0", "5"]
    assert len(set(Event.objects.exclude(text="").values_list("acknowledged_by", flat=True))) == 1
    assert Entry.objects.filter(what="acknowledge").count() == 1
