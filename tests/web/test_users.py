"""Users: taken out of use, tokens of each, never without an administrator."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ, Requester
from attpcdaq.runcontrol.asking import control
from attpcdaq.web import accounts, tokens
from attpcdaq.web.accounts import AccountRefusedError
from attpcdaq.web.models import ApiToken
from attpcdaq.web.roles import role_of
from tests.racing import race_of
from tests.runlog.rows import NOON
from tests.web.page import Page
from tests.web.people import admin, browser, observer, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Client:
    return browser(admin("ada"))


def test_who_is_deactivated_can_do_nothing_until_activated(ada: Client) -> None:
    kim = browser(operator("kim"))
    text = tokens.create("of kim", User.objects.get(username="kim"), DAQ)
    control.take(Requester("kim", User.objects.get(username="kim")), NOON)
    bearer = {"Authorization": f"Bearer {text}"}
    ada.post("/accounts/active", {"name": "kim", "active": "false"})
    assert kim.get("/").status_code == 302
    assert Client().get("/api/v1/status", headers=bearer).status_code == 401
    assert control.view().holder == ""
    row = Page.of(ada.get("/accounts/").content).one("//tr[td[1]='kim']").text()
    assert "Not active" in row
    ada.post("/accounts/active", {"name": "kim", "active": "true"})
    assert Client().get("/api/v1/status", headers=bearer).status_code == 200
    lines = Entry.objects.filter(what="account").order_by("id").values_list("who", "subject", "text")
    assert list(lines) == [("ada", "kim", "active -> not active"), ("ada", "kim", "not active -> active")]


def test_nobody_locks_the_own_account(ada: Client) -> None:
    admin("bob")
    answer = ada.post("/accounts/active", {"name": "ada", "active": "false"})
    assert answer.status_code == 409
    assert b"another administrator must do that" in answer.content
    assert User.objects.get(username="ada").is_active


@pytest.mark.parametrize(
    "attack",
    [
        lambda user, by: accounts.set_role(user, "expert", by),
        lambda user, by: accounts.set_active(user, False, by),
        lambda user, by: accounts.change(user, by, role="observer", active=False),
    ],
)
def test_the_last_administrator_stays(attack: Callable[[User, Requester], object]) -> None:
    ada = admin("ada")
    unused = admin("bob")
    accounts.set_active(unused, False, DAQ)
    for_programs_only = admin("api")
    for_programs_only.set_unusable_password()
    for_programs_only.save()
    with pytest.raises(AccountRefusedError, match="ada is the only administrator"):
        attack(ada, DAQ)
    fresh = User.objects.get(username="ada")
    assert (role_of(fresh), fresh.is_active) == ("admin", True)
    accounts.set_active(unused, True, DAQ)
    attack(ada, DAQ)


def test_an_account_that_was_looked_up_before_it_changed_is_judged_as_it_is_now() -> None:
    ada, bob = admin("ada"), admin("bob")
    accounts.set_active(bob, False, DAQ)
    looked_up = User.objects.get(username="bob")
    accounts.set_active(bob, True, DAQ)
    accounts.set_active(ada, False, DAQ)
    with pytest.raises(AccountRefusedError, match="bob is the only administrator"):
        accounts.set_role(looked_up, "shifter", DAQ)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_depose_each_other_leave_one() -> None:
    ada, bob = admin("ada"), admin("bob")
    results = race_of(
        lambda: accounts.set_role(bob, "shifter", Requester("ada", ada)),
        lambda: accounts.set_active(ada, False, Requester("bob", bob)),
    )
    assert sorted(isinstance(each, AccountRefusedError) for each in results) == [False, True], results
    admins = [user for user in User.objects.filter(is_active=True) if role_of(user) == "admin"]
    assert len(admins) == 1


def test_an_administrator_revokes_the_token_of_anybody(ada: Client) -> None:
    tokens.create("of kim", operator("kim"), DAQ)
    page = Page.of(ada.get("/accounts/").content)
    assert "of kim" in page.one("//tr[td[1]='kim']").text()
    ada.post("/accounts/revoke", {"name": "of kim"})
    assert not ApiToken.objects.exists()
    gone = ada.post("/accounts/revoke", {"name": "of kim"})
    assert gone.status_code == 400
    assert b"There is no token" in gone.content


def test_the_page_asks_no_more_of_the_database_with_more_people(ada: Client) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert ada.get("/accounts/").status_code == 200
        return len(asked)

    tokens.create("first", operator("kim"), DAQ)
    ada.get("/accounts/")  # the session is looked up
    before = questions()
    for number in range(30):
        tokens.create(f"token {number}", operator(f"kim{number}"), DAQ)
    assert questions() == before


def test_roles_are_shown_as_they_are_given(ada: Client) -> None:
    observer("lee")
    User.objects.create_superuser("root")
    accounts.create("tim", "expert", DAQ)
    page = Page.of(ada.get("/accounts/").content)
    chosen = {name: page.one(f"//tr[td[1]='{name}']//option[@selected]").text() for name in ("lee", "root", "tim")}
    assert chosen == {"lee": "Observer", "root": "Admin", "tim": "Expert"}
    assert "One-time password" in page.one("//tr[td[1]='tim']").text()


def test_one_makes_and_revokes_the_own_tokens() -> None:
    lee = browser(observer("lee"))
    page = Page.of(lee.post("/account/", {"name": "my laptop"}).content)
    text = page.one("//*[@id='new-token']//code").text()
    bearer = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/account", headers=bearer).json() == {
        "name": "lee",
        "role": "observer",
        "token": "my laptop",
    }
    assert text not in lee.get("/account/").content.decode()
    assert lee.post("/account/revoke", {"name": "my laptop"}).status_code == 302
    assert Client().get("/api/v1/account", headers=bearer).status_code == 401
    lines = Entry.objects.filter(who="lee", what__endswith="token").order_by("id").values_list("what", "subject")
    assert list(lines) == [("create token", "my laptop"), ("revoke token", "my laptop")]


def test_nobody_revokes_the_token_of_another() -> None:
    tokens.create("of kim", operator("kim"), DAQ)
    answer = browser(observer("lee")).post("/account/revoke", {"name": "of kim"})
    assert answer.status_code == 400
    assert "of kim" not in Page.of(answer.content).root.text_content().partition("known:")[2]
    assert ApiToken.objects.exists()


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "taken"])
def test_a_wrong_token_name_is_told(name: str) -> None:
    tokens.create("taken", operator("kim"), DAQ)
    answer = browser(observer("lee")).post("/account/", {"name": name})
    assert answer.status_code == 400
    assert Page.of(answer.content).has("//ul[contains(@class, 'errorlist')]")
    assert ApiToken.objects.count() == 1
