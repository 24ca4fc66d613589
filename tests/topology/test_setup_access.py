"""Nodes that are reached through an HTTP agent, log files, and paths below the home directory."""

from dataclasses import replace

import pytest

from attpcdaq.audit.people import DAQ
from attpcdaq.gateways.ports import NodeAddress
from attpcdaq.runcontrol.asking.setup_changes import load, planned
from attpcdaq.testing.clock import ManualClock
from attpcdaq.topology import setup_store
from attpcdaq.topology.easy_setup import EasySetup, Series, expand
from attpcdaq.topology.models import DataRouter, HostKey, Node
from attpcdaq.topology.setup import Setup, SetupError
from attpcdaq.topology.setup_file import dump, parse
from attpcdaq.topology.wiring import node_address, router_query
from tests.topology.setups import TEXT

SSH_KEYS = 'ssh_port = 8022\nrestart_ecc = "systemctl restart {name}"\n'
SSH_KEYS += 'restart_router = "launchctl kickstart -k system/{name}"\n'
AGENT = TEXT.replace(SSH_KEYS, 'access = "agent"\nagent_port = 8081\n').replace("/staging", "~/Data/mm0")
AGENT = AGENT.replace('host = "127.0.0.1"\nstaging', 'host = "127.0.0.1"\nprocess_name = "DataExporter"\nstaging')


def with_agent() -> Setup:
    return parse(AGENT)


def test_an_agents_node_is_read_and_written_back() -> None:
    setup = with_agent()
    node, router = setup.nodes[0], setup.data_routers[0]
    assert (node.access, node.agent_port) == ("agent", 8081)
    assert (router.staging_dir, router.process_name) == ("~/Data/mm0", "DataExporter")
    assert parse(dump(setup)) == setup


def test_what_is_usual_is_not_written() -> None:
    assert "agent" not in dump(parse(TEXT))
    assert "access" not in dump(parse(TEXT))


def test_an_agent_port_of_a_node_with_ssh_is_kept() -> None:
    setup = parse(TEXT.replace("ssh_port = 8022", "ssh_port = 8022\nagent_port = 9000"))
    assert parse(dump(setup)).nodes[0].agent_port == 9000


WRONG = [
    ('access = "agent"', 'access = "http"', "access 'http' is not allowed: use one of ssh, agent"),
    ("agent_port = 8081", "agent_port = 0", "agent_port 0 is not allowed: use a whole number from 1 to 65535"),
    ('"~/Data/mm0"', '"~/../x"', "staging_dir '~/../x' is not allowed: Use an absolute path without '..'"),
    ('"~/Data/mm0"', '"~attpc/x"', "it may begin with ~/"),
    ('"~/Data/mm0"', '"~"', "it may begin with ~/"),
    (
        "agent_port = 8081",
        'restart_ecc = "x"',
        "node node-cobo0: restart_ecc needs a node with access ssh; leave it out where the node's access is agent",
    ),
    ("agent_port = 8081", 'restart_router = "x"', "node node-cobo0: restart_router needs a node with access ssh"),
    ("port = 8083", 'config_dir = "~/c"', "ecc_server ecc-cobo0: config_dir needs a node with access ssh"),
    ("port = 8083", 'backup_dir = "/c"', "ecc_server ecc-cobo0: backup_dir needs a node with access ssh"),
    ("port = 8083", 'log_file = "~/l"', "ecc_server ecc-cobo0: log_file needs a node with access ssh"),
    ("staging_dir", 'log_file = "/l"\nstaging_dir', "data_router router-cobo0: log_file needs a node with access ssh"),
]


@pytest.mark.parametrize(("old", "new", "expected"), WRONG)
def test_what_an_agent_cannot_do_is_refused(old: str, new: str, expected: str) -> None:
    assert AGENT.count(old) == 1
    with pytest.raises(SetupError) as caught:
        parse(AGENT.replace(old, new))
    assert expected in str(caught.value)


def test_an_agent_watches_one_router() -> None:
    second = '[[data_router]]\nname = "b"\nnode = "node-cobo0"\nhost = "127.0.0.1"\nport = 1\nstaging_dir = "/b"\n'
    second += '[[data_source]]\nsender_id = "CoBo[1]"\nrole = "cobo"\necc_server = "ecc-cobo0"\ndata_router = "b"\n'
    with pytest.raises(SetupError) as caught:
        parse(AGENT + second)
    text = "data_router b: node (whose HTTP agent watches one only) node-cobo0 is already that of router-cobo0"
    assert caught.value.errors == (f"{text}; each must have its own",)


@pytest.mark.parametrize("wrong", ["dataRouter.log", "/a/../b", "/a\\nb", "/" + "x" * 255])
def test_a_log_file_is_a_path(wrong: str) -> None:
    with pytest.raises(SetupError, match="log_file"):
        parse(TEXT.replace("staging_dir", f'log_file = "{wrong}"\nstaging_dir', 1))


@pytest.mark.django_db
def test_the_tables_keep_it() -> None:
    setup = with_agent()
    load(setup, DAQ)
    assert setup_store.read() == setup
    assert planned(setup) == ()
    assert node_address(Node.objects.get()) == NodeAddress("node-cobo0", "127.0.0.1", 8081, access="agent")
    with_log = parse(
        TEXT.replace("staging_dir", 'log_file = "~/Library/Logs/dataRouter.log"\nstaging_dir', 1).replace(
            "deadlines", 'log_file = "/var/log/ecc.log"\ndeadlines', 1
        )
    )
    load(with_log, DAQ)
    assert setup_store.read() == with_log
    assert router_query(DataRouter.objects.get()).log_file == "~/Library/Logs/dataRouter.log"
    assert node_address(Node.objects.get()).access == "ssh"


@pytest.mark.django_db
def test_a_change_of_access_is_shown() -> None:
    load(parse(TEXT), DAQ)
    (node, *_) = planned(with_agent())
    assert "access ssh → agent" in str(node)
    assert "agent_port 8080 → 8081" in str(node)


@pytest.mark.django_db
def test_pinned_keys_stay_with_the_node_and_go_with_it() -> None:
    load(parse(TEXT), DAQ)
    pinned = {"pinned_by": "sam", "pinned_at": ManualClock().now()}
    HostKey.objects.create(node=Node.objects.get(), key="ssh-ed25519 AAAA", fingerprint="SHA256:a", **pinned)
    load(parse(TEXT.replace("8022", "8023")), DAQ)
    assert node_address(Node.objects.get()).host_keys == ("ssh-ed25519 AAAA",)
    load(with_agent(), DAQ)
    assert node_address(Node.objects.get()).host_keys == ()
    load(parse(TEXT.replace("node-cobo0", "node-other")), DAQ)
    assert not HostKey.objects.exists()


def test_easy_setup_makes_agents() -> None:
    easy = EasySetup(cobos=2, access="agent", agent=Series("", 8080, 0, 1), process_name="DataExporter")
    setup = expand(replace(easy, ssh=Series("10.0.0.1", 22, 1), staging_dir="~/Data/mm{n}"))
    assert [(node.host, node.agent_port, node.restart_ecc) for node in setup.nodes] == [
        ("10.0.0.1", 8080, ""),
        ("10.0.0.2", 8081, ""),
        ("10.0.0.3", 8082, ""),
    ]
    assert {(server.config_dir, server.backup_dir) for server in setup.ecc_servers} == {("", "")}
    assert [router.staging_dir for router in setup.data_routers] == ["~/Data/mm0", "~/Data/mm1", "~/Data/mm2"]
    assert parse(dump(setup)) == setup


def test_easy_setup_names_log_files() -> None:
    setup = expand(EasySetup(cobos=1, mutant="none", log_file="~/Library/Logs/dataRouter{n}.log"))
    assert setup.data_routers[0].log_file == "~/Library/Logs/dataRouter0.log"
    named = expand(EasySetup(cobos=1, log_file="/logs/{name}.log", ecc_log_file="/logs/{name}-{n}.log"))
    assert [server.log_file for server in named.ecc_servers] == ["/logs/ecc-cobo0-0.log", "/logs/ecc-mutant-1.log"]
    assert [router.log_file for router in named.data_routers] == ["/logs/router-cobo0.log", "/logs/router-mutant.log"]


@pytest.mark.parametrize(
    ("easy", "words"),
    [
        (EasySetup(access="ftp"), "access 'ftp': use one of ssh, agent"),
        (EasySetup(access="agent", agent=Series(port=65530, port_step=1)), "agent of board 6"),
        (EasySetup(log_file="x"), "log file 'x': Use an absolute path"),
        (EasySetup(ecc_log_file="x"), "log file of the ECC server 'x': Use an absolute path"),
    ],
)
def test_easy_setup_names_what_is_wrong(easy: EasySetup, words: str) -> None:
    with pytest.raises(SetupError) as caught:
        expand(easy)
    assert words in str(caught.value)
