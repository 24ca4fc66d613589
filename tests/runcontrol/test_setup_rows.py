"""Single rows of the setup in the tables: rules, races, renaming, and the line in the audit trail."""

from dataclasses import replace

import pytest
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking import setup_rows
from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, SetupChangedError, load
from attpcdaq.topology import setup_store
from attpcdaq.topology.easy_setup import EasySetup, expand
from attpcdaq.topology.models import ConfigSet, ECCServer, HostKey, Node
from attpcdaq.topology.setup import NodeEntry, RouterEntry, ServerEntry, Setup, SetupError, SourceEntry
from tests.topology.test_setup_store import _open_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(db: None) -> Setup:
    load(expand(EasySetup(cobos=2, prepare="experiment")), DAQ)
    return setup_store.read()


BOARD = [
    ("ecc_server", ServerEntry("ecc-cobo2", "node-cobo0", "10.0.0.2")),
    ("data_router", RouterEntry("router-cobo2", "node-cobo0", "10.0.0.2", "/staging2")),
    ("data_source", SourceEntry("CoBo[2]", "cobo", "ecc-cobo2", "router-cobo2")),
]


def test_a_board_is_added_with_all_it_needs(small: Setup) -> None:
    done = setup_rows.add(BOARD, DAQ)
    assert [str(change).partition(":")[0] for change in done] == [
        "add ECC server ecc-cobo2",
        "add data router router-cobo2",
        "add data source CoBo[2]",
    ]
    line = Entry.objects.filter(what="setup").first()
    assert line is not None
    assert line.subject == "3 added"
    assert "add data source CoBo[2]" in line.text


def test_half_a_board_is_refused_and_nothing_is_done(small: Setup) -> None:
    with pytest.raises(SetupError, match="ecc-cobo2 drives no board"):
        setup_rows.add(BOARD[:1], DAQ)
    assert setup_store.read() == small


def test_a_change_tells_old_and_new(small: Setup) -> None:
    entry = replace(small.ecc_servers[0], port=9000, config=None)
    (done,) = setup_rows.change("ecc_server", "ecc-cobo0", entry, DAQ, was=small.ecc_servers[0])
    assert str(done) == "change ECC server ecc-cobo0: port 8083 → 9000"
    assert ECCServer.objects.get(name="ecc-cobo0").config_set is not None


def test_who_saw_an_older_row_does_not_write_over_the_newer(small: Setup) -> None:
    seen = small.nodes[0]
    setup_rows.change("node", "node-cobo0", replace(seen, host="10.0.0.1"), DAQ, was=seen)
    with pytest.raises(SetupChangedError):
        setup_rows.change("node", "node-cobo0", replace(seen, ssh_user="attpc"), DAQ, was=seen)
    assert Node.objects.get(name="node-cobo0").host == "10.0.0.1"


def test_a_renamed_server_keeps_its_row_and_its_choice(small: Setup) -> None:
    server = ECCServer.objects.get(name="ecc-cobo0")
    done = setup_rows.change("ecc_server", "ecc-cobo0", replace(small.ecc_servers[0], name="ecc-mm0"), DAQ)
    assert [str(change) for change in done] == ["rename ECC server ecc-cobo0: name ecc-cobo0 → ecc-mm0"]
    after = ECCServer.objects.get(name="ecc-mm0")
    assert (after.pk, after.config_set_id) == (server.pk, server.config_set_id)
    assert after.data_sources.get().sender_id == "CoBo[0]"
    assert ConfigSet.objects.filter(ecc_server=after).exists()


def test_a_renamed_node_keeps_the_keys_that_are_pinned_for_it(small: Setup) -> None:
    node = Node.objects.get(name="node-cobo0")
    HostKey.objects.create(node=node, key="k", fingerprint="f", pinned_by="ada", pinned_at=timezone.now())
    setup_rows.change("node", "node-cobo0", replace(small.nodes[0], name="mm0"), DAQ)
    assert HostKey.objects.get().node.name == "mm0"
    assert ECCServer.objects.get(name="ecc-cobo0").node.name == "mm0"


def test_a_name_that_is_taken_is_refused(small: Setup) -> None:
    with pytest.raises(SetupError, match="name node-cobo1 is already that of"):
        setup_rows.change("node", "node-cobo0", replace(small.nodes[0], name="node-cobo1"), DAQ)


def test_a_removal_takes_along_what_cannot_be_without_it(small: Setup) -> None:
    done = setup_rows.remove("ecc_server", "ecc-cobo1", DAQ)
    assert [(change.verb, change.name) for change in done] == [
        ("remove", "ecc-cobo1"),
        ("remove", "router-cobo1"),
        ("remove", "CoBo[1]"),
    ]


def test_the_last_ecc_server_stays(db: None) -> None:
    load(expand(EasySetup(cobos=1, mutant="none")), DAQ)
    with pytest.raises(SetupError, match="names no ECC server"):
        setup_rows.remove("node", "node-cobo0", DAQ)
    assert ECCServer.objects.count() == 1


@pytest.mark.parametrize("kind", ["node", "ecc_server", "data_router", "data_source"])
def test_what_is_not_there_is_named_with_what_is(small: Setup, kind: str) -> None:
    with pytest.raises(BadCommand, match="known are"):
        setup_rows.remove(kind, "nowhere", DAQ)


def test_nothing_changes_while_a_run_is_open(small: Setup) -> None:
    _open_run()
    with pytest.raises(SetupBusyError):
        setup_rows.remove("node", "node-cobo1", DAQ)
    with pytest.raises(SetupBusyError):
        setup_rows.add([("node", NodeEntry("mm9", "10.0.0.9"))], DAQ)
    assert setup_store.read() == small
