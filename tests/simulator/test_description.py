"""Description files: what they mean, and what is said about wrong ones."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from get_protocol.xcfg import parse_configure, parse_describe
from get_simulator.config_files import endpoint, make_files, write_missing
from get_simulator.description import Description
from get_simulator.description_file import BadDescription, describe, read_description
from get_simulator.physics import Settings

EXAMPLE = (resources.files("get_simulator") / "example.toml").read_text(encoding="utf-8")
PAIR = {
    "node": [{"name": "big", "ssh_port": 9000}],
    "ecc_server": [{"name": "ecc-pair", "port": 9001, "boards": ["CoBo[4]", "CoBo[1]"], "node": "big"}],
    "data_router": [
        {"name": "r1", "port": 9002, "node": "big", "staging": "/data/mm1"},
        {"name": "r4", "port": 9003, "node": "big", "link_type": "FDT", "staging": "/data/mm4"},
    ],
}


def test_the_default_is_ten_cobos_and_a_mutant() -> None:
    detector = describe({})
    assert [server.name for server in detector.ecc_servers][::5] == ["ecc-cobo0", "ecc-cobo5", "ecc-mutant"]
    assert [server.port for server in detector.ecc_servers] == list(range(8083, 8094))
    assert [router.port for router in detector.data_routers] == list(range(46005, 46016))
    assert [node.ssh_port for node in detector.nodes] == list(range(8022, 8033))
    assert detector.ecc_servers[3].boards == ("CoBo[3]",)
    assert detector.ecc_servers[3].node == detector.data_routers[3].node == "node-cobo3"


def test_the_example_says_the_defaults() -> None:
    tables = tomllib.loads(EXAMPLE)
    assert describe(tables) == describe({})
    assert all(set(tables[name]) <= set(tomllib.loads(EXAMPLE)[name]) for name in tables)


def test_the_unusual_layout_in_the_example_is_valid() -> None:
    lines = EXAMPLE.split("describe-pair):\n#\n")[1].splitlines()
    tables = tomllib.loads("\n".join(line.removeprefix("# ").removeprefix("#") for line in lines))
    assert describe(tables).boards == ("CoBo[0]", "CoBo[1]", "Mutant[master]")


def test_one_for_all_and_no_readout() -> None:
    detector = describe({"detector": {"cobos": 2, "ecc_servers": "one-for-all", "mutant": "no-readout"}})
    assert [(server.name, server.boards) for server in detector.ecc_servers] == [
        ("ecc-all", ("CoBo[0]", "CoBo[1]", "Mutant[master]"))
    ]
    assert [router.name for router in detector.data_routers] == ["router-cobo0", "router-cobo1"]
    files = make_files(detector, detector.nodes[0].name)
    assert [entry.sender_id for entry in parse_describe(files["describe-all.xcfg"])] == list(detector.boards)
    assert parse_configure(files["configure-experiment.xcfg"]).flag("Mutant", "master", "readoutModeEnabled") is False


def test_explicit_tables_replace_the_short_form() -> None:
    detector = describe(PAIR)
    assert detector.boards == ("CoBo[1]", "CoBo[4]")
    assert [router.link_type for router in detector.data_routers] == ["TCP", "FDT"]
    entries = parse_describe(make_files(detector, detector.nodes[0].name)["describe-pair.xcfg"])
    assert [(entry.address, entry.port) for entry in entries] == [endpoint("CoBo[4]"), endpoint("CoBo[1]")]


def test_files_give_each_cobo_its_number_and_the_readout_that_is_asked_for() -> None:
    full = {"detector": {"cobos": 120, "ssh_port": 0}, "physics": {"readout": "full"}}
    for tables, flag in (({}, False), (full, True)):
        detector: Description = describe(tables)
        files = make_files(detector, detector.nodes[0].name)
        experiment = parse_configure(files["configure-experiment.xcfg"])
        assert experiment.number("CoBo", "7", "Module/coboId") == 7
        assert experiment.flag("CoBo", "7", "AsAd[2]/Aget[1]/Global/Reg1/isAllChannelRead") is flag
        assert len({endpoint(board) for board in detector.boards}) == len(detector.boards)
    external = parse_configure(files["configure-exttime.xcfg"])
    assert external.flag("CoBo", "3", "Module/useExternalTimeReset") is True
    assert Settings().depth == experiment.number("CoBo", "3", "Module/readoutDepth")


def test_every_node_has_the_describes_of_all_boards_unless_there_are_very_many() -> None:
    for cobos, expected in ((10, 11), (60, 1)):
        detector = describe({"detector": {"cobos": cobos, "ssh_port": 0}})
        assert sum(name.startswith("describe-") for name in make_files(detector, "node-cobo7")) == expected


def test_existing_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.xcfg").write_bytes(b"mine")
    write_missing(tmp_path, {"a.xcfg": b"new", "b.xcfg": b"new"})
    assert [(tmp_path / name).read_bytes() for name in ("a.xcfg", "b.xcfg")] == [b"mine", b"new"]


@pytest.mark.parametrize(
    ("tables", "text"),
    [
        ({"detektor": {}}, "detektor: no such table; allowed: detector, physics"),
        ({"detector": []}, "detector: must be a table, written [detector]"),
        ({"detector": {"cobo": 1}}, "detector.cobo: no such key; allowed: address, cobos"),
        ({"detector": {"cobos": "ten"}}, "detector.cobos: must be a whole number from 0 to 1000, not 'ten'"),
        ({"detector": {"cobos": True}}, "detector.cobos: must be a whole number"),
        ({"detector": {"cobos": 0, "mutant": "none"}}, "detector.cobos: a detector needs at least one"),
        ({"detector": {"mutant": "yes"}}, "detector.mutant: must be one of none, no-readout, readout; not 'yes'"),
        ({"detector": {"ecc_servers": "one"}}, "detector.ecc_servers: must be one of one-each, one-for-all"),
        ({"detector": {"link_type": "tcp"}}, "detector.link_type: must be one of TCP, FDT; not 'tcp'"),
        ({"detector": {"address": "localhost"}}, "detector.address: must be a numeric IPv4 address such as 127.0.0.1"),
        ({"detector": {"ecc_port": 65530}}, "ecc-cobo6: port 65536 is above 65535"),
        ({"detector": {"ssh_port": 8090}}, "node-cobo0: port 8090 is also the port of ecc-cobo7"),
        ({"physics": {"event_rate": -1}}, "physics.event_rate: must be a number from 0 to 1000, not -1"),
        ({"physics": {"readout": "half"}}, "physics.readout: must be one of partial, full"),
        ({"timing": {"speed": 0}}, "timing.speed: must be a number from 0.001 to 10000, not 0"),
        ({"ssh": {"user": 7}}, "ssh.user: must be a text, not 7"),
        ({"node": [{"name": "n"}]}, "node: explicit nodes need explicit [[ecc_server]]"),
        ({"ecc_server": {"name": "x"}}, "ecc_server: must be a list of tables, written [[ecc_server]]"),
        ({"ecc_server": [{"name": "x"}]}, "ecc_server[0].port: is missing"),
        (PAIR | {"node": [{"name": "other"}]}, "ecc_server[0].node: must be one of other; not 'big'"),
        (PAIR | {"node": [{"name": "../x"}]}, "node[0].name: must be letters, digits"),
        (
            PAIR | {"ecc_server": [{"name": "e", "port": 1, "boards": ["Cobo1"], "node": "big"}]},
            "ecc_server[0].boards: must be CoBo[<number>] or Mutant[master], not 'Cobo1'",
        ),
        (
            PAIR | {"data_router": [{"name": "r", "port": 1, "node": "big", "staging": "/a/../b"}]},
            "data_router[0].staging: must be a path on the node",
        ),
        (
            PAIR | {"data_router": [{"name": "big", "port": 1, "node": "big"}]},
            "name: every ECC server, data router and node needs a name of its own",
        ),
    ],
)
def test_errors_name_the_key_and_what_is_allowed(tables: Mapping[str, Any], text: str) -> None:
    with pytest.raises(BadDescription) as caught:
        describe(tables)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("content", [b"[detector", b"\xff\xfe"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.toml").write_bytes(content)
    with pytest.raises(BadDescription, match=r"d\.toml: is not valid TOML"):
        read_description(tmp_path / "d.toml")


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text("[detector]\ncobos = 3\nmutant = 'none'\n")
    detector = read_description(tmp_path / "d.toml", {"detector": {"cobos": 2}})
    assert detector.boards == ("CoBo[0]", "CoBo[1]")
