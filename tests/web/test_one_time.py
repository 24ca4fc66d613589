"""One-time passwords: whoever logs in with one chooses another before anything else."""

import io
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import AsyncClient, Client

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.web import accounts, tokens
from attpcdaq.web.models import OneTimePassword
from attpcdaq.web.roles import role_of
from tests.web.page import Page
from tests.web.people import admin, browser, operator
from tests.web.test_audited_routes import ADDRESSES

NAME = "kim"
OWN = "quiet-magnet-7"
# Open to strangers too, or with a check of their own (API, stream, metrics).
OPEN = (
    "/login/", "/logout/", "/password/", "/help/", "/help/x", "/help/x/", "/metrics", "/health/live", "/health/ready",
)  # fmt: skip


@pytest.fixture
def password(db: None) -> str:
    return accounts.create(NAME, "admin", DAQ)


@pytest.fixture
def kim(password: str) -> Client:
    """A browser in which the one-time password was typed in."""
    client = Client()
    assert client.post("/login/", {"username": NAME, "password": password}).status_code == 302
    return client


def manage(*words: str) -> str:
    printed = io.StringIO()
    call_command(*words, stdout=printed, stderr=printed)
    return printed.getvalue().strip()


def choose(client: Client, old: str, new: str = OWN) -> Any:
    return client.post("/password/", {"old_password": old, "new_password1": new, "new_password2": new})


def test_every_page_leads_to_the_password_page_until_one_is_chosen(kim: Client, password: str) -> None:
    for address in (each for each in ADDRESSES if not each.startswith("/api/") and each not in OPEN):
        for method in ("GET", "POST"):
            answer = kim.generic(method, address)
            assert (answer.status_code, answer.headers.get("Location")) == (302, "/password/"), f"{method} {address}"
    page = Page.of(kim.get("/password/").content)
    assert "for one time only" in page.id("choose-first").text()
    assert not page.has("//nav//a")
    assert not page.has("//*[@data-panel]")
    assert choose(kim, password).headers["Location"] == "/"
    page = Page.of(kim.get("/").content)
    assert "Your password was changed." in page.one("//main//*[@class='message'][@data-level='ok']").text()
    assert not OneTimePassword.objects.exists()


def test_nothing_that_was_pressed_is_done_and_the_trail_says_why(kim: Client) -> None:
    kim.post("/accounts/", {"name": "lee", "role": "admin"})
    assert not User.objects.filter(username="lee").exists()
    line = Entry.objects.all()[0]
    assert (line.who, line.what, line.outcome) == (NAME, "accounts", "refused")
    assert "one-time password" in line.text


def test_a_part_of_a_page_sends_the_whole_browser_there(kim: Client) -> None:
    assert kim.get("/partials/control", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/password/"


def test_the_api_refuses_the_session_and_not_a_token(kim: Client) -> None:
    answer = kim.get("/api/v1/status")
    assert answer.status_code == 403
    assert "/password/" in answer.json()["detail"]
    bearer = f"Bearer {tokens.create('analysis', User.objects.get(username=NAME), DAQ)}"
    assert kim.get("/api/v1/status", headers={"Authorization": bearer}).status_code == 200


def test_metrics_refuse_the_session_and_not_a_token(kim: Client) -> None:
    answer = kim.get("/metrics")
    assert (answer.status_code, "one-time" in answer.content.decode()) == (403, True)
    bearer = f"Bearer {tokens.create('prometheus', User.objects.get(username=NAME), DAQ)}"
    assert kim.get("/metrics", headers={"Authorization": bearer}).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_the_event_stream_refuses() -> None:
    await sync_to_async(accounts.create)(NAME, "admin", DAQ)
    client = AsyncClient()
    await client.aforce_login(await User.objects.aget(username=NAME), "django.contrib.auth.backends.ModelBackend")
    answer = await client.get("/events/stream")
    assert (answer.status_code, "one-time" in answer.content.decode()) == (403, True)


def test_log_out_and_help_work(kim: Client) -> None:
    assert kim.get("/help/manual/").status_code == 200
    assert kim.post("/logout/").headers["Location"] == "/login/"
    assert kim.get("/").headers["Location"].startswith("/login/")


def test_the_same_one_is_no_choice(kim: Client, password: str) -> None:
    answer = choose(kim, password, password)
    assert answer.status_code == 200
    assert "Choose another password than the one that you have." in answer.content.decode()
    assert OneTimePassword.objects.filter(user__username=NAME).exists()
    assert kim.get("/").headers["Location"] == "/password/"


def test_the_audit_trail_tells_it(kim: Client, password: str) -> None:
    choose(kim, password)
    told = [(line.what, line.outcome, line.text) for line in Entry.objects.filter(who=NAME)]
    assert told == [
        ("password", "done", "Instead of a one-time password."),
        ("log-in", "done", "With a one-time password: another is to be chosen."),
    ]
    assert not Entry.objects.filter(text__contains=OWN).exists()


def test_the_next_log_in_is_like_any_other(kim: Client, password: str) -> None:
    choose(kim, password)
    client = Client()
    client.post("/login/", {"username": NAME, "password": OWN})
    assert client.get("/").status_code == 200
    assert Client().post("/login/", {"username": NAME, "password": password}).status_code == 200


def test_a_password_that_was_forgotten(db: None) -> None:
    ada, kim = browser(admin("ada")), browser(operator(NAME))
    assert kim.get("/").status_code == 200
    page = Page.of(ada.post("/accounts/password", {"name": NAME}).content)
    given = page.one("//*[@id='new-password']//code").text()
    # Whoever goes on from this page with a new account makes one, and gives nobody another password.
    assert page.one("//form[.//h2='New account']").get("action") == "/accounts/"
    assert kim.get("/").headers["Location"].startswith("/login/")
    kim.post("/login/", {"username": NAME, "password": given})
    assert kim.get("/").headers["Location"] == "/password/"
    assert ada.post("/accounts/password", {"name": "ada"}).status_code == 409
    assert ada.post("/accounts/password", {"name": "nobody"}).status_code == 400


class TestAtTheConsole:
    def test_the_first_admin_is_made_once(self, db: None, client: Client) -> None:
        line = manage("first_admin")
        found = re.fullmatch(r"user admin, one-time password (([0-9a-f]{4}-){3}[0-9a-f]{4})", line)
        assert found, line
        assert role_of(User.objects.get(username="admin")) == "admin"
        assert manage("first_admin").startswith("There are accounts already")
        assert User.objects.count() == 1
        client.post("/login/", {"username": "admin", "password": found[1]})
        assert client.get("/").headers["Location"] == "/password/"

    def test_where_there_is_any_account_none_is_made(self, db: None) -> None:
        operator(NAME)
        assert manage("first_admin").startswith("There are accounts already")
        assert not User.objects.filter(username="admin").exists()

    def test_a_new_account_and_a_new_password(self, db: None) -> None:
        first = manage("role", NAME, "expert", "--create")
        user = User.objects.get(username=NAME)
        assert user.check_password(first)
        second = manage("role", NAME, "--one-time")
        user.refresh_from_db()
        assert user.check_password(second)
        assert second != first
        assert OneTimePassword.objects.filter(user=user).exists()
        assert "expert -> shifter" in manage("role", NAME, "shifter")

    @pytest.mark.parametrize("words", [(NAME,), (NAME, "--create"), ("nobody", "--one-time")])
    def test_nonsense_is_told_what_is_missing(self, db: None, words: tuple[str, ...]) -> None:
        operator(NAME)
        with pytest.raises(CommandError, match=r"Say which role|There is no user"):
            manage("role", *words)
