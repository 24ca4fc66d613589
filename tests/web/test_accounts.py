"""Accounts: made by an administrator, with a role; the own password."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from attpcdaq.audit.models import Entry
from attpcdaq.web.roles import role_of
from tests.web.page import Page
from tests.web.people import admin, browser, expert, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Client:
    return browser(admin("ada"))


def role(name: str) -> str:
    return role_of(User.objects.get(username=name))


def test_a_new_account_logs_in_with_the_password_shown(ada: Client, client: Client) -> None:
    page = Page.of(ada.post("/accounts/", {"name": "kim", "role": "expert"}).content)
    password = page.one("//*[@id='new-password']//code").text()
    assert client.post("/login/", {"username": "kim", "password": password}).status_code == 302
    assert role("kim") == "expert"
    assert not Page.of(ada.get("/accounts/").content).has("//*[@id='new-password']")
    lines = Entry.objects.filter(who="ada", subject="kim")
    assert [(line.what, line.outcome, line.text) for line in lines] == [
        ("role", "done", "observer -> expert"),
        ("create user", "done", ""),
    ]
    assert not Entry.objects.filter(text__contains=password).exists()


def test_another_role(ada: Client) -> None:
    operator("kim")
    ada.post("/accounts/role", {"name": "kim", "role": "observer"})
    assert role("kim") == "observer"


def test_nobody_takes_the_own_role_away(ada: Client) -> None:
    assert ada.post("/accounts/role", {"name": "ada", "role": "shifter"}).status_code == 409
    assert role("ada") == "admin"


@pytest.mark.parametrize(
    ("address", "sent", "words"),
    [
        ("/accounts/", {"name": "ADA", "role": "shifter"}, "There is a user ADA already"),
        ("/accounts/", {"name": "a b", "role": "shifter"}, "use 1 to 150 letters"),
        ("/accounts/", {"name": "kim", "role": "king"}, "Select a valid choice"),
        ("/accounts/role", {"name": "nobody", "role": "shifter"}, "There is no user"),
        ("/accounts/role", {"name": "lee", "role": "king"}, "is not one of observer, shifter"),
        ("/accounts/active", {"name": "lee"}, "use true or false"),
    ],
)
def test_nonsense_is_told_what_is_allowed(ada: Client, address: str, sent: dict[str, str], words: str) -> None:
    operator("lee")
    answer = ada.post(address, sent)
    assert answer.status_code == 400
    assert words in Page.of(answer.content).root.text_content()
    assert User.objects.count() == 2
    assert Entry.objects.all()[0].outcome == "refused"


def test_it_is_for_administrators() -> None:
    client = browser(expert("sam"))
    assert client.get("/accounts/").status_code == 403
    assert client.post("/accounts/", {"name": "kim", "role": "admin"}).status_code == 403
    assert client.post("/accounts/role", {"name": "sam", "role": "admin"}).status_code == 403
    assert role("sam") == "expert"


def test_the_own_password(client: Client) -> None:
    user = operator("kim")
    user.set_password("what-a-beam")
    user.save()
    mine = browser(user)
    sent = {"old_password": "what-a-beam", "new_password1": "quiet-magnet-7", "new_password2": "quiet-magnet-7"}
    wrong = mine.post("/password/", sent | {"old_password": "guess-again"})
    assert "entered incorrectly" in wrong.content.decode()
    line = Entry.objects.all()[0]
    assert (line.who, line.what, line.outcome) == ("kim", "password", "refused")
    assert mine.post("/password/", sent).status_code == 302
    assert client.post("/login/", {"username": "kim", "password": "quiet-magnet-7"}).status_code == 302
    assert not Entry.objects.filter(text__contains="quiet-magnet").exists()
