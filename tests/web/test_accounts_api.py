"""Accounts and tokens over the API: the rules of the pages."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runlog.models import Manifest, RunFile
from attpcdaq.web import tokens
from attpcdaq.web.models import ApiToken
from tests.runlog.rows import NOON, make_experiment, make_run
from tests.web.people import admin, observer, operator

pytestmark = pytest.mark.django_db


class Caller:
    """A program with a token of this user."""

    def __init__(self, user: User) -> None:
        text = tokens.create(f"program of {user.get_username()}", user, DAQ)
        self.headers = {"Authorization": f"Bearer {text}"}

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        answer = getattr(Client(), method)(f"/api/v1{path}", headers=self.headers, **more)
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
def ada() -> Caller:
    return Caller(admin("ada"))


def test_an_account_from_its_beginning_to_its_end(ada: Caller, client: Client) -> None:
    code, made = ada("post", "/users", {"name": "tim", "role": "shifter"})
    assert (code, made["role"], made["one_time"], made["tokens"]) == (201, "shifter", True, 0)
    assert client.post("/login/", {"username": "tim", "password": made["password"]}).status_code == 302
    assert ada("patch", "/users/tim", {"role": "expert"})[1]["role"] == "expert"
    code, given = ada("post", "/users/tim/password")
    assert code == 201
    assert client.get("/").status_code == 302, "logged out by the new password"
    assert client.post("/login/", {"username": "tim", "password": given["password"]}).status_code == 302
    assert ada("patch", "/users/tim", {"active": False})[1]["active"] is False
    assert ada("post", "/users/tim/password")[0] == 409
    listed = {one["name"]: (one["role"], one["active"]) for one in ada("get", "/users")[1]}
    assert listed == {"ada": ("admin", True), "tim": ("expert", False)}
    assert not Entry.objects.filter(text__contains=given["password"]).exists()


def test_nothing_is_half_done(ada: Caller) -> None:
    code, answer = ada("patch", "/users/ada", {"role": "observer", "active": False})
    assert (code, answer["reasons"]) == (
        409,
        ["You would lose the role admin yourself: another administrator must do that."],
    )
    code, answer = ada("patch", "/users/ada", {"role": "admin", "active": False})
    assert code == 409
    assert "another administrator" in answer["detail"]
    assert User.objects.get(username="ada").is_active


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "words"),
    [
        ("post", "/users", {"name": "a b", "role": "shifter"}, 422, "name: User name 'a b': use 1 to 150"),
        ("post", "/users", {"name": "ADA", "role": "shifter"}, 409, "There is a user ADA already"),
        ("post", "/users", {"name": "tim", "role": "king"}, 422, "role: Input should be 'observer', 'shifter'"),
        ("post", "/users", {"name": "tim", "role": "shifter", "is_staff": True}, 422, "allowed are name, role"),
        ("patch", "/users/nobody", {"role": "shifter"}, 404, "There is no user 'nobody'"),
        ("post", "/users/nobody/password", None, 404, "There is no user 'nobody'"),
        ("post", "/tokens", {"name": " x"}, 422, "name: Token name ' x': use 1 to 63"),
        ("post", "/tokens", {"name": "program of ada"}, 409, "There is a token program of ada already"),
        ("post", "/tokens", {"name": "x", "user": "nobody"}, 404, "There is no user 'nobody'"),
        ("delete", "/tokens/nothing", None, 404, "There is no token 'nothing'; known: program of ada."),
    ],
)
def test_nonsense_is_told_what_is_allowed(
    ada: Caller, method: str, path: str, body: object, code: int, words: str
) -> None:
    found, answer = ada(method, path, body)
    assert found == code, answer
    assert words in answer["detail"]
    assert (User.objects.count(), ApiToken.objects.count()) == (1, 1)


def test_tokens_are_ones_own_unless_one_is_an_administrator(ada: Caller) -> None:
    lee = Caller(observer("lee"))
    code, made = lee("post", "/tokens", {"name": "laptop"})
    assert (code, made["user"]) == (201, "lee")
    text = {"Authorization": f"Bearer {made['text']}"}
    assert Client().get("/api/v1/account", headers=text).json()["token"] == "laptop"
    assert [one["name"] for one in lee("get", "/tokens")[1]] == ["laptop", "program of lee"]
    assert lee("get", "/tokens?all=true")[0] == 403
    assert lee("post", "/tokens", {"name": "more", "user": "ada"})[0] == 403
    assert lee("delete", "/tokens/program of ada")[0] == 404
    assert ada("post", "/tokens", {"name": "for lee", "user": "lee"})[1]["user"] == "lee"
    assert len(ada("get", "/tokens?all=true")[1]) == 4
    assert ada("delete", "/tokens/laptop")[0] == 204
    assert Client().get("/api/v1/account", headers=text).status_code == 401


def test_stray_files_are_put_aside_unless_a_run_is_open() -> None:
    kim = Caller(operator("kim"))
    assert kim("post", "/set-aside") == (202, None)
    make_run(make_experiment(), 1, state="running")
    code, answer = kim("post", "/set-aside")
    assert (code, answer["reasons"]) == (409, ["A run is open: its files are moved when it is stopped."])


def test_a_run_is_checked_once_more() -> None:
    kim = Caller(operator("kim"))
    run = make_run(make_experiment(), 7, state="closed", closed_at=NOON)
    code, answer = kim("post", "/runs/7/check")
    assert (code, answer["detail"]) == (409, "No data file belongs to run 7.")
    RunFile.objects.create(run=run, kind="data", node="node-cobo0", owner="router-cobo0", path="/a.graw", size=7)
    assert kim("post", f"/runs/7/check?experiment={run.experiment.name}") == (202, None)
    assert Manifest.objects.get(pk=run.pk).made_at is None
    assert kim("post", "/runs/8/check")[0] == 404
    assert kim("post", "/runs/7/check?experiment=nothing")[0] == 404
