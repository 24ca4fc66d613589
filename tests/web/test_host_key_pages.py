"""The page of host keys and its calls over the API."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol import publish
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology.models import HostKey, Node, SeenHostKey
from attpcdaq.web import tokens
from tests.web.page import Page
from tests.web.people import browser, expert, observer, operator

pytestmark = pytest.mark.django_db
NODE = "node-cobo0"
OLD, NEW = "SHA256:b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQgb2xkIG9sZCA", "SHA256:bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3IG5ldyA"


@pytest.fixture(autouse=True)
def _rows(db: None, settings: Settings) -> None:
    settings.SSH_KNOWN_HOSTS = None
    build_detector(cobos=1)


@pytest.fixture
def client() -> Client:
    return browser(expert())


def shows(fingerprint: str, problem: str = "") -> None:
    """What a node showed when it was read."""
    now = timezone.now()
    fields = {"asked_at": now, "asked_by": "sam", "seen_at": now, "key": f"ssh-ed25519 {fingerprint[7:]}"}
    SeenHostKey.objects.update_or_create(
        node=Node.objects.get(name=NODE), defaults={**fields, "fingerprint": fingerprint, "problem": problem}
    )


def pinned(fingerprint: str) -> None:
    node = Node.objects.get(name=NODE)
    key = f"ssh-ed25519 {fingerprint[7:]}"
    HostKey.objects.create(node=node, key=key, fingerprint=fingerprint, pinned_by="ada", pinned_at=timezone.now())


def post(client: Client, act: str, **fields: str) -> Any:
    return client.post(f"/setup/host-keys/{act}", {"node": NODE, **fields})


def row(client: Client) -> str:
    return Page.of(client.get("/setup/host-keys/").content).id(f"node-{NODE}").text()


def test_the_setup_leads_there(client: Client) -> None:
    assert 'href="/setup/host-keys/"' in client.get("/setup/").content.decode()


def test_nothing_is_trusted_at_first(client: Client) -> None:
    assert "Nothing is trusted" in row(client)
    assert "no key: the DAQ cannot log in there." in row(client)
    assert "not read yet" in row(client)
    assert "Pin this key" not in row(client)


def test_reading_asks_a_worker(client: Client) -> None:
    assert post(client, "read").headers["Location"] == "/setup/host-keys/"
    publish.sender.submit(lambda: None).result(10)
    assert "Being read" in row(client)
    assert SeenHostKey.objects.get().asked_by == "sam"


def test_reading_all_leaves_agents_out(client: Client) -> None:
    Node.objects.filter(name=NODE).update(access="agent")
    assert client.post("/setup/host-keys/read").status_code == 302
    assert [row.node.name for row in SeenHostKey.objects.all()] == ["node-mutant"]
    assert "Reached through its HTTP agent, which has no key" in row(client)
    assert post(client, "read").status_code == 409


def test_pinning_is_of_what_was_shown(client: Client) -> None:
    shows(NEW)
    page = Page.of(client.get("/setup/host-keys/").content)
    form = page.one(f"//form[@action='/setup/host-keys/pin'][.//*[@value='{NODE}']]")
    assert form.element.xpath(".//*[@name='fingerprint']/@value") == [NEW]
    assert post(client, "pin", fingerprint=OLD).status_code == 409
    assert post(client, "pin", fingerprint=NEW).status_code == 302
    assert "Trusted" in row(client)
    assert "pinned by sam" in row(client)
    assert "Pin this key" not in row(client)


def test_a_changed_key_is_loud_with_both(client: Client) -> None:
    pinned(OLD)
    shows(NEW)
    alarm = Page.of(client.get("/setup/host-keys/").content).one("//*[@role='alert' and @data-level='bad']").text()
    assert f"The host key of {NODE} has changed." in alarm
    assert alarm.index(NEW) < alarm.index(OLD)
    refusal = post(client, "pin", fingerprint=NEW)
    assert refusal.status_code == 400
    reasons = Page.of(refusal.content).one("//*[@role='alert']//ul").text()
    assert "another key is pinned for it: say why this one is right too" in reasons
    assert post(client, "pin", fingerprint=NEW, reason="installed anew").status_code == 302
    assert "installed anew" in row(client)
    assert post(client, "unpin", fingerprint=OLD).status_code == 302
    assert list(HostKey.objects.values_list("fingerprint", flat=True)) == [NEW]
    assert post(client, "unpin", fingerprint=OLD).status_code == 409


def test_why_it_could_not_be_read_is_shown_as_text(client: Client) -> None:
    shows(NEW, problem="<script>alert(1)</script> connection refused")
    answer = client.get("/setup/host-keys/").content.decode()
    assert "<script>alert" not in answer
    assert "&lt;script&gt;alert(1)" in answer


def test_the_panel_comes_alone(client: Client) -> None:
    part = client.get("/setup/host-keys/?panels=host-keys").content.decode()
    assert part.startswith('<section class="panel flush" id="host-keys"')


def test_others_may_look_but_see_no_button() -> None:
    pinned(OLD)
    shows(NEW)
    for person in (observer(), operator()):
        page = Page.of(browser(person).get("/setup/host-keys/").content)
        assert "Key has changed" in page.id(f"node-{NODE}").text()
        assert not page.has("//*[@id='host-keys']//button")
        assert post(browser(person), "pin", fingerprint=NEW, reason="x").status_code == 403
    assert HostKey.objects.count() == 1


def test_each_act_is_one_line_of_the_trail(client: Client) -> None:
    shows(NEW)
    post(client, "pin", fingerprint=OLD)
    post(client, "pin", fingerprint=NEW)
    post(client, "unpin", fingerprint=NEW)
    found = [(e.what, e.subject, e.outcome) for e in Entry.objects.exclude(what="log-in").order_by("id")]
    assert found == [("host key", NODE, "refused"), ("host key", NODE, "done"), ("host key", NODE, "done")]


class TestApi:
    @pytest.fixture
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.create('expert', expert(), DAQ)}"}

    def call(self, headers: dict[str, str], act: str, **body: object) -> Any:
        url = f"/api/v1/host-keys/{act}"
        return Client().post(url, {"node": NODE, **body}, content_type="application/json", headers=headers)

    def test_read_pin_unpin(self, headers: dict[str, str]) -> None:
        answer = self.call(headers, "read")
        assert (answer.status_code, answer.json()["reading"]) == (202, True)
        assert self.call(headers, "pin", fingerprint=NEW).status_code == 409
        shows(NEW)
        answer = self.call(headers, "pin", fingerprint=NEW)
        assert (answer.status_code, answer.json()["standing"]) == (201, "trusted")
        (first, _) = Client().get("/api/v1/host-keys", headers=headers).json()
        assert (first["name"], first["trusted"][0]["fingerprint"], first["trusted"][0]["by"]) == (NODE, NEW, "sam")
        answer = self.call(headers, "unpin", fingerprint=NEW)
        assert (answer.status_code, answer.json()["standing"]) == (200, "unknown")

    def test_what_is_wrong_is_named(self, headers: dict[str, str]) -> None:
        assert self.call(headers, "read", node="nowhere").json()["fields"]["node"].startswith("there is no 'nowhere'")
        assert self.call(headers, "pin").json()["fields"] == {"fingerprint": "Field required."}
        wrong = self.call(headers, "pin", fingerprint=NEW, force=True).json()
        assert wrong["fields"] == {"force": "unknown; allowed are node, fingerprint, reason."}
        pinned(OLD)
        shows(NEW)
        assert "say why" in self.call(headers, "pin", fingerprint=NEW).json()["fields"]["reason"]

    def test_a_shifter_may_look_only(self) -> None:
        headers = {"Authorization": f"Bearer {tokens.create('shifter', operator(), DAQ)}"}
        assert Client().get("/api/v1/host-keys", headers=headers).status_code == 200
        assert self.call(headers, "read").status_code == 403
