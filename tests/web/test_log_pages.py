"""Logs on pages and over the API: what was read of them, as text, whatever it is; and why there is none."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attpcdaq.audit.people import DAQ
from attpcdaq.gateways.ports import Tail
from attpcdaq.live import log_tails
from attpcdaq.live.log_reading import READ_WITHIN
from attpcdaq.live.models import LogTail, MonitorLease
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology.models import Access, ECCServer, Node
from attpcdaq.web import tokens
from tests.live.writing import writing_term
from tests.web.page import Page
from tests.web.people import browser, observer

pytestmark = pytest.mark.django_db
ADDRESS = "/logs/ecc/ecc-cobo0/"
HOSTILE = (
    b"plain\r\n"
    b"<script>alert(1)</script> & <b>bold</b>\n"
    b"Pr\xfcfsumme \xb5 in Latin-1\n"
    + "Prüfsumme µ in UTF-8\n".encode()
    + b"\x1b[31m** red error\x1b[0m\n"
    + b"nul \0 bell \x07\n"
    + b"y" * 5000
    + b"\n!! late\n"
)


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    build_detector(cobos=2, mutant=False)
    ECCServer.objects.update(log_file="/logs/ecc.log")
    work()


def work(ago: float = 0) -> None:
    """The monitor is at work, or was so many seconds ago."""
    writing_term()
    MonitorLease.objects.update(at=timezone.now() - timedelta(seconds=ago))


def see(data: bytes, size: int | None = None, ago: float = 0, problem: str = "") -> None:
    """The monitor reads this, or says why it cannot."""
    log_tails.want("ecc", "ecc-cobo0")
    (wanted,) = log_tails.wanted()
    at = timezone.now() - timedelta(seconds=ago)
    if problem:
        log_tails.record_problem(wanted, problem, at)
    else:
        log_tails.record(wanted, Tail(data, len(data) if size is None else size, 1.7e9 + len(data)), at)


def page(address: str = ADDRESS, status: int = 200) -> Page:
    answer = browser(observer()).get(address)
    assert answer.status_code == status
    return Page.of(answer.content)


def lines(shown: Page) -> list[str]:
    return [part.text() for part in shown.all("//ol/li/code")]


def state(shown: Page) -> str:
    return shown.id("log-state").text()


class TestPage:
    def test_looking_lets_the_monitor_read_it(self) -> None:
        assert "Asked for" in state(page())
        assert [wanted.key for wanted in log_tails.wanted()] == [("ecc", "ecc-cobo0")]

    def test_whatever_is_in_it_is_shown_as_text(self) -> None:
        see(HOSTILE)
        shown = page()
        assert lines(shown)[:4] == [
            "plain",
            "<script>alert(1)</script> & <b>bold</b>",
            "Prüfsumme µ in Latin-1",
            "Prüfsumme µ in UTF-8",
        ]
        assert lines(shown)[4:6] == ["** red error", "nul ^@ bell ^G"]
        assert "3100 characters in the middle are left out" in shown.all("//ol/li")[6].text()
        assert not shown.has("//li//b[text()='bold']")
        marked = [(part.get("data-level"), part.text().split()[0]) for part in shown.all("//ol/li[@data-level]")]
        assert marked == [("error", "Error"), ("warning", "Warning")]

    def test_the_rest_of_a_line_says_that_it_is_one(self) -> None:
        see(b"rest\nwhole\n", size=100_000)
        assert [part.text() for part in page().all("//ol/li")] == ["…rest", "whole"]

    def test_an_empty_file(self) -> None:
        see(b"")
        assert lines(page()) == []
        assert "No line yet" in page().id("log-empty").text()

    def test_why_it_cannot_be_read_and_what_was_read_last(self) -> None:
        see(b"last words\n")
        see(b"", problem="node-cobo0: <no route> to host")
        shown = page()
        assert "Not readable node-cobo0: <no route> to host" in state(shown)
        assert lines(shown) == ["last words"]

    def test_a_monitor_that_is_not_at_work_is_said(self) -> None:
        see(b"old\n", ago=20)
        work(ago=20)
        assert "The monitor is not at work: what stands here is old." in state(page())

    def test_what_was_read_before_anybody_looked_is_old(self) -> None:
        see(b"old\n", ago=READ_WITHIN.total_seconds() + 1)
        shown = page()
        assert "Asked for" in state(shown)
        assert lines(shown) == ["old"]

    def test_where_the_setup_names_no_file(self) -> None:
        ECCServer.objects.update(log_file="")
        shown = page()
        assert "The setup does not say where it writes its log." in shown.one("//p[@class='empty']").text()
        assert not LogTail.objects.exists()

    def test_where_the_node_lets_nobody_read(self) -> None:
        Node.objects.update(access=Access.AGENT)
        assert "HTTP agent, which cannot read files" in page().one("//p[@class='empty']").text()

    @pytest.mark.parametrize("address", ["/logs/ecc/nobody/", "/logs/weather/ecc-cobo0/", "/logs/router/ecc-cobo0/"])
    def test_what_there_is_not(self, address: str) -> None:
        page(address, status=404)
        assert not LogTail.objects.exists()

    def test_another_file_since_the_setup_changed(self) -> None:
        see(b"of the old file\n")
        ECCServer.objects.update(log_file="/logs/new.log")
        assert lines(page()) == []

    def test_the_bytes_as_they_are(self) -> None:
        see(HOSTILE)
        answer = browser(observer()).get(f"{ADDRESS}download")
        assert answer.content == HOSTILE
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="ecc-cobo0-ecc-20')

    def test_all_logs(self) -> None:
        shown = page("/logs/")
        assert [part.get("href") for part in shown.all("//table[@id='logs']//td[1]/a")] == [
            "/logs/ecc/ecc-cobo0/",
            "/logs/ecc/ecc-cobo1/",
        ]
        assert "2 of 4 have a log" in shown.id("logs-title").text()

    def test_looking_leaves_a_mark_of_its_own_and_no_other(self) -> None:
        client = browser(observer())
        with CaptureQueriesContext(connection) as asked:
            client.get(ADDRESS)
        written = [query["sql"] for query in asked if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]
        assert written
        assert [sql for sql in written if '"live_logtail"' not in sql] == []

    def test_as_many_questions_whatever_is_shown(self) -> None:
        client = browser(observer())
        counts = []
        for data in (b"one\n", b"many\n" * 10_000):
            see(data)
            client.get(ADDRESS)
            with CaptureQueriesContext(connection) as asked:
                client.get(ADDRESS)
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestNews:
    def news(self, seen: str, status: int = 200) -> Page:
        return page(f"{ADDRESS}news?seen={seen}", status)

    def cursor(self, shown: Page) -> str:
        return shown.one("//*[@data-seen]").get("data-seen") or ""

    def test_only_what_is_new(self) -> None:
        see(b"one\ntwo\n")
        first = page()
        assert lines(self.news(self.cursor(first))) == []
        see(b"one\ntwo\nthree\n")
        second = self.news(self.cursor(first))
        assert lines(second) == ["three"]
        assert second.id("log-news").get("data-from") == "8"
        assert lines(self.news(self.cursor(second))) == []

    def test_before_it_was_read_and_after(self) -> None:
        first = page()
        see(b"one\n")
        second = self.news(self.cursor(first))
        assert lines(second) == ["one"]
        assert second.id("log-news").get("data-anew") is None

    def test_a_file_that_begins_anew_says_so(self) -> None:
        see(b"one\ntwo\n")
        first = page()
        see(b"new\n")
        second = self.news(self.cursor(first))
        assert second.id("log-news").get("data-anew") is not None
        assert "The file begins anew here" in second.one("//ol").text()
        assert lines(second) == ["new"]

    def test_what_came_too_fast_is_said(self) -> None:
        see(b"one\n")
        first = page()
        see(b"x\nlast\n", size=1_000_000)
        assert "1.00 MB came too fast and were not read" in self.news(self.cursor(first)).one("//ol").text()

    def test_what_is_no_cursor(self) -> None:
        answer = browser(observer()).get(f"{ADDRESS}news?seen=<x>")
        assert answer.status_code == 400
        assert "seen: '<x>' is no cursor" in answer.content.decode()
        assert answer.headers["Content-Type"].startswith("text/plain")

    def test_where_nothing_changed_the_bytes_are_not_fetched(self) -> None:
        see(b"one\n" * 1000)
        seen, client = self.cursor(page()), browser(observer())
        with CaptureQueriesContext(connection) as asked:
            client.get(f"{ADDRESS}news?seen={seen}")
        assert not [query for query in asked if '"live_logtail"."data"' in query["sql"]]


class TestApi:
    @pytest.fixture
    def token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.create('logs', observer(), DAQ)}"}

    def test_the_end_and_then_what_is_new(self, token: dict[str, str]) -> None:
        see(b"one\n** two\n")
        first = Client().get("/api/v1/logs/ecc/ecc-cobo0", headers=token).json()
        assert [(line["at"], line["text"], line["level"]) for line in first["lines"]] == [
            (0, "one", ""),
            (4, "** two", "error"),
        ]
        assert (first["state"], first["size"], first["path"]) == ("ok", 11, "/logs/ecc.log")
        see(b"one\n** two\nthree\n")
        then = Client().get(f"/api/v1/logs/ecc/ecc-cobo0?seen={first['cursor']}", headers=token).json()
        assert [line["text"] for line in then["lines"]] == ["three"]
        assert (then["begin"], then["is_anew"], then["missed"]) == (11, False, 0)

    def test_what_there_is_not(self, token: dict[str, str]) -> None:
        answer = Client().get("/api/v1/logs/router/nobody", headers=token)
        assert (answer.status_code, answer.json()["detail"]) == (
            404,
            "There is no data router 'nobody' in the setup.",
        )
        answer = Client().get("/api/v1/logs/weather/ecc-cobo0", headers=token)
        assert (answer.status_code, "kind" in answer.json()["fields"]) == (422, True)
        answer = Client().get("/api/v1/logs/ecc/ecc-cobo0?seen=x", headers=token)
        assert (answer.status_code, "seen" in answer.json()["fields"]) == (422, True)

    def test_a_stranger_sees_nothing(self) -> None:
        assert Client().get("/api/v1/logs/ecc/ecc-cobo0").status_code == 401
        assert not LogTail.objects.exists()
        assert json.dumps(Client().get("/api/v1/events").json()["detail"])
