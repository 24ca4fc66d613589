"""The manual beside the pages, where no nginx serves it."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as real
from django.test import Client

from attpcdaq.web.templatetags.daq_tags import manual_link
from tests.web.page import Page
from tests.web.people import browser, observer

POLICY = "default-src 'self'"


@pytest.fixture
def built(tmp_path: Path, settings: Any, db: None) -> Path:
    """A manual of two pages."""
    settings.HELP = tmp_path / "help"
    (settings.HELP / "troubles").mkdir(parents=True)
    (settings.HELP / "index.html").write_text("<h1>Manual</h1>")
    (settings.HELP / "troubles/index.html").write_text("<h1>Troubles</h1>")
    (settings.HELP / "theme.js").write_text("'use strict'")
    (tmp_path / "secret").write_text("mine")
    return tmp_path / "help"


def test_strangers_read_it_too(built: Path) -> None:
    for address, words in (("", "Manual"), ("troubles/", "Troubles")):
        answer = Client().get(f"/help/{address}")
        assert (answer.status_code, answer.content.decode()) == (200, f"<h1>{words}</h1>")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert POLICY in answer.headers["Content-Security-Policy"]
    assert "javascript" in Client().get("/help/theme.js").headers["Content-Type"]


def test_a_page_that_did_not_change_is_not_sent_again(built: Path) -> None:
    first = Client().get("/help/troubles/")
    assert first.headers["Cache-Control"] == "no-cache"
    again = {"If-None-Match": first.headers["ETag"]}
    assert Client().get("/help/troubles/", headers=again).status_code == 304
    (built / "troubles/index.html").write_text("<h1>Troubles, and what to do</h1>")
    assert Client().get("/help/troubles/", headers=again).status_code == 200


def test_the_slash_may_be_forgotten(built: Path) -> None:
    answer = Client().get("/help/troubles")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/help/troubles/")


def test_what_is_not_there_is_not_found(built: Path, db: None) -> None:
    for path in ("nothing/", "../secret", "..%2fsecret", "%2e%2e/secret", "/etc/passwd", "troubles/nothing", "%00"):
        assert Client().get(f"/help/{path}").status_code == 404, path
        assert browser(observer("kim" + path[:1])).get(f"/help/{path}").status_code == 404, path
    assert Client().post("/help/troubles/").status_code == 405
    assert Client().head("/help/troubles/").content == b""


def test_a_name_that_no_file_can_have(built: Path) -> None:
    for path in ("%00", 300 * "a", f"{300 * 'a'}/", "index.html/x"):
        assert Client().get(f"/help/{path}").status_code == 404, path


def test_where_it_was_not_built_the_page_says_so(settings: Any, tmp_path: Path, db: None) -> None:
    settings.HELP = tmp_path / "nowhere"
    for client in (Client(), browser(observer())):
        answer = client.get("/help/troubles/")
        assert answer.status_code == 404
        page = Page.of(answer.content)
        assert page.one("//main//h1").text() == "The manual is not here"
        assert "make manual" in page.one("//main").text()


def test_it_lies_where_it_is_built() -> None:
    root = Path(__file__).resolve().parents[2]
    assert root / "build/help" == real.HELP
    assert "\nMANUAL = build/help/.built\n" in (root / "Makefile").read_text()


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("the-ecc-server-is-wedged", "/help/troubles/#the-ecc-server-is-wedged"),
        ("runs#exports", "/help/runs/#exports"),
        ("adr/0034-x#why", "/help/adr/0034-x/#why"),
    ],
)
def test_links_into_it(place: str, address: str) -> None:
    assert manual_link(place) == address
