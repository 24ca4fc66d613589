"""Light or dark, and where one is: what the frame of every page takes from the person at the browser."""

import pytest
from django.test import Client

from attpcdaq.web.navigation import places
from tests.web.page import Page
from tests.web.people import admin, browser, observer

pytestmark = pytest.mark.django_db


def theme_on(client: Client, address: str = "/audit/") -> str | None:
    return Page.of(client.get(address).content).one("//html").get("data-theme")


def test_nobody_chose_so_the_computer_says() -> None:
    page = Page.of(browser(observer()).get("/").content)
    assert page.one("//html").get("data-theme") == "auto"
    assert page.one("//meta[@name='color-scheme']").get("content") == "light dark"


@pytest.mark.parametrize("theme", ["dark", "light", "auto"])
def test_what_was_chosen_stays_in_this_browser(theme: str) -> None:
    client = browser(observer())
    answer = client.post("/theme", {"theme": theme, "next": "/runs/?text=a"})
    assert answer.headers["Location"] == "/runs/?text=a"
    assert theme_on(client) == theme
    pressed = Page.of(client.get("/audit/").content).all("//button[@name='theme'][@aria-pressed='true']")
    assert [button.get("value") for button in pressed] == [theme]
    client.logout()
    client.cookies["attpcdaq_theme"] = theme
    assert theme_on(client, "/login/") == theme


def test_another_theme_than_there_is_is_refused_by_name() -> None:
    answer = browser(observer()).post("/theme", {"theme": "pink"})
    assert answer.status_code == 400
    assert b"it is one of auto, light, dark" in answer.content


def test_a_cookie_that_says_something_else_is_none() -> None:
    client = browser(observer())
    client.cookies["attpcdaq_theme"] = 'dark"><script>'
    assert theme_on(client) == "auto"


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", "", "nowhere", "logout"]
)
def test_it_leads_to_no_other_site(back: str) -> None:
    assert browser(observer()).post("/theme", {"theme": "dark", "next": back}).headers["Location"] == "/"


def here(path: str) -> list[str]:
    return [place.name for place in places(path) if place.is_here]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", ["Status"]),
        ("/runs/of/e20009/7/", ["Runs"]),
        ("/runs/observables/", ["Measurements"]),
        ("/logs/ecc/ecc-cobo0/", ["Events"]),
        ("/shifts/1/", ["Shift"]),
        ("/setup/easy", ["Setup"]),
        ("/help/troubles/", ["Manual"]),
        ("/audit/", []),
        ("/password/", []),
    ],
)
def test_the_longest_address_says_where_one_is(path: str, name: list[str]) -> None:
    assert here(path) == name


def test_users_are_offered_to_administrators_only() -> None:
    for person, offered in ((observer("lee"), False), (admin("ada"), True)):
        assert Page.of(browser(person).get("/").content).has("//*[@id='account']//a[@href='/accounts/']") is offered
