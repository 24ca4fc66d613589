"""Testing a connection from the setup pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking.connection_tests import AT_ONCE
from attpcdaq.runcontrol.asking.setup_changes import load
from attpcdaq.runcontrol.models import ConnectionTest
from attpcdaq.topology.easy_setup import EasySetup, expand
from tests.web.page import Page
from tests.web.people import browser, expert, observer, operator

NEW = {"name": "mm9", "host": "10.0.0.9", "access": "ssh"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(db: None) -> Client:
    load(expand(EasySetup(cobos=1)), DAQ)
    return browser(expert())


def result(client: Client, **query: str) -> Any:
    return client.get(f"/setup/tests/{ConnectionTest.objects.get().pk}/", query, headers=HTMX)


def test_what_is_typed_is_tried_before_it_is_saved(client: Client) -> None:
    answer = client.post("/setup/rows/node/test", NEW, headers=HTMX)
    assert answer.status_code == 202
    part = Page.of(answer.content).one("//div[@data-test='queued']")
    test = ConnectionTest.objects.get()
    assert part.get("hx-get") == f"/setup/tests/{test.pk}/?state=queued"
    assert "it ends by" in part.text()
    assert (test.kind, test.target["host"], test.target["on"]["name"]) == ("node", "10.0.0.9", "mm9")
    publish.sender.submit(lambda: None).result(10)


def test_without_scripts_a_page_follows_it(client: Client) -> None:
    answer = client.post("/setup/rows/node/test", NEW)
    address = f"/setup/tests/{ConnectionTest.objects.get().pk}/"
    assert answer.headers["Location"] == address
    assert "Connection to mm9" in client.get(address).content.decode()
    assert "Look again" in client.get(address).content.decode()


def test_a_saved_row_is_tried_as_it_stands(client: Client) -> None:
    for kind, name, short in (
        ("ecc_server", "ecc-cobo0", "ecc"),
        ("data_router", "router-cobo0", "router"),
        ("node", "node-cobo0", "node"),
    ):
        ConnectionTest.objects.all().delete()
        assert client.post(f"/setup/rows/{kind}/{name}/test", headers=HTMX).status_code == 202
        test = ConnectionTest.objects.get()
        assert (test.kind, test.target["name"], test.target["on"]["name"]) == (short, name, "node-cobo0")


def test_nothing_new_is_no_answer_and_what_came_of_it_is_shown(client: Client) -> None:
    client.post("/setup/rows/node/test", NEW, headers=HTMX)
    assert result(client, state="queued").status_code == 204
    ConnectionTest.objects.update(state="running")
    assert b"Trying mm9" in result(client, state="queued").content
    assert result(client, state="running").status_code == 204
    message = "+ The log-in works.\n! Its clock is 3 s ahead.\n- <b>no</b> such thing."
    ConnectionTest.objects.update(state="failed", message=message, finished_at=timezone.now())
    page = Page.of(result(client, state="running").content)
    assert page.one("//div[@data-test]").get("hx-get") is None
    assert "It does not work" in page.one("//p/span[@data-level='bad']").text()
    assert [each.text() for each in page.all("//li")] == [
        "✓ Good: The log-in works.",
        "▲ Look: Its clock is 3 s ahead.",
        "! Wrong: <b>no</b> such thing.",
    ]


def test_one_that_nobody_took_says_so(client: Client) -> None:
    client.post("/setup/rows/node/test", NEW, headers=HTMX)
    asked = timezone.now() - timedelta(hours=1)
    ConnectionTest.objects.update(requested_at=asked, expires_at=asked + timedelta(seconds=5))
    words = Page.of(result(client, state="queued").content).root.text_content()
    assert "Not tried" in words
    assert "No worker took it within 5 s" in words
    assert "after 5.0 s" in words


def test_what_is_wrong_is_named_with_its_field(client: Client) -> None:
    answer = client.post("/setup/rows/node/test", NEW | {"host": "a b"}, headers=HTMX)
    assert answer.status_code == 400
    assert "Address: use a numeric IPv4 address" in Page.of(answer.content).root.text_content()
    assert client.post("/setup/rows/data_source/test", {}).status_code == 404
    assert client.post("/setup/rows/node/nowhere/test").status_code == 409
    assert not ConnectionTest.objects.exists()


def test_too_many_at_once_are_told_to_wait(client: Client) -> None:
    for _ in range(AT_ONCE):
        assert client.post("/setup/rows/node/test", NEW, headers=HTMX).status_code == 202
    answer = client.post("/setup/rows/node/test", NEW, headers=HTMX)
    assert (answer.status_code, b"wait a few seconds" in answer.content) == (409, True)


def test_only_experts(client: Client) -> None:
    for person in (observer(), operator()):
        assert browser(person).post("/setup/rows/node/test", NEW).status_code == 403
        assert browser(person).post("/setup/rows/node/node-cobo0/test").status_code == 403
        assert "formaction" not in browser(person).get("/setup/").content.decode()
    assert not ConnectionTest.objects.exists()
