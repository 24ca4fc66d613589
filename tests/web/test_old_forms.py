"""Forms of a page that is older than the DAQ: fields are missing, unknown or mean nothing, and each is told plainly."""

import pytest
from django.test import Client
from django.urls import resolve

from attpcdaq.audit.models import Entry
from tests.web.everywhere import something_at_every_address
from tests.web.page import Page
from tests.web.people import admin, browser
from tests.web.test_audited_routes import ADDRESSES

pytestmark = pytest.mark.django_db
OWN = {"login", "logout", "password"}
GONE = ("/setup/old-form", "/runs/e20009/1/rename-it", "/nothing/")
PAGES = [each for each in ADDRESSES if not each.startswith("/api/") and resolve(each).url_name not in OWN]
FORMS = {
    "nothing in it": {},
    "names of yesterday": {"version": "0.1", "targets": "all", "server": "ecc-cobo0", "run_type": "beam"},
    "values of yesterday": {
        "action": "takeover",
        "plan": "0123",
        "confirm": "yes",
        "ecc_servers": "1,2,x",
        "server": "999",
        "name": "\0",
        "role": "king",
        "node": "node9",
        "pk": "a",
        "reason": "",
        "text": "[",
        "file": "x",
    },
}


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    something_at_every_address()


@pytest.fixture
def client() -> Client:
    return browser(admin())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("address", PAGES)
def test_it_is_told_plainly(client: Client, address: str, form: str) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post(address, FORMS[form], headers=headers)
        assert answer.status_code < 500, f"{address}: {answer.status_code}"
        if answer.status_code >= 400:
            assert "<" in answer.content.decode()
            assert any(part.text() for part in Page.of(answer.content).all("//p | //li | //td")), address


@pytest.mark.parametrize("address", GONE)
def test_what_is_not_there_any_more(client: Client, address: str) -> None:
    answer = client.post(address, {"title": "x"})
    assert answer.status_code in (400, 404)
    text = Page.of(answer.content).one("//main").text()
    assert "Nothing was done: the page with this button may be older than the DAQ. Reload it and try again." in text
    assert Entry.objects.all()[0].outcome == "refused"


def test_a_page_that_only_a_button_brings_says_so_when_it_is_reloaded(client: Client) -> None:
    answer = client.get("/accounts/password")
    assert answer.status_code == 405
    assert "Only a button leads to this address." in Page.of(answer.content).one("//main").text()
    assert Page.of(Client().post("/help/manual/").content).one("//main//h1").text() == "Nothing was done"
