"""The setup in the tables: written whole, read back, rows kept by name."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given, settings
from hypothesis.extra.django import TestCase

from attpcdaq.audit.people import DAQ
from attpcdaq.live.models import ECCState, Event
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, load
from attpcdaq.runcontrol.models import Command
from attpcdaq.runlog.models import Experiment, Run, RunState
from attpcdaq.topology import setup_store
from attpcdaq.topology.easy_setup import EasySetup, Series, expand
from attpcdaq.topology.models import ConfigSet, DataRouter, DataSource, ECCServer, Node
from attpcdaq.topology.setup import Setup
from attpcdaq.topology.setup_file import dump, parse
from get_protocol.config_set import ConfigId
from tests.topology.setups import TEXT, easy_setups


class TestRoundTrip(TestCase):
    @settings(max_examples=10, deadline=None)
    @given(easy_setups, easy_setups)
    def test_any_setup_over_any_other_is_what_is_read_back(self, first: EasySetup, second: EasySetup) -> None:
        for easy in (first, replace(second, prepare=second.prepare or "x")):
            setup_store.write(expand(easy))
        assert _sorted(setup_store.read()) == _sorted(expand(replace(second, prepare=second.prepare or "x")))


def _sorted(setup: Setup) -> Setup:
    def by_name(part: tuple) -> tuple:
        return tuple(sorted(part, key=lambda entry: entry.name))

    return Setup(*map(by_name, (setup.nodes, setup.ecc_servers, setup.data_routers, setup.data_sources)))


@pytest.fixture
def small(db: None) -> Setup:
    setup = expand(EasySetup(cobos=2, prepare="experiment"))
    load(setup, DAQ)
    return setup


def test_load_dump_load_is_the_same(small: Setup, tmp_path: Path) -> None:
    path = tmp_path / "setup.toml"
    call_command("setup", "dump", str(path))
    first = path.read_text()
    DataSource.objects.all().delete()
    ECCServer.objects.all().delete()
    DataRouter.objects.all().delete()
    Node.objects.all().delete()
    call_command("setup", "load", str(path))
    call_command("setup", "dump", str(path))
    assert path.read_text() == first
    assert parse(first) == small


def test_rows_of_the_same_name_keep_id_live_state_and_config_sets(small: Setup) -> None:
    server = ECCServer.objects.get(name="ecc-cobo0")
    ECCState.objects.create(ecc_server=server, state=4)
    swapped = expand(EasySetup(cobos=2, ecc=Series(port=8084, port_step=-1), mutant="none"))
    done = load(swapped, DAQ)
    after = ECCServer.objects.get(name="ecc-cobo0")
    assert (after.pk, after.port, after.live.state) == (server.pk, 8084, 4)
    assert after.config_set == server.config_set
    assert not ECCServer.objects.filter(name="ecc-mutant").exists()
    assert "change ECC server ecc-cobo0: port 8083 → 8084" in [str(change) for change in done]
    assert "remove data source Mutant[master]" in [str(change) for change in done]


def test_restart_commands_and_deadlines_are_kept_and_their_changes_told(small: Setup) -> None:
    node = replace(small.nodes[0], restart_ecc="sudo systemctl restart {name}", restart_router="")
    server = replace(small.ecc_servers[0], deadlines={"prepare": 90.0})
    changed = replace(small, nodes=(node, *small.nodes[1:]), ecc_servers=(server, *small.ecc_servers[1:]))
    done = [str(change) for change in load(changed, DAQ)]
    told = "restart_ecc systemctl restart {name} → sudo systemctl restart {name}; "
    assert done == [
        f"change node node-cobo0: {told}restart_router systemctl restart {{name}} → (none)",
        "change ECC server ecc-cobo0: deadlines (none) → prepare 90 s",
    ]
    assert setup_store.read() == changed


def test_a_choice_of_another_board_does_not_stay(small: Setup) -> None:
    done = load(expand(EasySetup(cobos=2, describe_cobo="board{n}")), DAQ)
    changed = "describe_name cobo0 → board0; config cobo0 / experiment / experiment → (none)"
    assert f"change ECC server ecc-cobo0: {changed}" in [str(change) for change in done]
    assert ECCServer.objects.get(name="ecc-cobo0").config_set is None
    assert ConfigSet.objects.filter(ecc_server__name="ecc-cobo0").exists()


def test_routers_may_swap_addresses_and_boards(small: Setup) -> None:
    routers = [replace(router, port=46005 + 46006 - router.port) for router in small.data_routers[:2]]
    sources = [
        replace(source, data_router=f"router-cobo{1 - number}") for number, source in enumerate(small.data_sources[:2])
    ]
    swapped = replace(
        small,
        data_routers=(*routers, *small.data_routers[2:]),
        data_sources=(*sources, *small.data_sources[2:]),
    )
    load(swapped, DAQ)
    assert setup_store.read() == swapped


def test_nothing_to_change_writes_nothing(small: Setup) -> None:
    events = Event.objects.count()
    assert load(small, DAQ) == ()
    assert Event.objects.count() == events


def test_what_changed_is_told_once(small: Setup) -> None:
    event = Event.objects.filter(topic="setup").get()
    assert event.text == "Setup changed by DAQ: 12 added"


def _open_run(state: str = RunState.RUNNING) -> Run:
    experiment = Experiment.objects.create(name="e20009", is_active=True)
    return Run.objects.create(experiment=experiment, number=1, state=state, requested_at=timezone.now())


@pytest.mark.parametrize("state", [RunState.REQUESTED, RunState.RUNNING, RunState.CLOSING])
def test_nothing_changes_while_a_run_is_open(small: Setup, state: str) -> None:
    _open_run(state)
    with pytest.raises(SetupBusyError, match="e20009 run 1 is"):
        load(expand(EasySetup(cobos=1)), DAQ)
    assert setup_store.read() == small
    assert load(small, DAQ) == ()


def test_nothing_changes_while_a_command_is_active(small: Setup) -> None:
    Command.objects.create(
        action="prepare",
        requested_by="kim",
        requested_at=timezone.now(),
        expires_at=timezone.now(),
        published_at=timezone.now(),
    )
    with pytest.raises(SetupBusyError, match="Prepare of kim is under way"):
        load(expand(EasySetup(cobos=1)), DAQ)


def test_a_closed_run_blocks_nothing(small: Setup) -> None:
    _open_run(RunState.CLOSED)
    load(expand(EasySetup(cobos=1)), DAQ)
    assert ECCServer.objects.count() == 2


def test_the_verb_checks_without_changing(small: Setup, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "setup.toml"
    path.write_text(TEXT)
    call_command("setup", "load", str(path), "--check")
    assert "would remove ECC server ecc-mutant" in capsys.readouterr().out
    assert setup_store.read() == small


def test_the_verb_names_every_fault_and_changes_nothing(small: Setup, tmp_path: Path) -> None:
    path = tmp_path / "setup.toml"
    path.write_text(TEXT.replace("8083", "0"))
    with pytest.raises(CommandError, match="port 0 is not allowed"):
        call_command("setup", "load", str(path))
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("setup", "load", str(tmp_path / "nothing"))
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("setup", "dump", str(tmp_path / "no" / "such"))
    _open_run()
    path.write_text(TEXT)
    with pytest.raises(CommandError, match=r"nothing was changed: .*run 1 is running"):
        call_command("setup", "load", str(path))
    assert setup_store.read() == small


def test_a_file_without_a_choice_leaves_the_choice(small: Setup) -> None:
    bare = replace(small, ecc_servers=tuple(replace(server, config=None) for server in small.ecc_servers))
    assert load(parse(dump(bare)), DAQ) == ()
    chosen = setup_store.read().ecc_servers[0].config
    assert chosen == ConfigId("cobo0", "experiment", "experiment")
