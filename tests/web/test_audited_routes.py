"""Every address and every method that may change something leaves a line in the audit trail."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.web import tokens
from attpcdaq.web.api import api
from tests.web.everywhere import something_at_every_address
from tests.web.people import browser, observer, operator

SAMPLES = {
    "action": "describe",
    "experiment": "e20009",
    "server_id": "1",
    "router_id": "1",
    "number": "1",
    "kind": "ecc",
    "pk": "1",
    "id": "1",
    "shift_id": "1",
    "command_id": "00000000-0000-0000-0000-000000000001",
    "restart_id": "00000000-0000-0000-0000-000000000001",
    "test_id": "00000000-0000-0000-0000-000000000001",
}
PASSED_ON = "events/stream"  # asynchronous, and only ever read


def patterns(found: Any, before: str = "") -> Iterator[str]:
    for each in found:
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, before + str(each.pattern))
        elif isinstance(each, URLPattern) and "api/" not in before:
            yield before + filled(str(each.pattern))


def filled(pattern: str) -> str:
    pattern = pattern.replace("setup/<kind>", "setup/ecc_server")  # logs have kinds of their own
    for part in pattern.split("<")[1:]:
        name = part.partition(">")[0]
        pattern = pattern.replace(f"<{name}>", SAMPLES.get(name.rpartition(":")[2], "x"))
    return pattern


def addresses() -> list[str]:
    pages = {f"/{address}" for address in patterns(get_resolver().url_patterns) if address != PASSED_ON}
    document = api.get_openapi_schema()
    calls = {filled(path.replace("{", "<").replace("}", ">")) for path in document["paths"]}
    return sorted(pages | calls)


ADDRESSES = addresses()


@pytest.fixture
def rows(db: None) -> None:
    something_at_every_address()


def lines_of(client: Client, method: str, address: str, **more: Any) -> list[Entry]:
    last = Entry.objects.values_list("id", flat=True).first() or 0
    client.generic(method, address, **more)
    return list(Entry.objects.filter(pk__gt=last))


def test_there_are_addresses_of_every_kind() -> None:
    assert {"/", "/login/", "/actions/describe", "/actions/control", "/setup/apply", "/api/v1/commands"} <= set(
        ADDRESSES
    )


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_leaves_a_line_of_who_tried(address: str, rows: None) -> None:
    shifter, watcher = browser(operator("kim")), browser(observer("lee"))
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for client in (shifter, watcher):
            line, *_ = lines_of(client, method, address) or [None]
            assert line, f"{method} {address}"
            assert line.what
            assert line.outcome in ("accepted", "done") or line.text


@pytest.mark.parametrize("address", [address for address in ADDRESSES if address.startswith("/api/")])
def test_each_call_names_its_token(address: str, rows: None) -> None:
    bearer = f"Bearer {tokens.create('analysis', operator(), DAQ)}"
    more = {"headers": {"Authorization": bearer}, "content_type": "application/json", "REMOTE_ADDR": "10.0.0.7"}
    lines = lines_of(Client(), "POST", address, **more)
    assert lines
    for line in lines:
        assert line.text or line.outcome == "accepted"
        assert line.origin == "token analysis from 10.0.0.7" or line.outcome == "refused"


def test_reading_leaves_none(rows: None) -> None:
    client = browser(operator("kim"))
    for address in ("/", "/runs/", "/audit/", "/api/v1/status"):
        assert lines_of(client, "GET", address) == []


def test_strangers_who_try_addresses_leave_none(rows: None) -> None:
    assert lines_of(Client(), "POST", "/wp-login.php") == []


def test_a_stranger_at_a_button_leaves_one(rows: None) -> None:
    (line,) = lines_of(Client(), "POST", "/actions/stop", REMOTE_ADDR="10.0.0.7")
    assert (line.who, line.what, line.outcome, line.origin) == ("", "stop", "refused", "10.0.0.7")


def test_a_page_of_elsewhere_that_presses_a_button_leaves_one(rows: None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator("kim"), backend="django.contrib.auth.backends.ModelBackend")
    (line,) = lines_of(client, "POST", "/actions/stop")
    assert (line.who, line.what, line.outcome, line.text) == ("kim", "stop", "refused", "403 Forbidden")
