"""The forms of single rows of the setup: add, change, rename, remove; what is not whole waits in the browser."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking import setup_rows
from attpcdaq.runcontrol.asking.setup_changes import load
from attpcdaq.runcontrol.models import Command
from attpcdaq.topology import setup_store
from attpcdaq.topology.easy_setup import EasySetup, expand
from attpcdaq.topology.models import ECCServer, Node
from attpcdaq.topology.setup import NodeEntry, Setup
from attpcdaq.topology.setup_edit import find
from attpcdaq.web import setup_saving
from attpcdaq.web.forms_setup_rows import RowForm
from tests.web.page import Page
from tests.web.people import browser, expert, observer, operator

NODE, ECC, BOARD = "/setup/rows/node/", "/setup/rows/ecc_server/", "/setup/rows/data_source/"


@pytest.fixture
def small(db: None) -> Setup:
    load(expand(EasySetup(cobos=2)), DAQ)
    return setup_store.read()


@pytest.fixture
def client(small: Setup) -> Client:
    return browser(expert())


def page(answer: Any) -> Page:
    return Page.of(answer.content)


def words(answer: Any) -> str:
    return Page.of(answer.content).one("//main").text()


def filled(client: Client, address: str, **changed: object) -> dict[str, Any]:
    """What the form would send, with some values other."""
    form = page(client.get(address)).id("row-form")
    sent = {one.get("name"): one.get("value", "") for one in form.element.xpath(".//input[@name]")}
    for select in form.element.xpath(".//select"):
        sent[select.get("name")] = next(iter(select.xpath("./option[@selected]/@value")), "")
    sent.pop("csrfmiddlewaretoken", None)
    return sent | changed


def save(client: Client, address: str, follow: bool = True, **changed: object) -> Any:
    return client.post(address, filled(client, address, **changed), follow=follow)


def test_every_row_leads_to_its_form(client: Client) -> None:
    links = {each.get("href") for each in page(client.get("/setup/")).all("//td//a")}
    assert {f"{NODE}node-cobo0/", f"{ECC}ecc-mutant/", "/setup/rows/data_router/router-cobo1/"} <= links
    assert f"{BOARD}CoBo%5B0%5D/" in links
    for link in links:
        if link and link.startswith("/setup/rows/"):
            assert client.get(link).status_code == 200


def test_a_node_is_added_and_in_force_at_once(client: Client) -> None:
    answer = save(client, f"{NODE}add", name="mm9", host="10.0.0.9", ssh_user="attpc")
    assert "Add node mm9: host 10.0.0.9" in words(answer)
    node = Node.objects.get(name="mm9")
    assert (node.host, node.ssh_user, node.restart_ecc) == ("10.0.0.9", "attpc", "systemctl restart {name}")


def test_a_change_says_old_and_new_and_is_audited(client: Client) -> None:
    answer = save(client, f"{ECC}ecc-cobo0/", port=9000, log_file="/logs/ecc.log", deadline_prepare="90.5")
    expected = "port 8083 → 9000; log_file (none) → /logs/ecc.log; deadlines (none) → prepare 90.5 s"
    assert f"Change ECC server ecc-cobo0: {expected}." in words(answer)
    assert Entry.objects.filter(what="setup").first().text == f"change ECC server ecc-cobo0: {expected}"
    again = save(client, f"{ECC}ecc-cobo0/")
    assert "Nothing had changed." in words(again)
    assert ECCServer.objects.get(name="ecc-cobo0").deadlines == {"prepare": 90.5}


def test_a_row_goes_on_under_another_name(client: Client) -> None:
    before = ECCServer.objects.get(name="ecc-cobo0").pk
    assert "Rename ECC server ecc-cobo0" in words(save(client, f"{ECC}ecc-cobo0/", name="ecc-mm0"))
    assert ECCServer.objects.get(name="ecc-mm0").pk == before
    assert find(setup_store.read(), "data_source", "CoBo[0]").ecc_server == "ecc-mm0"


@pytest.mark.parametrize(
    ("address", "changed", "field", "expected"),
    [
        (f"{NODE}add", {"name": "a b", "host": "10.0.0.1"}, "name", "Use 1 to 63 letters"),
        (f"{NODE}add", {"name": "mm9", "host": "10.0.0.999"}, "host", "four numbers from 0 to 255"),
        (f"{NODE}add", {"name": "mm9", "host": ""}, "host", "required"),
        (f"{NODE}add", {"name": "mm9", "host": "h", "ssh_port": "70000"}, "ssh_port", "less than or equal to 65535"),
        (f"{NODE}add", {"name": "mm9", "host": "h", "restart_ecc": "{n}"}, "restart_ecc", "braces are for {name}"),
        (f"{ECC}ecc-cobo0/", {"log_file": "ecc.log"}, "log_file", "Use an absolute path"),
        (f"{ECC}ecc-cobo0/", {"deadline_stop": "0"}, "deadline_stop", "greater than or equal to 1"),
        ("/setup/rows/data_router/router-cobo0/", {"staging_dir": "/a/../b"}, "staging_dir", "without '..'"),
        (f"{BOARD}CoBo[0]/", {"sender_id": "CoBo 0"}, "sender_id", "Use the form CoBo[0]"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field(
    client: Client, small: Setup, address: str, changed: dict[str, str], field: str, expected: str
) -> None:
    answer = save(client, address, **changed)
    assert answer.status_code == 400
    place = page(answer).one(f"//*[@name='{field}']/ancestor::div[contains(@class, 'field')][1]")
    assert expected in place.text()
    assert setup_store.read() == small


@pytest.mark.parametrize(
    ("address", "changed", "expected"),
    [
        (f"{NODE}add", {"name": "node-cobo0", "host": "h"}, "name node-cobo0 is already that of number 1"),
        (f"{ECC}ecc-cobo0/", {"port": "8084"}, "host and port 127.0.0.1:8084 is already that of"),
        (f"{BOARD}CoBo[0]/", {"data_router": ""}, "a CoBo needs a data router"),
        (f"{BOARD}CoBo[0]/", {"data_router": "router-cobo1"}, "data router router-cobo1 is already that of"),
        (f"{NODE}node-cobo0/", {"access": "agent"}, "restart_ecc needs a node with access ssh"),
    ],
)
def test_what_the_rows_owe_each_other_is_said(
    client: Client, small: Setup, address: str, changed: dict[str, str], expected: str
) -> None:
    answer = save(client, address, **changed)
    assert answer.status_code == 400
    assert expected in page(answer).one("//main//*[@role='alert']").text()
    assert setup_store.read() == small


def test_a_board_is_made_row_by_row_and_loaded_when_it_is_whole(client: Client, small: Setup) -> None:
    answer = save(client, f"{ECC}add", name="ecc-cobo2", host="10.0.0.2", node="node-cobo0", describe_name="cobo2")
    assert "It is not in force until the rest is there." in words(answer)
    assert "ECC server ecc-cobo2 drives no board; add a board, or remove it." in page(answer).id("draft-missing").text()
    more = {"name": "router-cobo2", "host": "10.0.0.2", "node": "node-cobo0", "staging_dir": "/staging2"}
    save(client, "/setup/rows/data_router/add", **more)
    assert setup_store.read() == small
    answer = save(client, f"{BOARD}add", sender_id="CoBo[2]", ecc_server="ecc-cobo2", data_router="router-cobo2")
    assert answer.redirect_chain == [("/setup/draft", 302)]
    assert "3 are added" in words(answer)
    sent = {key: page(answer).one(f"//*[@name='{key}']") for key in ("setup", "before")}
    body = {"setup": sent["setup"].element.text, "before": sent["before"].get("value")}
    assert "The setup was loaded: 3 changes." in words(client.post("/setup/apply", body, follow=True))
    assert find(setup_store.read(), "data_source", "CoBo[2]")
    assert not page(client.get("/setup/")).has("//*[@id='draft']")
    assert client.get("/setup/draft").status_code == 302


def test_what_was_begun_can_be_changed_taken_out_and_thrown_away(client: Client, small: Setup) -> None:
    save(client, f"{ECC}add", name="ecc-cobo2", host="10.0.0.2", node="node-cobo0")
    save(client, f"{ECC}ecc-cobo2/", port=9999)
    assert "port 9999" not in words(client.get("/setup/"))
    assert "9999" in client.get("/setup/draft").content.decode()
    over = page(client.get(f"{ECC}ecc-cobo2/remove")).one("//input[@name='over']").get("value")
    client.post(f"{ECC}ecc-cobo2/remove", {"over": over})
    assert not page(client.get("/setup/")).has("//*[@id='draft']")
    save(client, f"{ECC}add", name="ecc-cobo2", host="10.0.0.2", node="node-cobo0")
    assert "thrown away" in words(client.post("/setup/draft/discard", follow=True))
    assert not page(client.get("/setup/")).has("//*[@id='draft']")
    assert setup_store.read() == small


def test_another_browser_does_not_see_it(client: Client) -> None:
    save(client, f"{ECC}add", name="ecc-cobo2", host="10.0.0.2", node="node-cobo0")
    assert not page(browser(expert("ann")).get("/setup/")).has("//*[@id='draft']")


def test_a_setup_that_changed_meanwhile_ends_it_in_words(client: Client) -> None:
    save(client, f"{ECC}add", name="ecc-cobo2", host="10.0.0.2", node="node-cobo0")
    save(browser(expert("ann")), f"{NODE}add", name="mm9", host="10.0.0.9")
    assert "dropped. It was: add ECC server ecc-cobo2" in words(client.get("/setup/"))
    assert find(setup_store.read(), "node", "mm9")


def test_what_is_in_force_keeps_its_name_while_something_is_begun(client: Client) -> None:
    save(client, f"{ECC}add", name="ecc-cobo2", host="10.0.0.2", node="node-cobo0")
    answer = save(client, f"{NODE}node-cobo0/", name="mm0")
    assert (answer.status_code, "until then what is in force keeps its name" in words(answer)) == (400, True)
    assert "mm0" not in client.get("/setup/draft").content.decode()
    save(client, f"{ECC}ecc-cobo2/", name="ecc-new")
    assert "ecc-new" in client.get("/setup/draft").content.decode()


def test_a_form_is_saved_over_the_setup_that_it_was_read_with(client: Client, small: Setup) -> None:
    form = RowForm("node", small, filled(client, f"{NODE}add", name="mm9", host="10.0.0.9"))
    setup_rows.add([("node", NodeEntry("mm9", "10.0.0.8"))], DAQ)  # the other half of a double click
    request = RequestFactory().post(f"{NODE}add")
    request.user, request.session = expert("ann"), client.session
    assert setup_saving.save(request, "node", form) is None
    assert "changed meanwhile by somebody else" in str(form.non_field_errors())
    assert Node.objects.get(name="mm9").host == "10.0.0.8"


def test_two_experts_at_one_row_do_not_overwrite_each_other(client: Client, small: Setup) -> None:
    mine = filled(client, f"{NODE}node-cobo0/", ssh_user="mine")
    setup_rows.change("node", "node-cobo0", replace(small.nodes[0], host="10.0.0.1"), DAQ)
    answer = client.post(f"{NODE}node-cobo0/", mine)
    assert answer.status_code == 409
    alert = page(answer).one("//main//*[@role='alert']").text()
    assert "Somebody else changed it meanwhile" in alert
    assert "host is 10.0.0.1" in alert
    assert page(answer).id("id_ssh_user").get("value") == "mine"
    again = mine | {"was": page(answer).one("//input[@name='was']").get("value"), "host": "10.0.0.1"}
    assert client.post(f"{NODE}node-cobo0/", again).status_code == 302
    node = Node.objects.get(name="node-cobo0")
    assert (node.host, node.ssh_user) == ("10.0.0.1", "mine")


def test_a_removal_says_what_goes_with_it(client: Client, small: Setup) -> None:
    answer = client.get(f"{NODE}node-cobo1/remove")
    for name in ("node-cobo1", "ecc-cobo1", "router-cobo1", "CoBo[1]"):
        assert name in words(answer)
    assert "The host keys pinned for node-cobo1 are forgotten." in words(answer)
    assert setup_store.read() == small
    over = page(answer).one("//input[@name='over']").get("value")
    done = client.post(f"{NODE}node-cobo1/remove", {"over": over}, follow=True)
    assert "Remove node node-cobo1." in words(done)
    assert not ECCServer.objects.filter(name="ecc-cobo1").exists()


def test_a_removal_of_what_others_changed_is_shown_again(client: Client) -> None:
    over = page(client.get(f"{NODE}node-cobo1/remove")).one("//input[@name='over']").get("value")
    save(browser(expert("ann")), f"{NODE}add", name="mm9", host="10.0.0.9")
    answer = client.post(f"{NODE}node-cobo1/remove", {"over": over})
    assert (answer.status_code, "look again at what goes" in words(answer)) == (409, True)
    assert find(setup_store.read(), "node", "node-cobo1")


def test_the_last_ecc_server_is_not_removed(db: None) -> None:
    load(expand(EasySetup(cobos=1, mutant="none")), DAQ)
    client = browser(expert())
    answer = client.get(f"{ECC}ecc-cobo0/remove")
    assert "It is the last ECC server" in words(answer)
    assert not page(answer).one("//button[contains(@class, 'danger')]").enabled
    over = page(answer).one("//input[@name='over']").get("value")
    assert client.post(f"{ECC}ecc-cobo0/remove", {"over": over}).status_code == 409


def test_what_is_gone_meanwhile_is_said(client: Client) -> None:
    sent = filled(client, f"{NODE}node-cobo1/", host="10.0.0.1")
    over = page(client.get(f"{NODE}node-cobo1/remove")).one("//input[@name='over']").get("value")
    client.post(f"{NODE}node-cobo1/remove", {"over": over})
    answer = client.post(f"{NODE}node-cobo1/", sent)
    assert (answer.status_code, "is no longer part of the setup" in words(answer)) == (409, True)
    assert client.get(f"{NODE}node-cobo1/").status_code == 404
    assert client.get("/setup/rows/magnet/add").status_code == 404


def test_nothing_is_saved_while_a_command_is_at_work_and_what_was_typed_stays(client: Client, small: Setup) -> None:
    sent = filled(client, f"{NODE}node-cobo1/", host="10.0.0.1")
    now = timezone.now()
    Command.objects.create(action="prepare", requested_by="kim", requested_at=now, expires_at=now, published_at=now)
    answer = client.post(f"{NODE}node-cobo1/", sent)
    assert (answer.status_code, "Prepare of kim is under way" in words(answer)) == (409, True)
    assert page(answer).id("id_host").get("value") == "10.0.0.1"
    assert setup_store.read() == small


def test_others_may_look(small: Setup) -> None:
    for person in (observer(), operator()):
        client = browser(person)
        form = page(client.get(f"{NODE}node-cobo0/")).id("row-form")
        assert form.element.xpath("./fieldset/@disabled")
        assert not form.element.xpath(".//button")
        assert client.get(f"{NODE}node-cobo0/remove").status_code == 200
        for address in (f"{NODE}add", f"{NODE}node-cobo0/", f"{NODE}node-cobo0/remove", "/setup/draft/discard"):
            assert client.post(address, {"name": "x"}).status_code == 403
    assert setup_store.read() == small


def test_a_new_row_is_like_the_last(client: Client) -> None:
    form = page(client.get("/setup/rows/data_router/add?node=node-cobo1&host=10.0.0.9"))
    assert form.id("id_staging_dir").get("value") == "/staging"
    assert form.id("id_host").get("value") == "10.0.0.9"
    assert form.one("//select[@name='node']/option[@selected]").text() == "node-cobo1"
