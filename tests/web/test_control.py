"""The bar that says who is in charge, in two browsers, and over the API."""

import json
from typing import Any

import pytest
from django.test import Client

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking import control
from attpcdaq.runcontrol.models import Command
from attpcdaq.testing.builders import build_detector
from attpcdaq.web import tokens
from get_protocol.state_machine import State
from tests.web.page import Page
from tests.web.people import browser, observer, operator
from tests.web.seen import see

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def kim() -> Client:
    return browser(operator("kim"))


@pytest.fixture
def lee() -> Client:
    return browser(operator("lee"))


def bar(client: Client) -> Page:
    return Page.of(client.get("/partials/control?panels=control").content)


def words(client: Client) -> str:
    return bar(client).id("control").text()


def buttons(client: Client) -> list[str]:
    return [button.text() for button in bar(client).all("//button")]


def press(client: Client, action: str, **more: str) -> Any:
    return client.post("/actions/control", {"action": action, **more}, headers=HTMX)


def _looks_on(client: Client) -> bool:
    kept = Page.of(client.get("/").content)
    places = [kept.has(f"//*[contains(@class, '{name} looks-on')]") for name in ("plans", "goals")]
    assert places[0] == places[1]
    return places[0]


class TestTwoBrowsers:
    def test_it_stands_on_every_page(self, kim: Client) -> None:
        for address in ("/", "/runs/", "/runs/experiments/", "/setup/", "/setup/easy", "/audit/"):
            page = Page.of(kim.get(address).content)
            assert page.id("control-holder").text() == "nobody"
            assert page.one("//body").get("data-event-id") != ""

    def test_take_ask_and_hand_over(self, kim: Client, lee: Client) -> None:
        assert buttons(kim) == ["Take control"]
        assert press(kim, "take").status_code == 200
        assert words(kim).startswith("In charge: you since")
        assert buttons(kim) == ["Release"]
        assert words(lee).startswith("In charge: kim since")
        assert buttons(lee) == ["Ask for control", "Take control from kim"]
        assert press(lee, "ask").status_code == 200
        assert bar(kim).one("//*[@role='alert']").text() == "lee asks for control"
        assert bar(kim).id("control").get("class") == "control asked no-print"
        assert buttons(kim) == ["Hand over to lee", "Keep it"]
        assert buttons(lee) == ["Do not ask any more", "Take control from kim"]
        assert press(kim, "hand_over", to=str(bar(kim).one("//input[@name='to']").get("value"))).status_code == 200
        assert words(lee).startswith("In charge: you since")

    def test_force_with_a_reason_that_both_read(self, kim: Client, lee: Client) -> None:
        press(kim, "take")
        assert press(lee, "force", holder="kim", reason="").status_code == 400
        assert press(lee, "force", holder="kim", reason="beam is back").status_code == 200
        for client in (kim, lee):
            assert bar(client).id("control-forced").text() == "lee took control from kim: beam is back"
        assert bar(kim).id("control").get("class") == "control loud no-print"
        assert bar(lee).id("control").get("class") == "control no-print"

    def test_the_slower_of_two_forces_is_told(self, kim: Client, lee: Client) -> None:
        press(kim, "take")
        press(lee, "force", holder="kim", reason="first")
        answer = press(browser(operator("sam")), "force", holder="kim", reason="second")
        assert answer.status_code == 409
        assert "lee is in charge now" in answer.content.decode()

    def test_commands_are_those_of_who_is_in_charge(self, kim: Client, lee: Client) -> None:
        see(build_detector(cobos=1), State.IDLE)
        assert kim.post("/actions/describe", headers=HTMX).status_code == 202
        assert words(kim).startswith("In charge: you")
        Command.objects.update(state="done")
        answer = lee.post("/actions/prepare", headers=HTMX)
        assert answer.status_code == 409
        assert "kim is in charge since" in answer.content.decode()
        assert lee.post("/actions/stop", headers=HTMX).status_code == 202

    def test_the_others_buttons_say_who_is_in_charge_but_stop_is_theirs(self, kim: Client, lee: Client) -> None:
        see(build_detector(cobos=1), State.IDLE)
        press(kim, "take")
        mine, theirs = (Page.of(client.get("/").content) for client in (kim, lee))
        assert mine.button("describe").enabled
        assert not theirs.button("describe").enabled
        assert theirs.button("stop").enabled

    def test_a_place_for_plans_is_kept_for_those_who_see_them(self, kim: Client, lee: Client) -> None:
        see(build_detector(cobos=1), State.IDLE)
        watcher = browser(observer("watcher"))
        everybody = (kim, lee, watcher)
        assert [_looks_on(client) for client in everybody] == [False, False, True]
        press(kim, "take")
        assert [_looks_on(client) for client in everybody] == [False, True, True]

    def test_an_observer_looks(self, kim: Client) -> None:
        press(kim, "take")
        watcher = browser(observer("watcher"))
        assert words(watcher).startswith("In charge: kim since")
        assert buttons(watcher) == []
        assert press(watcher, "force", reason="fun").status_code == 403
        line = Entry.objects.all()[0]
        assert (line.who, line.what, line.outcome) == ("watcher", "control", "refused")

    def test_without_scripts_the_refusal_stands_on_the_page(self, kim: Client, lee: Client) -> None:
        press(kim, "take")
        page = Page.of(lee.post("/actions/control", {"action": "take"}, follow=True).content)
        assert "kim is in charge since" in page.id("content").text()

    def test_nonsense_is_told_what_is_allowed(self, kim: Client) -> None:
        answer = press(kim, "seize")
        assert answer.status_code == 400
        assert "not one of take, ask, release" in answer.content.decode()


class TestApi:
    @pytest.fixture
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.create('script', operator('api'), DAQ)}"}

    def post(self, headers: dict[str, str], **body: str) -> Any:
        sent = json.dumps(body)
        return Client().post("/api/v1/control", sent, content_type="application/json", headers=headers)

    def test_take_and_look(self, headers: dict[str, str]) -> None:
        assert self.post(headers, action="take").json()["holder"] == "api"
        seen = Client().get("/api/v1/control", headers=headers).json()
        assert (seen["holder"], seen["asked_by"], seen["asked_at"]) == ("api", "", None)
        assert Entry.objects.filter(what="control", origin="token script from 127.0.0.1").exists()

    def test_refused_with_who_is_in_charge(self, kim: Client, headers: dict[str, str]) -> None:
        press(kim, "take")
        answer = self.post(headers, action="take")
        assert answer.status_code == 409
        assert answer.json()["reasons"][0].startswith("kim is in charge since")
        assert self.post(headers, action="force", reason="night shift", holder="kim").json()["holder"] == "api"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"action": "seize"}, "action"),
            ({"action": "take", "who": "me"}, "who"),
            ({"action": "hand_over", "to": "nobody"}, "to"),
            ({"action": "force", "reason": "x" * 201}, "reason"),
        ],
    )
    def test_nonsense_is_told_what_is_allowed(self, headers: dict[str, str], body: dict[str, str], field: str) -> None:
        self.post(headers, action="take")
        answer = self.post(headers, **body)
        assert answer.status_code == 422
        assert field in answer.json()["fields"]
        assert control.view().holder == "api"

    def test_an_observer_may_not(self) -> None:
        headers = {"Authorization": f"Bearer {tokens.create('look', observer(), DAQ)}"}
        assert self.post(headers, action="take").status_code == 403
