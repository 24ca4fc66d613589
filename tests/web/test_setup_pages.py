"""Pages of the setup."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking.configs import choices, store_config_sets
from attpcdaq.runcontrol.asking.setup_changes import load
from attpcdaq.runcontrol.models import Command
from attpcdaq.topology import setup_store
from attpcdaq.topology.easy_setup import EasySetup, Series, expand
from attpcdaq.topology.models import ECCServer
from attpcdaq.topology.setup import RouterEntry, Setup
from attpcdaq.topology.setup_file import dump, parse
from attpcdaq.web.easy_start import begin_with
from attpcdaq.web.forms_setup import EasySetupForm
from get_protocol.config_set import ConfigId
from tests.topology.setups import TEXT
from tests.web.page import Page, Part
from tests.web.people import browser, expert, observer, operator

LISTED = [ConfigId(d, c, c) for d in ("cobo0", "cobo1", "mutant") for c in ("experiment", "fullreadout")]


@pytest.fixture
def client(db: None) -> Client:
    return browser(expert())


@pytest.fixture
def small(db: None) -> Setup:
    setup = expand(EasySetup(cobos=2))
    load(setup, DAQ)
    for server in ECCServer.objects.all():
        store_config_sets(server, LISTED)
    return setup


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def upload(client: Client, content: str | bytes) -> Any:
    content = content.encode() if isinstance(content, str) else content
    return client.post("/setup/load", {"file": SimpleUploadedFile("setup.toml", content)})


def hidden(answer: Any) -> dict[str, str]:
    """What the preview would post."""
    page = answer.content.decode()
    setup = re.search(r'<textarea name="setup" hidden>\n(.*?)</textarea>', page, re.DOTALL)
    before = re.search(r'name="before" value="(\w+)"', page)
    assert setup
    assert before
    return {"setup": unescape(setup[1]).replace("\n", "\r\n"), "before": before[1]}


def told(answer: Any) -> list[tuple[str, str]]:
    """The groups of the preview, and what stands in them."""
    page = Page.of(answer.content)
    return [
        (head.text(), f"{kind.text()} {name.text()}")
        for part in page.all("//section[contains(@class, 'changes')]")
        for head in [Part(part.element.xpath(".//h2")[0])]
        for row in part.element.xpath(".//tbody/tr[td[contains(@class, 'strong')]]")
        for kind, name in [(Part(row[0]), Part(row[1]))]
    ]


def easy(**changed: Any) -> dict[str, Any]:
    form = EasySetupForm()
    return {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()} | {
        "mutant": "readout", "ecc_servers": "one-each", "ecc_host_step": 0, "router_host_step": 0, "ssh_host_step": 0,
        "agent_port_step": 0,
    } | changed  # fmt: skip


def busy() -> None:
    now = timezone.now()
    Command.objects.create(action="prepare", requested_by="kim", requested_at=now, expires_at=now, published_at=now)


@pytest.mark.parametrize("path", ["/setup/", "/setup/easy", "/setup/file"])
def test_pages_need_a_log_in(db: None, path: str) -> None:
    assert Client().get(path).status_code == 302


def test_an_empty_setup_says_what_to_do(client: Client) -> None:
    page = text(client.get("/setup/"))
    assert "Nothing is set up yet" in page
    assert "/setup/easy" in page


def test_the_page_shows_the_hardware_and_offers_what_fits(client: Client, small: Setup) -> None:
    page = text(client.get("/setup/"))
    for expected in ("ecc-cobo0", "router-mutant", "node-cobo1", "127.0.0.1:46005", "CoBo[1]"):
        assert expected in page
    assert page.count("cobo0 / experiment / experiment") == 1
    assert page.count("<option") == 3 * 3 + 3  # the choice for all has two pairs
    panel = text(client.get("/setup/", {"panels": "configs"}))
    assert panel.startswith('<section class="panel flush" id="configs"')


def test_a_configuration_is_chosen(client: Client, small: Setup) -> None:
    first, second, _ = ECCServer.objects.all()
    chosen = choices(first)[1]
    data = {f"config-{first.pk}": chosen.pk, f"was-{first.pk}": "", f"config-{second.pk}": "", f"was-{second.pk}": ""}
    page = text(client.post("/setup/configurations", data, follow=True))
    assert "Saved: 1 configurations changed." in page
    first.refresh_from_db()
    assert first.config_set == chosen
    # Somebody with an older page changes another server: the first choice stays.
    other = {f"config-{first.pk}": "", f"was-{first.pk}": "", f"config-{second.pk}": choices(second)[0].pk}
    client.post("/setup/configurations", other | {f"was-{second.pk}": ""})
    first.refresh_from_db()
    assert first.config_set == chosen


@pytest.mark.parametrize("value", ["999999", "x", "-1", "9" * 30])
def test_a_choice_that_is_not_offered_is_refused(client: Client, small: Setup, value: str) -> None:
    server = ECCServer.objects.all()[0]
    answer = client.post("/setup/configurations", {f"config-{server.pk}": value})
    assert answer.status_code == 400
    assert "Nothing was done" in text(answer)
    assert client.post("/setup/configurations", {"config-x": "1"}).status_code == 400


def test_nothing_is_chosen_while_a_command_is_active(client: Client, small: Setup) -> None:
    busy()
    page = text(client.get("/setup/"))
    assert "The choice is fixed while Prepare of kim is under way" in page
    server = ECCServer.objects.all()[0]
    answer = client.post("/setup/configurations", {f"config-{server.pk}": choices(server)[0].pk})
    assert answer.status_code == 409
    server.refresh_from_db()
    assert server.config_set is None


def test_the_file_that_is_downloaded_is_the_setup(client: Client, small: Setup) -> None:
    answer = client.get("/setup/file")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="setup.toml"'
    assert parse(answer.content) == small


def test_a_file_is_loaded_after_a_look_at_what_changes(client: Client, small: Setup) -> None:
    answer = upload(client, TEXT)
    assert ("Goes away", "ECC server ecc-mutant") in told(answer)
    assert ("Changes", "node node-cobo0") in told(answer)
    assert setup_store.read() == small
    page = text(client.post("/setup/apply", hidden(answer), follow=True))
    assert "The setup was loaded" in page
    assert setup_store.read() == parse(TEXT)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (TEXT.replace("8083", "0"), "[[ecc_server]] number 1 (ecc-cobo0): port 0 is not allowed"),
        (b"\xff", "not UTF-8"),
        ("[", "not TOML"),
        ("", "empty"),
        ("#" * 1_000_001, "larger than 1000000 bytes"),
        ("<script>alert(1)</script>", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_words(client: Client, small: Setup, content: str | bytes, expected: str) -> None:
    answer = upload(client, content)
    assert answer.status_code == 400
    assert expected in text(answer)
    assert 'href="."' in text(answer)
    assert setup_store.read() == small


def test_without_a_file_nothing_happens(client: Client) -> None:
    assert client.post("/setup/load").status_code == 400
    assert client.post("/setup/apply").status_code == 400


def test_a_preview_that_is_out_of_date_is_shown_again(client: Client, small: Setup) -> None:
    preview = hidden(upload(client, TEXT))
    other = expand(EasySetup(cobos=1))
    load(other, DAQ)
    answer = client.post("/setup/apply", preview)
    assert "The setup was changed meanwhile" in text(answer)
    assert setup_store.read() == other
    client.post("/setup/apply", hidden(answer))
    assert setup_store.read() == parse(TEXT)


def test_nothing_is_loaded_while_a_command_is_active(client: Client, small: Setup) -> None:
    busy()
    answer = upload(client, TEXT)
    assert "The setup is fixed while Prepare of kim is under way" in text(answer)
    assert client.post("/setup/apply", hidden(answer)).status_code == 409
    assert setup_store.read() == small


def test_easy_setup_makes_what_its_numbers_say(client: Client) -> None:
    assert client.get("/setup/easy").status_code == 200
    answer = client.post("/setup/easy", easy(cobos=3, prepare="experiment"))
    assert ("Is added", "ECC server ecc-cobo2") in told(answer)
    assert not ECCServer.objects.exists()
    client.post("/setup/apply", hidden(answer))
    assert setup_store.read() == expand(EasySetup(cobos=3, prepare="experiment"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"cobos": 0}, "greater than or equal to 1"),
        ({"cobos": 33}, "less than or equal to 32"),
        ({"cobos": "x"}, "whole number"),
        ({"mutant": "maybe"}, "valid choice"),
        ({"ecc_port": 65536}, "less than or equal to 65535"),
        ({"ecc_port": 65535}, "ECC server of board 1 at 127.0.0.1 port 65536"),
        ({"ecc_host": "a b"}, "ECC server of board 0 at a b"),
        ({"staging_dir": "x"}, "staging directory"),
        ({"ssh_user": "a;b"}, "SSH user &#x27;a;b&#x27;"),
        ({"process_name": "a b"}, "program &#x27;a b&#x27;"),
        ({"ecc_port_step": 0}, "already that of ecc-cobo0"),
    ],
)
def test_easy_setup_names_what_does_not_fit(client: Client, changed: dict[str, Any], expected: str) -> None:
    answer = client.post("/setup/easy", easy(**changed))
    assert answer.status_code == 400
    assert expected in text(answer)
    assert not ECCServer.objects.exists()


def test_an_observer_looks_and_changes_nothing(small: Setup) -> None:
    client = browser(observer())
    assert "Save the choice" not in text(client.get("/setup/"))
    assert client.get("/setup/easy").status_code == 200
    assert client.post("/setup/easy", easy()).status_code == 403
    assert client.post("/setup/apply", {"setup": TEXT}).status_code == 403
    assert upload(client, TEXT).status_code == 403
    assert client.post("/setup/fetch").status_code == 403
    assert client.post("/setup/configurations").status_code == 403
    assert setup_store.read() == small


def test_the_servers_are_asked_for_their_lists(client: Client, small: Setup) -> None:
    page = text(client.post("/setup/fetch", follow=True))
    assert "Every ECC server was asked" in page


def test_a_setup_with_odd_names_survives_the_preview(client: Client) -> None:
    odd = TEXT.replace('prepare = "experiment"', 'prepare = "a<b>&\\"c\'"')
    client.post("/setup/apply", hidden(upload(client, odd)))
    assert dump(setup_store.read()) == dump(parse(odd))


def test_a_shifter_chooses_configurations_and_leaves_the_setup_to_experts(small: Setup) -> None:
    client = browser(operator("kim"))
    page = text(client.get("/setup/"))
    assert "Save the choice" in page
    assert "Load a setup file" not in page
    assert "needs the role expert" in text(client.get("/setup/easy"))
    for address in ("/setup/easy", "/setup/load", "/setup/apply"):
        assert client.post(address, {}).status_code == 403


@pytest.mark.parametrize(
    "numbers",
    [
        EasySetup(cobos=3, ssh_user="attpc", log_file="/l/{name}", ecc_log_file="/e/{name}", link_type="FDT"),
        EasySetup(cobos=2, mutant="none", ecc=Series("10.0.0.60", 8083, 1), ssh=Series("10.0.1.1", 22, 2)),
        EasySetup(cobos=2, mutant="no-readout", ecc_servers="one-for-all"),
    ],
)  # fmt: skip
def test_easy_setup_begins_with_the_setup_that_is_there(client: Client, numbers: EasySetup) -> None:
    load(expand(numbers), DAQ)
    form = Page.of(client.get("/setup/easy").content).one("//form[@class='panel form']").element
    sent = {one.get("name"): one.get("value", "") for one in form.xpath(".//input[@name]")}
    sent |= {one.get("name"): one.xpath("./option[@selected]/@value")[0] for one in form.xpath(".//select")}
    assert "Nothing: the setup already says exactly this." in text(client.post("/setup/easy", sent))


def test_easy_setup_puts_names_in_log_files_only(client: Client) -> None:
    router = RouterEntry("daq", "n", "10.0.0.1", "/data/daq", process_name="daq", log_file="/logs/daq.log")
    begun = begin_with(replace(expand(EasySetup(cobos=1)), data_routers=(router,)))
    assert (begun["staging_dir"], begun["process_name"], begun["log_file"]) == ("/data/daq", "daq", "/logs/{name}.log")
