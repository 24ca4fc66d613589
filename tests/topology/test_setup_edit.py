"""Single rows of a setup: added, changed, renamed, removed with what cannot be without them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.topology.easy_setup import EasySetup, Series, expand
from attpcdaq.topology.setup import NodeEntry, RouterEntry, ServerEntry, Setup, SourceEntry, changes
from attpcdaq.topology.setup_check import faults, missing, wrong
from attpcdaq.topology.setup_edit import PARTS, Renaming, added, changed, find, without
from attpcdaq.topology.setup_entry import EntryError, read_entry
from attpcdaq.topology.setup_file import dump, parse_rows
from tests.topology.setups import easy_setups

TWO = expand(EasySetup(cobos=2))
COMMON = expand(EasySetup(cobos=2, ecc_servers="one-for-all", ssh=Series("n{n}", 22)))


def told(old: Setup, new: Setup) -> list[str]:
    return [f"{change.verb} {change.kind} {change.name}" for change in changes(old, new)]


def test_a_board_is_added_row_by_row() -> None:
    setup = added(TWO, "node", NodeEntry("node-cobo2", "10.0.0.2"))
    assert faults(setup) == []
    setup = added(setup, "ecc_server", ServerEntry("ecc-cobo2", "node-cobo2", "10.0.0.2"))
    assert wrong(setup) == []
    assert missing(setup) == ["ecc_server ecc-cobo2 drives no board; add a data source with its role, or remove it"]
    setup = added(setup, "data_router", RouterEntry("router-cobo2", "node-cobo2", "10.0.0.2", "/staging"))
    assert len(missing(setup)) == 2
    assert parse_rows(dump(setup)) == setup
    setup = added(setup, "data_source", SourceEntry("CoBo[2]", "cobo", "ecc-cobo2", "router-cobo2"))
    assert faults(setup) == []


def test_the_same_name_twice_is_wrong_and_not_missing() -> None:
    setup = added(TWO, "node", TWO.nodes[0])
    assert wrong(setup) == ["node number 4: name node-cobo0 is already that of number 1; each must have its own"]
    assert missing(setup) == []


@pytest.mark.parametrize(
    ("setup", "kind", "name", "expected"),
    [
        (
            TWO, "node", "node-cobo1",
            ["remove node node-cobo1", "remove ECC server ecc-cobo1", "remove data router router-cobo1",
             "remove data source CoBo[1]"],
        ),
        (TWO, "ecc_server", "ecc-cobo1",
         ["remove ECC server ecc-cobo1", "remove data router router-cobo1", "remove data source CoBo[1]"]),
        (TWO, "data_router", "router-cobo1",
         ["remove ECC server ecc-cobo1", "remove data router router-cobo1", "remove data source CoBo[1]"]),
        (TWO, "data_source", "CoBo[1]",
         ["remove ECC server ecc-cobo1", "remove data router router-cobo1", "remove data source CoBo[1]"]),
        (TWO, "data_router", "router-mutant",
         ["remove data router router-mutant", "change data source Mutant[master]"]),
        (COMMON, "data_source", "CoBo[1]", ["remove data router router-cobo1", "remove data source CoBo[1]"]),
        (COMMON, "node", "node-cobo1",
         ["remove node node-cobo1", "remove data router router-cobo1", "remove data source CoBo[1]"]),
    ],
)  # fmt: skip
def test_a_removal_takes_along_what_cannot_be_without_it(
    setup: Setup, kind: str, name: str, expected: list[str]
) -> None:
    assert told(setup, without(setup, kind, name)) == expected


def test_what_is_still_being_set_up_stays() -> None:
    draft = added(TWO, "ecc_server", ServerEntry("ecc-new", "node-cobo0", "10.0.0.9"))
    assert find(without(draft, "data_source", "CoBo[1]"), "ecc_server", "ecc-new")


@given(easy_setups, st.data())
def test_whatever_is_removed_the_rest_may_be_a_setup(easy: EasySetup, data: st.DataObject) -> None:
    setup = expand(easy)
    kind = data.draw(st.sampled_from(list(PARTS)))
    entry = data.draw(st.sampled_from(getattr(setup, PARTS[kind])))
    left = without(setup, kind, entry.name)
    assert find(left, kind, entry.name) is None
    assert [fault for fault in faults(left) if "names no ECC server" not in fault] == []


@pytest.mark.parametrize("kind", list(PARTS))
def test_what_refers_to_a_row_follows_its_new_name(kind: str) -> None:
    entry = getattr(TWO, PARTS[kind])[0]
    key = "sender_id" if kind == "data_source" else "name"
    setup = changed(TWO, kind, entry.name, replace(entry, **{key: "CoBo[9]" if kind == "data_source" else "new"}))
    assert faults(setup) == []
    renaming = Renaming(kind, entry.name, "CoBo[9]" if kind == "data_source" else "new")
    assert renaming.applied(TWO) == setup
    assert find(setup, kind, entry.name) is None


def test_a_row_is_read_by_the_rules_of_the_file() -> None:
    entry = read_entry("node", {"name": "mm0", "host": "192.168.41.60", "ssh_port": 2222})
    assert entry == NodeEntry("mm0", "192.168.41.60", ssh_port=2222)
    with pytest.raises(EntryError) as caught:
        read_entry("data_router", {"name": "a b", "node": "mm0", "host": "", "port": 0, "colour": "red"})
    assert caught.value.errors == {
        "host": "this is needed.",
        "staging_dir": "this is needed.",
        "colour": "unknown; use name, node, host, port, link_type, staging_dir, process_name, log_file.",
        "name": "Use 1 to 63 letters, digits, dots, dashes or underscores.",
        "port": "use a whole number from 1 to 65535.",
    }
