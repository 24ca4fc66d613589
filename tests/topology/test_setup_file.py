"""The setup file: round trips, and errors that name the place."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.topology.easy_setup import EasySetup, expand
from attpcdaq.topology.setup import SetupError
from attpcdaq.topology.setup_file import MAX_BYTES, dump, parse
from get_protocol.config_set import ConfigId
from tests.topology.setups import TEXT, config_ids, easy_setups


@given(easy_setups)
def test_what_is_dumped_is_read_back(easy: EasySetup) -> None:
    setup = expand(easy)
    assert parse(dump(setup)) == setup


@given(config_ids)
def test_any_config_set_survives_the_file(chosen: ConfigId) -> None:
    setup = parse(TEXT)
    server = replace(setup.ecc_servers[0], describe_name=chosen.describe, config=chosen)
    setup = replace(setup, ecc_servers=(server,))
    assert parse(dump(setup)) == setup


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_garbage_is_refused_in_words(content: bytes | str) -> None:
    with pytest.raises(SetupError) as caught:
        parse(content)
    assert all(caught.value.errors)


def test_restart_commands_and_deadlines_are_read() -> None:
    setup = parse(TEXT)
    assert setup.nodes[0].restart_ecc == "systemctl restart {name}"
    assert setup.nodes[0].restart_router == "launchctl kickstart -k system/{name}"
    assert setup.ecc_servers[0].deadlines == {"prepare": 90, "configure": 240.5}


def test_defaults_fill_what_is_left_out() -> None:
    setup = parse(TEXT)
    assert setup.data_routers[0].port == 46005
    assert setup.data_routers[0].link_type == "TCP"
    assert setup.ecc_servers[0].config == ConfigId("cobo0", "experiment", "experiment")


REPLACED = [
    (
        "restart {name}",
        "restart {unit}",
        "(node-cobo0): restart_ecc 'systemctl restart {unit}' is not allowed",
    ),
    ("restart {name}", "restart {unit}", "braces are for {name} alone"),
    ("restart {name}", "restart {name}}", "braces are for {name} alone"),
    ("restart {name}", "restart {name}\\n", "use one line of at most 200 printable characters"),
    ("restart {name}", "restart " + "x" * 200, "use one line of at most 200"),
    ('"systemctl restart {name}"', '" "', "use one line"),
    ("prepare = 90", "prepair = 90", "with operations of describe, prepare, configure, start, stop, breakup, undo"),
    ("prepare = 90", "prepare = 0", "prepare: use a number of seconds from 1 to 3600"),
    ("prepare = 90", "prepare = true", "prepare: use a number of seconds"),
    ("prepare = 90", 'prepare = "90"', "prepare: use a number of seconds"),
    ("prepare = 90", "prepare = nan", "prepare: use a number of seconds"),
    ("deadlines = { prepare = 90, configure = 240.5 }", "deadlines = 90", "use { prepare = 60 } and the like"),
    (
        "port = 8083",
        "port = 70000",
        "[[ecc_server]] number 1 (ecc-cobo0): port 70000 is not allowed: use a whole number",
    ),
    ("port = 8083", "port = true", "port True is not allowed"),
    ("port = 8083", 'port = "8083"', "port '8083' is not allowed"),
    ("port = 8083", "prot = 8083", "prot is unknown; use name, node, host, port"),
    ('role = "cobo"', "", "[[data_source]] number 1 (CoBo[0]): role is missing"),
    ('role = "cobo"', 'role = "CoBo"', "role 'CoBo' is not allowed: use one of cobo, mutant"),
    ('role = "cobo"', "role = []", "role [] is not allowed: use one of cobo, mutant"),
    (
        'staging_dir = "/staging"',
        'staging_dir = "staging"',
        "staging_dir 'staging' is not allowed: Use an absolute path",
    ),
    ('staging_dir = "/staging"', 'staging_dir = "/a/../b"', "without '..'"),
    ('staging_dir = "/staging"', 'staging_dir = "/a\\nb"', "printable"),
    ('staging_dir = "/staging"', 'staging_dir = "/a"\nlink_type = "tcp"', "use one of TCP, FDT, ZBUF, ICE"),
    ('host = "127.0.0.1"\nport', 'host = "127.0.0.300"\nport', "host '127.0.0.300' is not allowed: use four numbers"),
    ('host = "127.0.0.1"\nport', 'host = "a b"\nport', "host 'a b' is not allowed"),
    ('sender_id = "CoBo[0]"', 'sender_id = "CoBo0"', "Use the form CoBo[0] or Mutant[master]."),
    ('configure = "experiment" }', 'configure = "" }', "configure is ''"),
    (', configure = "experiment" }', " }", "config {'describe'"),
    ('configure = "experiment" }', "configure = 3 }", "use text in quotes"),
    ('name = "ecc-cobo0"', 'name = "../x"', "name '../x' is not allowed"),
    ('name = "ecc-cobo0"', 'name = "ecc-cobo0\\n"', "is not allowed: Use 1 to 63 letters"),
    ('data_router = "router-cobo0"', "", "data_source CoBo[0]: a CoBo needs a data_router"),
    ('data_router = "router-cobo0"', 'data_router = "router-x"', "router-x does not exist; known: router-cobo0"),
    ('ecc_server = "ecc-cobo0"', 'ecc_server = "ecc-x"', "ecc-x does not exist; known: ecc-cobo0"),
    ('ecc_server = "ecc-cobo0"', 'ecc_server = "ecc-x"', "ecc_server ecc-cobo0 drives no board"),
    (
        'node = "node-cobo0"\nhost = "127.0.0.1"\nport',
        'node = "n"\nhost = "127.0.0.1"\nport',
        "ecc_server ecc-cobo0: node n does",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), REPLACED)
def test_a_wrong_value_is_named(old: str, new: str, expected: str) -> None:
    assert old in TEXT
    with pytest.raises(SetupError) as caught:
        parse(TEXT.replace(old, new, 1))
    assert expected in str(caught.value)


MORE = [
    ('[[node]]\nname = "node-cobo0"\nhost = "h"', "node number 2: name node-cobo0 is already that of number 1"),
    (
        '[[data_source]]\nsender_id = "CoBo[0]"\nrole = "mutant"\necc_server = "ecc-cobo0"',
        "sender_id CoBo[0] is already that of number 1",
    ),
    (
        '[[data_source]]\nsender_id = "CoBo[1]"\nrole = "cobo"\necc_server = "ecc-cobo0"\ndata_router = "router-cobo0"',
        "data_router router-cobo0 is already that of CoBo[0]",
    ),
    (
        '[[ecc_server]]\nname = "b"\nnode = "node-cobo0"\nhost = "127.0.0.1"\nport = 8083',
        "host and port 127.0.0.1:8083 is already that of ecc-cobo0",
    ),
    (
        '[[data_router]]\nname = "b"\nnode = "node-cobo0"\nhost = "127.0.0.1"\nport = 1\nstaging_dir = "/staging/"',
        "computer and staging_dir 127.0.0.1:8022:/staging is already that of router-cobo0",
    ),
    ("[[board]]\nname = 1", "board: unknown; use the tables node, ecc_server, data_router, data_source"),
    ("[node.x]", "[[node]] number 1 (node-cobo0): x is unknown; use name"),
    ("[[node", "the file is not TOML"),
    ("x = " + "[" * 5000, "the file is not TOML"),
    ("x = 1" + "0" * 5000, "the file is not TOML"),
    ("#" * MAX_BYTES, "larger than"),
]


@pytest.mark.parametrize(("more", "expected"), MORE)
def test_what_does_not_fit_together_is_named(more: str, expected: str) -> None:
    with pytest.raises(SetupError) as caught:
        parse(TEXT + more)
    assert expected in str(caught.value)


def test_two_mutants_are_refused() -> None:
    source = '[[data_source]]\nsender_id = "Mutant[{}]"\nrole = "mutant"\necc_server = "ecc-cobo0"\n'
    with pytest.raises(SetupError, match=r"role mutant is already that of Mutant\[a\]"):
        parse(TEXT + source.format("a") + source.format("b"))


@pytest.mark.parametrize("key", ["node = 3", "node = [1]", "[node]\nname = 'x'"])
def test_a_table_written_as_something_else_is_named(key: str) -> None:
    with pytest.raises(SetupError, match=r"\[\[node\]\]"):
        parse(key)


def test_every_fault_is_reported_at_once() -> None:
    wrong: Callable[[str], str] = lambda text: text.replace("8083", "0").replace("8022", "0")  # noqa: E731
    with pytest.raises(SetupError) as caught:
        parse(wrong(TEXT))
    assert len(caught.value.errors) == 2
