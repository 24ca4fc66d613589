"""What frames every page: log-in, navigation, health, error pages, and the policy that forbids inline scripts."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from attpcdaq.web.roles import may_operate
from tests.web.page import Page
from tests.web.seen import person

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"


class TestLogIn:
    def test_everything_is_behind_it(self) -> None:
        for address in ("/", "/partials/status?panels=overall", "/runs/", "/setup/"):
            answer = Client().get(address)
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/login/?next=")

    def test_in_and_out_again(self) -> None:
        User.objects.create_user("shifter", password=PASSWORD)
        client = Client()
        answer = client.post("/login/?next=/setup/", {"username": "shifter", "password": PASSWORD, "next": "/setup/"})
        assert answer.headers["Location"] == "/setup/"
        page = Page.of(client.get("/").content)
        assert page.id("user-name").text() == "shifter"
        assert client.post("/logout/").headers["Location"] == "/login/"
        assert client.get("/").status_code == 302

    def test_a_wrong_password_is_said_and_nobody_is_let_in(self) -> None:
        User.objects.create_user("shifter", password=PASSWORD)
        client = Client()
        answer = client.post("/login/", {"username": "shifter", "password": "wrong"})
        assert "correct username and password" in Page.of(answer.content).one("//*[@role='alert']").text()
        assert client.get("/").status_code == 302

    def test_who_guesses_is_told_how_long_to_wait(self, settings: Any) -> None:
        settings.AXES_FAILURE_LIMIT = 2
        wrong = {"username": "shifter", "password": "wrong"}
        answers = [Client().post("/login/", wrong) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 429, 429]
        assert b"as shifter from here for three minutes" in answers[-1].content

    def test_it_leads_to_no_other_site(self) -> None:
        User.objects.create_user("shifter", password=PASSWORD)
        sent = {"username": "shifter", "password": PASSWORD, "next": "https://elsewhere.example/"}
        assert Client().post("/login/", sent).headers["Location"] == "/"

    def test_a_part_of_a_page_after_the_session_ended_sends_the_browser_there(self) -> None:
        answer = Client().get("/partials/servers/1/menu", headers={"HX-Request": "true"}, follow=True)
        assert answer.headers["HX-Redirect"] == "/login/"


NAVIGATION = [
    ("/", "Status"),
    ("/runs/", "Runs"),
    ("/runs/measurements/", "Measurements"),
    ("/shifts/", "Shift"),
    ("/log/", "Events"),
    ("/setup/", "Setup"),
]


class TestNavigation:
    @pytest.mark.parametrize(("address", "name"), NAVIGATION)
    def test_it_marks_where_one_is(self, address: str, name: str) -> None:
        page = Page.of(person("shifter", operates=True).get(address).content)
        assert page.one("//header//nav//a[@aria-current='page']").text().split()[0] == name
        names = [link.text().split()[0] for link in page.all("//header//nav//a")]
        assert names == [*(name for _, name in NAVIGATION), "Manual"]


class TestPolicy:
    def test_nothing_inline_and_nothing_from_elsewhere(self) -> None:
        answer = person("shifter", operates=True).get("/")
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        page = Page.of(answer.content)
        assert not page.has("//script[not(@src)]")
        assert not page.has("//style")
        assert not page.has("//*[@style]")
        assert not page.has("//*[@*[starts-with(name(), 'on')]]")
        assert all((script.get("src") or "").startswith("/static/") for script in page.all("//script"))

    def test_what_the_page_loads_exists(self, client: Client) -> None:
        page = Page.of(person("shifter", operates=True).get("/").content)
        loaded = [link.get("href") for link in page.all("//link")] + [s.get("src") for s in page.all("//script")]
        for address in loaded:
            assert address
            assert client.get(address).status_code == 200
        for script in ("live", "clock", "morph", "panels", "stream"):
            text = b"".join(client.get(f"/static/attpcdaq/js/{script}.js")).decode()
            assert all(client.get(f"/static/attpcdaq/js/{name}").status_code == 200 for name in _imported(text))


def _imported(script: str) -> list[str]:
    return re.findall(r'from "\./([\w.]+)"', script)


class TestErrorPages:
    def test_not_found(self) -> None:
        answer = person("shifter", operates=True).get("/nothing/here")
        assert answer.status_code == 404
        assert b"There is nothing at this address" in answer.content

    def test_the_server_failed(self) -> None:
        answer = server_error(RequestFactory().get("/"))
        assert answer.status_code == 500
        assert b"call the DAQ expert" in answer.content

    def test_an_old_page_says_reload(self) -> None:
        client = Client(enforce_csrf_checks=True)
        answer = client.post("/login/", {"username": "shifter", "password": PASSWORD})
        assert answer.status_code == 403
        assert b"Reload the page" in answer.content


class TestRoles:
    def test_who_may_operate(self, django_user_model: type[User]) -> None:
        assert may_operate(django_user_model(username="root", is_superuser=True))
        assert not may_operate(django_user_model(username="gone", is_superuser=True, is_active=False))
        assert not may_operate(django_user_model.objects.create(username="observer"))
