"""The setup over the API: whole, by Easy setup, row by row; connection tests; choice of configurations."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking.configs import store_config_sets
from attpcdaq.runcontrol.asking.setup_changes import load
from attpcdaq.runcontrol.models import Command, ConnectionTest
from attpcdaq.topology import setup_store
from attpcdaq.topology.easy_setup import EasySetup, expand
from attpcdaq.topology.models import ECCServer
from attpcdaq.topology.setup import Setup
from attpcdaq.web import tokens
from get_protocol.config_set import ConfigId
from tests.web.people import expert, observer, operator

LISTED = [ConfigId(d, c, c) for d in ("cobo0", "cobo1", "mutant") for c in ("experiment", "fullreadout")]
BOARD = {
    "node": "node-cobo0",
    "host": "10.0.0.2",
    "also": [
        {"kind": "data_router", "name": "r2", "node": "node-cobo0", "host": "10.0.0.2", "staging_dir": "/s2"},
        {"kind": "data_source", "sender_id": "CoBo[2]", "role": "cobo", "ecc_server": "ecc-2", "data_router": "r2"},
    ],
}


@pytest.fixture
def small(db: None) -> Setup:
    load(expand(EasySetup(cobos=2)), DAQ)
    for server in ECCServer.objects.all():
        store_config_sets(server, LISTED)
    return setup_store.read()


class Api:
    """Calls with a token."""

    def __init__(self, user: Any) -> None:
        self.headers = {"Authorization": f"Bearer {tokens.create(f'of {user}', user, DAQ)}"}

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        data = {} if body is None else body
        more = {} if method == "get" else {"data": data, "content_type": "application/json"}
        return getattr(Client(), method)(f"/api/v1/{path}", headers=self.headers, **more)


@pytest.fixture
def api(small: Setup) -> Api:
    return Api(expert())


def verbs(answer: Any) -> list[tuple[str, str]]:
    return [(one["verb"], one["name"]) for one in answer.json()["changes"]]


def test_what_is_read_can_be_loaded(api: Api, small: Setup) -> None:
    document = api("get", "setup").json()
    assert document["node"][0] == {
        "name": "node-cobo0",
        "host": "127.0.0.1",
        "ssh_port": 8022,
        "restart_ecc": "systemctl restart {name}",
        "restart_router": "systemctl restart {name}",
    }
    assert api("put", "setup", document).json() == {"loaded": True, "changes": []}
    document["node"][0]["host"] = "10.0.0.1"
    dry = api("put", "setup?dry_run=true", document).json()
    difference = {"key": "host", "old": "127.0.0.1", "new": "10.0.0.1"}
    assert dry == {
        "loaded": False,
        "changes": [{"verb": "change", "kind": "node", "name": "node-cobo0", "differences": [difference]}],
    }
    assert setup_store.read() == small
    assert api("put", "setup", document).json()["loaded"]
    assert setup_store.read().nodes[0].host == "10.0.0.1"


def test_what_is_wrong_is_named(api: Api, small: Setup) -> None:
    wrong = api("put", "setup", {"node": [{"name": "a b", "host": "h"}]})
    assert wrong.status_code == 422
    assert "[[node]] number 1 (a b): name 'a b' is not allowed" in wrong.json()["fields"]["setup"]
    assert "names no ECC server" in api("put", "setup", {}).json()["detail"]
    assert api("put", "setup", {"colour": "red"}).json()["fields"]["colour"].startswith("unknown; allowed are node")
    assert "unknown" in api("patch", "setup/node/node-cobo0", {"staging_dir": "/s"}).json()["fields"]["staging_dir"]
    assert "from 1 to 65535" in api("patch", "setup/node/node-cobo0", {"ssh_port": 0}).json()["fields"]["ssh_port"]
    assert api("post", "setup/magnet/x", {}).status_code == 422
    assert setup_store.read() == small


def test_easy_setup(api: Api) -> None:
    numbers = {"cobos": 3, "ecc": {"host": "10.0.0.60", "port": 8083, "host_step": 1}, "ecc_log_file": "/l/{name}"}
    assert ("add", "ecc-cobo2") in verbs(api("post", "setup/easy?dry_run=true", numbers))
    assert api("post", "setup/easy", numbers).json()["loaded"]
    assert ECCServer.objects.get(name="ecc-cobo2").log_file == "/l/ecc-cobo2"
    assert api("post", "setup/easy", {"cobos": 33}).status_code == 422


def test_rows_are_added_changed_renamed_and_removed(api: Api, small: Setup) -> None:
    alone = api("post", "setup/ecc_server/ecc-2", {"node": "node-cobo0", "host": "10.0.0.2"})
    assert (alone.status_code, "drives no board" in alone.json()["detail"]) == (422, True)
    added = api("post", "setup/ecc_server/ecc-2", BOARD)
    assert added.status_code == 201
    assert verbs(added) == [("add", "ecc-2"), ("add", "r2"), ("add", "CoBo[2]")]
    changed = api("patch", "setup/ecc_server/ecc-2", {"port": 9000, "name": "ecc-two"}).json()
    assert [(one["verb"], one["name"]) for one in changed["changes"]] == [("rename", "ecc-2"), ("change", "ecc-two")]
    assert verbs(api("delete", "setup/data_source/CoBo%5B2%5D?dry_run=true")) == [
        ("remove", "ecc-two"),
        ("remove", "r2"),
        ("remove", "CoBo[2]"),
    ]
    assert api("delete", "setup/ecc_server/ecc-two").json()["loaded"]
    assert setup_store.read() == small
    assert "known are ecc-cobo0" in api("delete", "setup/ecc_server/ecc-two").json()["detail"]
    assert api("patch", "setup/node/nowhere", {}).status_code == 404


def test_the_choice_of_a_renamed_or_changed_server_stays(api: Api) -> None:
    api("post", "configurations/choose", {"prepare": "experiment", "configure": "experiment"})
    api("patch", "setup/ecc_server/ecc-cobo0", {"log_file": "/l"})
    assert str(ECCServer.objects.get(name="ecc-cobo0").config_set) == "cobo0 / experiment / experiment"


def test_nothing_changes_while_a_command_is_at_work(api: Api, small: Setup) -> None:
    now = timezone.now()
    Command.objects.create(action="prepare", requested_by="kim", requested_at=now, expires_at=now, published_at=now)
    document = api("get", "setup").json()
    document["node"][0]["host"] = "10.0.0.1"
    for method, path, body in (
        ("put", "setup", document),
        ("patch", "setup/node/node-cobo0", {"host": "10.0.0.1"}),
        ("delete", "setup/node/node-cobo1", None),
        ("post", "configurations/choose", {"prepare": "experiment", "configure": "experiment"}),
    ):
        answer = api(method, path, body)
        assert (answer.status_code, "Prepare of kim is under way" in answer.json()["detail"]) == (409, True), path
    assert setup_store.read() == small


def test_a_connection_is_tried(api: Api) -> None:
    answer = api("post", "connection-tests", {"kind": "ecc", "name": "ecc-cobo0"})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    ConnectionTest.objects.update(state="done", message="+ It answers.", finished_at=timezone.now())
    found = api("get", f"connection-tests/{answer.json()['id']}").json()
    assert (found["state"], found["findings"]) == ("done", [{"level": "ok", "text": "It answers."}])
    new = {"kind": "node", "name": "mm9", "row": {"host": "10.0.0.9"}}
    assert api("post", "connection-tests", new).json()["subject"] == "mm9"
    assert "no ecc 'x'" in api("post", "connection-tests", {"kind": "ecc", "name": "x"}).json()["fields"]["name"]
    wrong = api("post", "connection-tests", {"kind": "node", "name": "mm9", "row": {"host": "a b"}})
    assert "numeric IPv4" in wrong.json()["fields"]["host"]
    assert api("get", "connection-tests/00000000-0000-0000-0000-000000000001").status_code == 404


def test_configurations_are_chosen(api: Api) -> None:
    done = api("post", "configurations/choose", {"prepare": "experiment", "configure": "experiment"})
    assert done.json() == {"changed": 3, "without": []}
    one = {"ecc_server": "ecc-cobo0", "describe": "cobo0", "prepare": "fullreadout", "configure": "fullreadout"}
    assert api("post", "configurations/choose", one).json() == {"changed": 1, "without": []}
    (found,) = api("get", "configurations/choices?ecc_server=ecc-cobo1").json()
    assert [(each["prepare"], each["chosen"], each["others"], each["runs"]) for each in found["choices"]] == [
        ("experiment", True, ["ecc-mutant"], 0),
        ("fullreadout", False, ["ecc-cobo0"], 0),
    ]
    assert len(api("get", "configurations/choices").json()) == 3
    half = api("post", "configurations/choose", {key: one[key] for key in ("describe", "prepare", "configure")})
    assert (half.status_code, list(half.json()["fields"])) == (422, ["describe"])
    wrong = api("post", "configurations/choose", one | {"prepare": "nosuch"})
    assert "does not offer cobo0 / nosuch / fullreadout" in wrong.json()["fields"]["configure"]
    assert (
        "No ECC server offers"
        in api("post", "configurations/choose", {"prepare": "x", "configure": "x"}).json()["detail"]
    )
    assert "known are ecc-cobo0" in api("post", "configurations/choose", one | {"ecc_server": "x"}).json()["detail"]
    assert api("get", "configurations/choices?ecc_server=x").status_code == 404
    assert api("post", "configurations/fetch").status_code == 202
    assert len(api("post", "configurations/fetch", {"ecc_servers": ["ecc-cobo0"]}).json()) == 1


def test_each_needs_its_role(small: Setup) -> None:
    shifter, watcher = Api(operator()), Api(observer())
    assert watcher("get", "setup").status_code == 200
    for method, path, body in (
        ("put", "setup", {}),
        ("post", "setup/easy", {}),
        ("post", "setup/node/mm9", {"host": "10.0.0.9"}),
        ("patch", "setup/node/node-cobo0", {"host": "10.0.0.9"}),
        ("delete", "setup/node/node-cobo0", None),
        ("post", "connection-tests", {"kind": "ecc", "name": "ecc-cobo0"}),
    ):
        assert shifter(method, path, body).status_code == 403, path
    assert (
        shifter("post", "configurations/choose", {"prepare": "experiment", "configure": "experiment"}).status_code
        == 200
    )
    assert watcher("post", "configurations/fetch").status_code == 403
    assert {line.outcome for line in Entry.objects.filter(who="lee")} == {"refused"}
