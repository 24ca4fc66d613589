"""Easy setup: numbers in, a whole setup out, or a text that names the number."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.topology import easy_setup
from attpcdaq.topology.easy_setup import EasySetup, Series, expand
from attpcdaq.topology.models import Role
from attpcdaq.topology.setup import SetupError
from attpcdaq.topology.setup_check import faults
from attpcdaq.topology.setup_file import dump, parse
from tests.topology.setups import easy_setups


@given(easy_setups)
def test_every_board_is_there_and_nothing_is_at_fault(easy: EasySetup) -> None:
    setup = expand(easy)
    assert faults(setup) == []
    cobos = [source for source in setup.data_sources if source.role == Role.COBO]
    assert [source.sender_id for source in cobos] == [f"CoBo[{number}]" for number in range(easy.cobos)]
    assert len(setup.data_sources) - len(cobos) == (easy.mutant != easy_setup.NO_MUTANT)
    assert len(setup.data_routers) == easy.cobos + (easy.mutant == easy_setup.READOUT)


def test_the_defaults_are_ten_cobos_and_a_mutant_with_ports_counted_up() -> None:
    setup = expand(EasySetup())
    assert [(server.name, server.port) for server in setup.ecc_servers[-1:]] == [("ecc-mutant", 8093)]
    assert [(router.name, router.port) for router in setup.data_routers[-1:]] == [("router-mutant", 46015)]
    assert [(node.name, node.ssh_port) for node in setup.nodes[-1:]] == [("node-mutant", 8032)]


def test_names_addresses_and_describe_names_follow_the_board() -> None:
    easy = EasySetup(
        cobos=2,
        ecc=Series("10.0.0.60", 8083, 1, 0),
        router=Series("10.0.1.255", 46005, 2, 0),
        ssh=Series("mm{n}.lab", 22),
        staging_dir="/data/mm{n}",
    )
    setup = expand(easy)
    assert [(s.name, s.host, s.port, s.describe_name) for s in setup.ecc_servers] == [
        ("ecc-cobo0", "10.0.0.60", 8083, "cobo0"),
        ("ecc-cobo1", "10.0.0.61", 8083, "cobo1"),
        ("ecc-mutant", "10.0.0.62", 8083, "mutant"),
    ]
    assert [(r.name, r.host, r.staging_dir) for r in setup.data_routers] == [
        ("router-cobo0", "10.0.1.255", "/data/mm0"),
        ("router-cobo1", "10.0.2.1", "/data/mm1"),
        ("router-mutant", "10.0.2.3", "/data/mm2"),
    ]
    assert [(n.name, n.host) for n in setup.nodes][-1] == ("node-mutant", "mm2.lab")


def test_one_server_for_all_drives_every_board() -> None:
    setup = expand(EasySetup(cobos=3, ecc_servers="one-for-all", mutant="no-readout", ssh=Series("n{n}", 22)))
    assert [server.name for server in setup.ecc_servers] == ["ecc-all"]
    assert setup.ecc_servers[0].describe_name == "all"
    assert {source.ecc_server for source in setup.data_sources} == {"ecc-all"}
    assert setup.data_sources[-1].data_router == ""
    assert [node.name for node in setup.nodes] == ["node-cobo0", "node-cobo1", "node-cobo2"]


@given(st.tuples(*[st.one_of(st.just("x"), st.just("/x"), st.text(max_size=20))] * 10))
def test_whatever_is_written_makes_a_setup_that_a_file_can_hold_or_is_refused(texts: tuple[str, ...]) -> None:
    names = ("ssh_user", "link_type", "process_name", "staging_dir", "config_dir", "backup_dir")
    described = ("describe_cobo", "describe_mutant", "prepare", "configure")
    try:
        setup = expand(replace(GOOD, cobos=1, **dict(zip((*names, *described), texts, strict=True))))
    except SetupError:
        return
    assert parse(dump(setup)) == setup


GOOD = EasySetup(cobos=2, ssh=Series("n{n}", 22))
WRONG = [
    (replace(GOOD, cobos=0), "number of CoBos 0: use 1 to 32"),
    (replace(GOOD, cobos=33), "number of CoBos 33"),
    (replace(GOOD, ecc=Series(port=65535, port_step=1)), "ECC server of board 1 at 127.0.0.1 port 65536"),
    (replace(GOOD, ecc=Series(port=8083, port_step=-8083)), "board 1 at 127.0.0.1 port 0"),
    (replace(GOOD, ecc=Series(host="mm", host_step=1)), "an address step needs a numeric IPv4 address"),
    (replace(GOOD, ecc=Series(host="255.255.255.255", host_step=1)), "an address step needs a numeric IPv4 address"),
    (replace(GOOD, ecc=Series(port=8083)), "host and port 127.0.0.1:8083 is already that of ecc-cobo0"),
    (replace(GOOD, ssh=Series(port=22)), "staging_dir 127.0.0.1:22:/staging is already that of router-cobo0"),
    (replace(GOOD, staging_dir="staging"), "staging directory 'staging': Use an absolute path"),
    (replace(GOOD, staging_dir=""), "staging directory"),
    (replace(GOOD, describe_cobo="a/b"), "describe name 'a/b'"),
    (replace(GOOD, prepare="a/b"), "prepare is 'a/b'"),
    (replace(GOOD, restart_ecc="{n}"), "restart command of an ECC server '{n}': braces are for {name} alone"),
    (replace(GOOD, restart_router="a\nb"), "restart command of a data router 'a\\nb': use one line"),
    (replace(GOOD, ssh_user="a;b"), "SSH user 'a;b': use a user name"),
    (replace(GOOD, process_name="a b"), "data router program 'a b': use the program's name alone"),
    (replace(GOOD, link_type="tcp"), "data link type 'tcp': use one of TCP, FDT, ZBUF, ICE"),
]


@pytest.mark.parametrize(("easy", "expected"), WRONG)
def test_a_number_that_does_not_fit_is_named(easy: EasySetup, expected: str) -> None:
    with pytest.raises(SetupError) as caught:
        expand(easy)
    assert expected in str(caught.value)
