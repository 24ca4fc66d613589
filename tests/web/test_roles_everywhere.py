"""Every address that takes more than a GET asks for a role, of sessions and of tokens; no GET changes anything."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.web import tokens
from attpcdaq.web.api import api
from tests.web.everywhere import something_at_every_address
from tests.web.people import admin, browser, expert, observer, operator
from tests.web.test_audited_routes import ADDRESSES, filled

pytestmark = pytest.mark.django_db
PEOPLE = {"observer": observer, "shifter": operator, "expert": expert, "admin": admin}
# What anybody does with the own session, password and browser.
OWN = {"login", "logout", "password", "theme", "wall", "account", "account-revoke"}
# By the name of the address; every other one that is not only read is for shifters.
ROLES = {
    "restart": "expert",
    "preferences": "expert",
    "setup-load": "expert",
    "setup-easy": "expert",
    "setup-apply": "expert",
    "setup-row-add": "expert",
    "setup-row": "expert",
    "setup-row-remove": "expert",
    "setup-row-test": "expert",
    "setup-saved-test": "expert",
    "setup-draft-discard": "expert",
    "accounts": "admin",
    "account-role": "admin",
    "account-password": "admin",
    "account-active": "admin",
    "account-token-revoke": "admin",
    "host-key-read": "expert",
    "host-key-pin": "expert",
    "host-key-unpin": "expert",
}
PAGES = [each for each in ADDRESSES if not each.startswith("/api/") and resolve(each).url_name not in OWN]
CALLS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("post", "/api/v1/commands"): ("shifter", {"action": "stop"}),
    ("post", "/api/v1/adopt"): ("shifter", {}),
    ("post", "/api/v1/exclusions"): ("shifter", {"ecc_server": "ecc-cobo0", "reason": "its HV trips"}),
    ("delete", "/api/v1/exclusions/{ecc_server}"): ("shifter", {}),
    ("post", "/api/v1/control"): ("shifter", {"action": "take"}),
    ("post", "/api/v1/restarts"): ("expert", {"kind": "ecc", "name": "ecc-cobo0"}),
    ("post", "/api/v1/preferences"): ("expert", {"reconfigure_mutant": True}),
    ("post", "/api/v1/events/acknowledge"): ("shifter", {"ids": [1]}),
    ("post", "/api/v1/host-keys/read"): ("expert", {"node": "node-cobo0"}),
    ("post", "/api/v1/host-keys/pin"): ("expert", {"node": "node-cobo0", "fingerprint": "SHA256:a"}),
    ("post", "/api/v1/set-aside"): ("shifter", {}),
    ("post", "/api/v1/shifts"): ("shifter", {"crew": "kim"}),
    ("post", "/api/v1/shifts/current/end"): ("shifter", {}),
    ("post", "/api/v1/shifts/current/checks"): ("shifter", {"ticks": {"beam": True}}),
    ("post", "/api/v1/shifts/current/hand-over"): ("shifter", {"hand_over": "watch the gas"}),
    ("post", "/api/v1/notes"): ("shifter", {"text": "beam is back", "run": 1}),
    ("put", "/api/v1/gaps"): ("shifter", {"after": 1, "cause": "beam"}),
    ("post", "/api/v1/runs/{number}/check"): ("shifter", {}),
    ("patch", "/api/v1/runs/{number}/sheet"): ("shifter", {"title": "alphas"}),
    ("post", "/api/v1/runs/{number}/sheet/same-as-previous"): ("shifter", {}),
    ("post", "/api/v1/observables"): ("shifter", {"name": "Gas"}),
    ("post", "/api/v1/observables/order"): ("shifter", {"order": [1]}),
    ("post", "/api/v1/observables/copy"): ("shifter", {"source": "e20001"}),
    ("patch", "/api/v1/observables/{id}"): ("shifter", {"unit": "mbar"}),
    ("delete", "/api/v1/observables/{id}"): ("shifter", {}),
    ("post", "/api/v1/observables/{id}/retire"): ("shifter", {}),
    ("post", "/api/v1/observables/{id}/bring-back"): ("shifter", {}),
    ("post", "/api/v1/experiments"): ("shifter", {"name": "e20010"}),
    ("patch", "/api/v1/experiments/{name}"): ("shifter", {"name": "e20010"}),
    ("post", "/api/v1/experiments/{name}/activate"): ("shifter", {}),
    ("put", "/api/v1/setup"): ("expert", {}),
    ("post", "/api/v1/setup/easy"): ("expert", {"cobos": 1}),
    ("post", "/api/v1/setup/{kind}/{name}"): ("expert", {"host": "10.0.0.9"}),
    ("patch", "/api/v1/setup/{kind}/{name}"): ("expert", {"host": "10.0.0.9"}),
    ("delete", "/api/v1/setup/{kind}/{name}"): ("expert", {}),
    ("post", "/api/v1/connection-tests"): ("expert", {"kind": "ecc", "name": "ecc-cobo0"}),
    ("post", "/api/v1/configurations/choose"): ("shifter", {"prepare": "x", "configure": "x"}),
    ("post", "/api/v1/configurations/fetch"): ("shifter", {}),
    ("post", "/api/v1/users"): ("admin", {"name": "tim", "role": "shifter"}),
    ("patch", "/api/v1/users/{name}"): ("admin", {"role": "shifter"}),
    ("post", "/api/v1/users/{name}/password"): ("admin", {}),
    ("post", "/api/v1/tokens"): ("observer", {"name": "analysis"}),
    ("delete", "/api/v1/tokens/{name}"): ("observer", {}),
    ("post", "/api/v1/host-keys/unpin"): ("expert", {"node": "node-cobo0", "fingerprint": "SHA256:a"}),
}


@pytest.fixture(autouse=True)
def _rows(db: None) -> None:
    something_at_every_address()


def below(role: str) -> list[str]:
    """The roles that are not enough where `role` is asked for."""
    return list(PEOPLE)[: list(PEOPLE).index(role)]


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create(f'of {user.get_username()}', user, DAQ)}"}


def call(client: Client, operation: tuple[str, str], headers: dict[str, str]) -> int:
    method, path = operation
    address = filled(path.replace("{", "<").replace("}", ">"))
    body = json.dumps(CALLS[operation][1])
    return client.generic(method.upper(), address, body, content_type="application/json", headers=headers).status_code


@pytest.mark.parametrize("address", PAGES)
def test_a_page_asks_for_the_role(address: str) -> None:
    role = ROLES.get(resolve(address).url_name or "", "shifter")
    reads_only = browser(admin("ann")).post(address, headers={"HX-Request": "true"}).status_code == 405
    for less in below(role):
        status = browser(PEOPLE[less]()).post(address, headers={"HX-Request": "true"}).status_code
        assert status == (HTTPStatus.METHOD_NOT_ALLOWED if reads_only else HTTPStatus.FORBIDDEN), less
    status = browser(PEOPLE[role]()).post(address, headers={"HX-Request": "true"}).status_code
    assert status != HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("address", PAGES)
def test_a_page_takes_no_token(address: str) -> None:
    answer = Client().post(address, headers=bearer(admin()))
    to_the_log_in = answer.status_code == HTTPStatus.FOUND and answer.headers["Location"].startswith("/login/")
    assert to_the_log_in or answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_every_order_of_the_api_is_here() -> None:
    paths = api.get_openapi_schema()["paths"]
    orders = {(method, path) for path, methods in paths.items() for method in methods if method != "get"}
    assert orders == set(CALLS)


@pytest.mark.parametrize("operation", CALLS)
def test_an_order_of_the_api_asks_for_the_role(operation: tuple[str, str]) -> None:
    role = CALLS[operation][0]
    for less in below(role):
        assert call(Client(), operation, bearer(PEOPLE[less]())) == HTTPStatus.FORBIDDEN
        line = Entry.objects.all()[0]
        assert (line.role, line.outcome) == (less, "refused")
    assert call(Client(), operation, bearer(PEOPLE[role]())) not in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED)


@pytest.mark.parametrize("operation", CALLS)
def test_an_order_of_the_api_takes_no_session(operation: tuple[str, str]) -> None:
    """A page of elsewhere could send it along: only who has the token sends a token."""
    assert call(browser(admin()), operation, {}) == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("operation", [each for each, (role, _) in CALLS.items() if role != "observer"])
def test_a_session_adds_nothing_to_a_token(operation: tuple[str, str]) -> None:
    assert call(browser(admin()), operation, bearer(observer())) == HTTPStatus.FORBIDDEN
    assert Entry.objects.all()[0].who == "lee"


@pytest.mark.parametrize("address", ADDRESSES)
def test_looking_changes_nothing(address: str) -> None:
    client = browser(admin())
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    said = [query["sql"].strip() for query in asked]
    assert [words for words in said if not words.startswith(("SELECT", "SAVEPOINT", "RELEASE"))] == []
