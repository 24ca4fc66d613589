"""What the monitor's thread reads and writes: rows, events, and a database that goes away."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from attpcdaq.gateways.ports import GrawFile, NodeClock, RouterReading
from attpcdaq.live.lease import LeaseLostError
from attpcdaq.live.models import ECCState, Event, MonitorLease, NodeState, RouterSample, RouterState
from attpcdaq.monitor.database import Database
from attpcdaq.monitor.readings import Batch, Key, Kind, Outcome, Problem, Reading
from attpcdaq.runcontrol.models import Preferences
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.testing.builders import build_detector
from attpcdaq.topology.models import DataRouter, ECCServer, Node
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State, Transition
from tests.live.writing import writing_term

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
READY = StateReply(0, "", State.READY, Transition.NONE)


def batch(*outcomes: tuple[Key, Outcome], seconds: float = 0.0, alive: tuple[Key, ...] | None = None) -> Batch:
    at = NOON + timedelta(seconds=seconds)
    return Batch(tuple(Reading(key, outcome, at) for key, outcome in outcomes), alive, at)


@pytest.fixture
def database(db: None) -> Database:
    return Database(writing_term())


def test_targets_are_the_rows(database: Database) -> None:
    rows = build_detector(cobos=2, mutant_readout=False)
    targets = database.targets()
    assert [(one.id, one.address.name, one.address.port) for one in targets.ecc_servers] == [
        (server.pk, server.name, server.port) for server in rows.ecc_servers
    ]
    # The MuTAnT without readout has no data router: nobody logs in to its node.
    assert [node.address.name for node in targets.nodes] == ["node-cobo0", "node-cobo1"]
    assert [router.query.port for node in targets.nodes for router in node.routers] == [46005, 46006]
    assert database.targets() == targets
    ECCServer.objects.filter(pk=rows.ecc_servers[0].pk).update(port=9999)
    assert database.targets() != targets


def test_targets_and_the_limit_cost_five_queries_however_many_there_are(database: Database) -> None:
    build_detector(cobos=12)
    before = database.targets()
    with CaptureQueriesContext(connection) as queries:
        assert database.targets() is before
    assert len(queries) == 5


CHANGES: list[tuple[type[Model], dict[str, object]]] = [
    (ECCServer, {"name": "x"}), (ECCServer, {"host": "x"}), (ECCServer, {"port": 9}),
    (Node, {"name": "x"}), (Node, {"host": "x"}), (Node, {"ssh_port": 9}), (Node, {"ssh_user": "x"}),
    (Node, {"access": "agent"}), (Node, {"access": "agent", "agent_port": 9}),
    (DataRouter, {"name": "x"}), (DataRouter, {"process_name": "DataExporter"}), (DataRouter, {"port": 9}),
    (DataRouter, {"staging_dir": "/x"}), (DataRouter, {"log_file": "/x"}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "change"), CHANGES)
def test_whatever_changes_is_seen(database: Database, model: type[Model], change: dict[str, object]) -> None:
    build_detector(cobos=1, mutant=False)
    before = database.targets()
    model._default_manager.update(**change)
    after = database.targets()
    assert after != before
    assert after == Database(writing_term()).targets()


def test_a_pinned_key_is_seen_and_a_router_that_moves_too(database: Database) -> None:
    rows = build_detector(cobos=2, mutant=False)
    before = database.targets()
    rows.nodes[0].host_keys.create(key="ssh-ed25519 AAAA", fingerprint="SHA256:x", pinned_by="jo", pinned_at=NOON)
    pinned = database.targets()
    assert pinned.nodes[0].address.host_keys == ("ssh-ed25519 AAAA",)
    DataRouter.objects.filter(pk=rows.data_routers[1].pk).update(node=rows.nodes[0])
    assert [len(node.routers) for node in database.targets().nodes] == [2]
    assert before != pinned


def test_a_clock_becomes_a_row_and_samples_are_written(database: Database) -> None:
    rows = build_detector(cobos=1, mutant=False)
    database.targets()
    node, router = Key(Kind.NODE, rows.nodes[0].pk), Key(Kind.ROUTER, rows.data_routers[0].pk)
    experiment = Experiment.objects.create(name="e20009", is_active=True)
    run = Run.objects.create(experiment=experiment, number=1, state="running", requested_at=NOON, started_at=NOON)
    for second in range(6):
        reading = RouterReading(True, (GrawFile("a.graw", 1000 * second, 1.0),), second, 10**9, 10**10, 4711)
        database.write(batch((router, reading), (node, NodeClock(0.2, 0.01, 0)), seconds=second, alive=(router, node)))
    assert NodeState.objects.get().clock_off
    assert [(row.run_id, row.rate) for row in RouterSample.objects.all()] == [(run.pk, 1000.0), (run.pk, 1000.0)]
    database.write(batch((node, Problem("no answer within 5 s")), seconds=7))
    assert NodeState.objects.get().problem == "no answer within 5 s"


def test_old_samples_are_thinned_out_a_little_at_a_time(database: Database) -> None:
    RouterSample.objects.bulk_create(
        RouterSample(router="r", node="n", run_id=1, at=NOON - timedelta(minutes=20, seconds=2 * n), seconds=2, files=1,
                     bytes=1, rate=1.0, event_rate=1.0) for n in range(120)
    )  # fmt: skip
    counts = []
    for second in range(8):
        database.write(batch(seconds=second, alive=()))
        counts.append(RouterSample.objects.count())
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 90
    assert counts[-1] in (24, 25)


def test_a_reading_becomes_a_row_and_an_event_once(database: Database) -> None:
    rows = build_detector(cobos=1, mutant=False)
    ecc, router = Key(Kind.ECC, rows.ecc_servers[0].pk), Key(Kind.ROUTER, rows.data_routers[0].pk)
    reading = RouterReading(True, (GrawFile("a.graw", 100, 1.0),), 7, 10**9, 10**10, 4711)
    assert database.write(batch((ecc, READY), (router, reading))) == frozenset()
    assert ECCState.objects.get().state == State.READY
    row = RouterState.objects.get()
    assert (row.online, row.files, row.bytes, row.last_event) == (True, 1, 100, 7)
    events = Event.objects.count()
    assert events > 0
    assert database.write(batch((ecc, READY), (router, reading), seconds=1)) == {ecc, router}
    assert Event.objects.count() == events


def test_a_disk_that_falls_below_what_a_run_needs_is_told_once(database: Database) -> None:
    build_detector(cobos=1, mutant=False)
    key = Key(Kind.ROUTER, DataRouter.objects.get().pk)
    Preferences.objects.create(pk=1, min_free_gb=5.0)
    database.targets()
    for second, free in enumerate((6, 5, 4.999, 3, 4)):
        seen = RouterReading(True, (), None, int(free * 10**9), 10**12, 7)
        database.write(batch((key, seen), seconds=second))
    [event] = Event.objects.filter(severity="error")
    assert (event.subject, event.at) == ("router-cobo0", NOON + timedelta(seconds=2))
    assert event.text == "less than 5 GB are free on its disk: once it is full, frames are lost"


def test_problems_are_kept_beside_the_last_good_answer(database: Database) -> None:
    rows = build_detector(cobos=1, mutant=False)
    ecc, router = Key(Kind.ECC, rows.ecc_servers[0].pk), Key(Kind.ROUTER, rows.data_routers[0].pk)
    database.write(batch((ecc, READY)))
    database.write(batch((ecc, Problem("no answer within 2 s")), (router, Problem("connection refused")), seconds=5))
    row = ECCState.objects.get()
    assert (row.state, row.problem, row.seen_at) == (State.READY, "no answer within 2 s", NOON)
    assert RouterState.objects.get().problem == "connection refused"


def test_who_answered_is_seen_and_the_monitor_beats(database: Database) -> None:
    rows = build_detector(cobos=2, mutant=False)
    first, second = (Key(Kind.ECC, server.pk) for server in rows.ecc_servers)
    database.write(batch((first, READY), (second, READY)))
    database.write(batch(seconds=3, alive=(first,)))
    seen = dict(ECCState.objects.values_list("pk", "seen_at"))
    assert seen == {first.id: NOON + timedelta(seconds=3), second.id: NOON}
    assert MonitorLease.objects.get().at == NOON + timedelta(seconds=3)


def test_what_left_the_setup_does_not_stop_the_others(database: Database) -> None:
    rows = build_detector(cobos=2, mutant=False)
    first, second = (Key(Kind.ECC, server.pk) for server in rows.ecc_servers)
    rows.ecc_servers[0].delete()
    database.write(batch((first, READY), (second, READY), (Key(Kind.ROUTER, 987654), Problem("gone"))))
    assert list(ECCState.objects.values_list("pk", flat=True)) == [second.id]


def test_events_that_only_refreshed_pages_are_tidied_away(database: Database) -> None:
    Event.objects.create(at=NOON - timedelta(hours=2), topic="router")
    Event.objects.create(at=NOON - timedelta(hours=2), topic="run", text="Run 1 started")
    database.write(batch(alive=()))
    assert list(Event.objects.values_list("text", flat=True)) == ["Run 1 started"]


@pytest.mark.django_db(transaction=True)
def test_once_another_has_the_lease_nothing_more_is_written() -> None:
    rows = build_detector(cobos=1, mutant=False)
    database = Database(writing_term())
    ecc = Key(Kind.ECC, rows.ecc_servers[0].pk)
    database.write(batch((ecc, READY), alive=(ecc,)))
    MonitorLease.objects.update(holder="another", term=2)
    before = [list(model.objects.values()) for model in (ECCState, Event, MonitorLease)]
    for late in (batch((ecc, Problem("refused")), seconds=1), batch(seconds=1, alive=(ecc,))):
        with pytest.raises(LeaseLostError):
            database.write(late)
    assert [list(model.objects.values()) for model in (ECCState, Event, MonitorLease)] == before


def test_the_proof_is_one_query_in_a_batch_and_none_where_the_lease_is_renewed(database: Database) -> None:
    rows = build_detector(cobos=12, mutant=False)
    keys = [Key(Kind.ECC, server.pk) for server in rows.ecc_servers]
    with CaptureQueriesContext(connection) as changes:
        database.write(batch(*((key, READY) for key in keys)))
    with CaptureQueriesContext(connection) as alive:
        database.write(batch(seconds=1, alive=tuple(keys)))
    of_the_lease = [
        [query["sql"].split()[0] for query in some if "live_monitorlease" in query["sql"]] for some in (changes, alive)
    ]
    assert of_the_lease == [["SELECT"], ["SELECT", "UPDATE"]]
