"""Config sets: what a server lists, what fits, what is chosen."""

import pytest
from django.utils import timezone

from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking.configs import choices, choose, store_config_sets
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, load
from attpcdaq.runcontrol.models import Command
from attpcdaq.topology.easy_setup import EasySetup, expand
from attpcdaq.topology.models import ConfigSet, ECCServer
from get_protocol.config_set import ConfigId

LISTED = [ConfigId(d, c, c) for d in ("cobo0", "cobo1", "mutant") for c in ("experiment", "fullreadout")]


@pytest.fixture
def server(db: None) -> ECCServer:
    load(expand(EasySetup(cobos=2)), DAQ)
    return ECCServer.objects.get(name="ecc-cobo0")


def names(server: ECCServer) -> list[str]:
    server.refresh_from_db()
    return [str(row) for row in choices(server)]


def test_only_what_fits_the_board_is_offered(server: ECCServer) -> None:
    store_config_sets(server, LISTED)
    assert names(server) == ["cobo0 / experiment / experiment", "cobo0 / fullreadout / fullreadout"]
    assert server.config_sets.count() == 6
    assert server.configs_fetched_at is not None


def test_without_a_describe_name_everything_is_offered(server: ECCServer) -> None:
    server.describe_name = ""
    server.save(update_fields=["describe_name"])
    store_config_sets(server, LISTED)
    assert len(names(server)) == 6


def test_what_vanished_is_not_offered_and_comes_back(server: ECCServer) -> None:
    store_config_sets(server, LISTED)
    kept = set(server.config_sets.values_list("pk", flat=True))
    store_config_sets(server, LISTED[1:])
    assert names(server) == ["cobo0 / fullreadout / fullreadout"]
    store_config_sets(server, LISTED)
    assert len(names(server)) == 2
    assert set(server.config_sets.values_list("pk", flat=True)) == kept


def test_the_chosen_one_stays_even_when_it_vanished(server: ECCServer) -> None:
    store_config_sets(server, LISTED)
    chosen = choices(server)[0]
    assert choose({server.pk: chosen.pk}, DAQ) == 1
    store_config_sets(server, [])
    assert names(server) == [str(chosen)]
    assert server.config_set == chosen


def test_the_only_choice_is_taken_by_itself(server: ECCServer) -> None:
    store_config_sets(server, [LISTED[0], LISTED[0], LISTED[2]])
    server.refresh_from_db()
    assert str(server.config_set) == "cobo0 / experiment / experiment"


def test_a_choice_that_is_there_is_not_replaced_by_the_only_one(server: ECCServer) -> None:
    store_config_sets(server, LISTED)
    choose({server.pk: choices(server)[1].pk}, DAQ)
    store_config_sets(server, LISTED[:1])
    server.refresh_from_db()
    assert str(server.config_set) == "cobo0 / fullreadout / fullreadout"


def test_a_choice_of_another_server_is_refused_and_nothing_is_half_done(server: ECCServer) -> None:
    other = ECCServer.objects.get(name="ecc-cobo1")
    for each in (server, other):
        store_config_sets(each, LISTED)
    mine, foreign = choices(server)[0].pk, ConfigSet.objects.filter(ecc_server=server)[1].pk
    with pytest.raises(ValueError, match="ecc-cobo1: this configuration is not offered"):
        choose({server.pk: mine, other.pk: foreign}, DAQ)
    with pytest.raises(ValueError, match="no longer part of the setup"):
        choose({server.pk: mine, 10**6: mine}, DAQ)
    server.refresh_from_db()
    assert server.config_set is None


def test_no_choice_while_a_command_is_active(server: ECCServer) -> None:
    store_config_sets(server, LISTED)
    now = timezone.now()
    Command.objects.create(action="configure", requested_by="kim", requested_at=now, expires_at=now, published_at=now)
    with pytest.raises(SetupBusyError, match="Configure of kim"):
        choose({server.pk: choices(server)[0].pk}, DAQ)
    assert choose({server.pk: None}, DAQ) == 0
