"""Config sets: what a server lists, what fits, what is chosen."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attpcdaq.audit.people import DAQ
from attpcdaq.runcontrol.asking.configs import choices, choose, choose_everywhere, store_config_sets
from attpcdaq.runcontrol.asking.setup_changes import SetupBusyError, load
from attpcdaq.runcontrol.models import Command
from attpcdaq.runcontrol.seeing.config_choices import Used, in_common, server_choices
from attpcdaq.runlog.models import Experiment, Run
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


def fitted() -> None:
    """Every server lists all; what fits is two each."""
    for each in ECCServer.objects.all():
        store_config_sets(each, LISTED)


def chosen() -> dict[str, str]:
    return {row.name: str(row.config_set) for row in ECCServer.objects.select_related("config_set")}


def test_one_choice_for_all(server: ECCServer) -> None:
    fitted()
    assert choose_everywhere("fullreadout", "fullreadout", DAQ) == (3, ())
    assert chosen() == {
        "ecc-cobo0": "cobo0 / fullreadout / fullreadout",
        "ecc-cobo1": "cobo1 / fullreadout / fullreadout",
        "ecc-mutant": "mutant / fullreadout / fullreadout",
    }
    assert choose_everywhere("fullreadout", "fullreadout", DAQ) == (0, ())


def test_where_it_does_not_fit_nothing_changes_and_that_is_said(server: ECCServer) -> None:
    fitted()
    choose_everywhere("experiment", "experiment", DAQ)
    store_config_sets(
        ECCServer.objects.get(name="ecc-mutant"), [each for each in LISTED if each.prepare != "fullreadout"]
    )
    assert choose_everywhere("fullreadout", "fullreadout", DAQ) == (2, ("ecc-mutant",))
    assert chosen()["ecc-mutant"] == "mutant / experiment / experiment"
    with pytest.raises(ValueError, match="No ECC server offers nosuch / nosuch"):
        choose_everywhere("nosuch", "nosuch", DAQ)


def test_where_several_would_do_the_describe_name_that_is_chosen_stays(server: ECCServer) -> None:
    fitted()
    ECCServer.objects.filter(pk=server.pk).update(describe_name="")
    assert choose_everywhere("experiment", "experiment", DAQ)[1] == ("ecc-cobo0",)
    choose({server.pk: server.config_sets.get(describe="cobo1", prepare="experiment").pk}, DAQ)
    choose_everywhere("fullreadout", "fullreadout", DAQ)
    assert chosen()["ecc-cobo0"] == "cobo1 / fullreadout / fullreadout"


def test_who_else_uses_it_and_in_which_runs(server: ECCServer) -> None:
    fitted()
    choose_everywhere("experiment", "experiment", DAQ)
    experiment = Experiment.objects.create(name="e20009")
    for number, config in enumerate(("cobo0 / fullreadout / fullreadout", *["cobo0 / experiment / experiment"] * 2), 1):
        configuration = {"ecc-cobo0": {"boards": {}, "config": config}, "gone": {"config": config}}
        moment = timezone.now()
        Run.objects.create(
            experiment=experiment, number=number, state="closed", requested_at=moment, configuration=configuration
        )
    (one,) = server_choices(["ecc-cobo0"], with_runs=True)
    assert one.listed == 6
    assert [(c.row.prepare, c.is_chosen, c.others, c.used) for c in one.choices] == [
        ("experiment", True, ("ecc-cobo1", "ecc-mutant"), Used(2, ("e20009", 3))),
        ("fullreadout", False, (), Used(1, ("e20009", 1))),
    ]
    assert [(c.label, len(c.fits), len(c.used_by)) for c in in_common(server_choices())] == [
        ("experiment / experiment", 3, 3),
        ("fullreadout / fullreadout", 3, 0),
    ]


def test_the_same_few_questions_however_many_servers_there_are(db: None) -> None:
    counts = []
    for cobos in (1, 12):
        load(expand(EasySetup(cobos=cobos)), DAQ)
        fitted()
        with CaptureQueriesContext(connection) as asked:
            server_choices(with_runs=True)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 6
