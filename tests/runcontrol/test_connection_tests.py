"""Trying connections of the setup: what is said of each kind, and of a test that nobody takes or finishes."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester
from attpcdaq.gateways.errors import Refused, Unreachable
from attpcdaq.runcontrol.asking.connection_tests import AT_ONCE, GONE_AFTER, TAKEN_WITHIN, request_test
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.doing.connecting import try_connection
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.models import ConnectionTest
from attpcdaq.runcontrol.seeing.connection_tests import Finding, TrialView, as_message, view_of
from attpcdaq.testing.builders import Detector, build_detector, memory_ecc, memory_nodes
from attpcdaq.testing.memory_ecc import MemoryEcc
from attpcdaq.testing.memory_nodes import MemoryNodes
from attpcdaq.topology import setup_store
from tests.runcontrol.rig import FastTime

pytestmark = pytest.mark.django_db
EXPERT = Requester("sam", role="expert", origin="10.0.0.7")
NODE, ROUTER, ECC = "node-cobo0", "router-cobo0", "ecc-cobo0"


class Bench:
    """A small detector in memory."""

    def __init__(self, detector: Detector) -> None:
        self.time = FastTime()
        self.ecc: MemoryEcc = memory_ecc(detector)
        self.nodes: MemoryNodes = memory_nodes(detector)

    def outside(self) -> Outside:
        return Outside(self.ecc, self.nodes, self.time.now, self.time.sleep, self.time.monotonic)

    def ask(self, kind: str, **changed: Any) -> ConnectionTest:
        return request_test(kind, row_of(kind) | changed, setup_store.read(), EXPERT, self.time.now())

    def tried(self, kind: str, **changed: Any) -> TrialView:
        asked = self.ask(kind, **changed)
        assert try_connection(asked.pk, self.outside)
        return self.seen(asked)

    def seen(self, asked: ConnectionTest) -> TrialView:
        asked.refresh_from_db()
        return view_of(asked, self.time.now())


def row_of(kind: str) -> dict[str, Any]:
    setup = setup_store.read()
    if kind == "node":
        return {"name": NODE, "host": setup.nodes[0].host}
    if kind == "router":
        router = setup.data_routers[0]
        return {"name": ROUTER, "node": NODE, "host": router.host, "port": router.port, "staging_dir": "/staging"}
    server = setup.ecc_servers[0]
    return {"name": ECC, "node": NODE, "host": server.host, "port": server.port, "describe_name": "cobo0"}


@pytest.fixture
def bench(db: None) -> Bench:
    return Bench(build_detector(cobos=1))


def levels(view: TrialView) -> list[str]:
    return [one.level for one in view.findings]


def test_an_ecc_server_answers_and_lists_what_fits(bench: Bench) -> None:
    view = bench.tried("ecc")
    assert view.state == "done", view.findings
    assert view.findings[0].text.endswith(": Idle.")
    assert "have the describe name cobo0" in view.findings[1].text
    assert bench.ecc.calls == []


def test_an_ecc_server_that_lists_nothing_that_fits_is_no_success(bench: Bench) -> None:
    view = bench.tried("ecc", describe_name="cobo7")
    assert (view.state, levels(view)) == ("failed", ["ok", "bad"])
    assert view.findings[1].text.startswith("0 of the ")


def test_directories_and_logs_that_are_not_there_are_warnings(bench: Bench) -> None:
    bench.nodes.write(NODE, "/logs/ecc.log", b"x")
    view = bench.tried("ecc", config_dir="/nowhere", log_file="/logs/ecc.log")
    assert (view.state, levels(view)[2:]) == ("done", ["warn", "ok"])
    assert "there is no directory /nowhere" in view.findings[2].text
    view = bench.tried("ecc", log_file="/logs/none.log")
    assert view.findings[-1] == Finding("warn", "Its log file /logs/none.log is not there.")


@pytest.mark.parametrize("kind", ["ecc", "node", "router"])
def test_what_does_not_answer_is_said_in_its_words(bench: Bench, kind: str) -> None:
    bench.ecc.servers[ECC].trouble = Unreachable("ecc-cobo0 (10.0.0.1:8083): connection refused")
    bench.nodes.take_down(NODE)
    view = bench.tried(kind)
    assert (view.state, levels(view)) == ("failed", ["bad"])
    assert view.findings[0].text.endswith("connection refused.")


def test_a_node_logs_in_and_tells_its_clock(bench: Bench) -> None:
    view = bench.tried("node", ssh_user="attpc")
    assert view.state == "done"
    assert view.findings[0].text == "The log-in works as attpc, and commands are run."
    assert "s ahead of ours" in view.findings[1].text or "s behind ours" in view.findings[1].text


def test_a_node_with_an_agent_is_asked_as_one(bench: Bench) -> None:
    view = bench.tried("node", access="agent")
    assert [one.text for one in view.findings] == ["Its HTTP agent answers."]


def test_a_router_runs_hears_and_has_its_directory(bench: Bench) -> None:
    view = bench.tried("router")
    assert view.state == "done", view.findings
    assert "dataRouter runs (process" in view.findings[0].text
    assert "listens on port" in view.findings[0].text
    assert view.findings[1].text.startswith("/staging is there and holds 0 data files")


def test_a_router_that_is_deaf_or_gone_is_bad(bench: Bench) -> None:
    port = setup_store.read().data_routers[0].port
    bench.nodes.nodes[NODE].deaf[port] = True
    assert "does not listen on port" in bench.tried("router").findings[0].text
    bench.nodes.stop_router(NODE, port)
    view = bench.tried("router")
    assert (view.state, levels(view)) == ("failed", ["bad", "ok"])
    assert view.findings[0].text == f"No dataRouter with the data port {port} runs on its node."


def test_a_router_without_its_directory_is_bad(bench: Bench) -> None:
    view = bench.tried("router", staging_dir="/elsewhere")
    assert (view.state, "there is no directory /elsewhere" in view.findings[0].text) == ("failed", True)


def test_a_router_on_a_node_that_is_not_set_up(bench: Bench) -> None:
    view = bench.tried("router", node="mm9")
    assert view.findings == (Finding("bad", "There is no node mm9 on which to look for it."),)


def test_it_may_be_tried_before_it_is_saved(bench: Bench) -> None:
    view = bench.tried("ecc", name="ecc-new")
    assert (view.subject, view.state) == ("ecc-new", "failed")
    assert "ecc-new" not in str(setup_store.read())


def test_whatever_breaks_is_said(bench: Bench) -> None:
    bench.nodes.fail(NODE, "read_routers", Refused("two\nlines\x00"))
    view = bench.tried("router")
    assert view.findings == (Finding("bad", "two lines�."),)


def test_what_is_wrong_is_named_and_nothing_is_tried(bench: Bench) -> None:
    with pytest.raises(BadCommand, match="port: use a whole number"):
        bench.ask("ecc", port=0)
    with pytest.raises(BadCommand, match="kind: 'board' is not one of ecc, router, node"):
        request_test("board", {}, setup_store.read(), EXPERT, bench.time.now())
    assert not ConnectionTest.objects.exists()
    assert {line.outcome for line in Entry.objects.filter(what="connection test")} == {"refused"}


def test_each_is_one_line_of_the_trail(bench: Bench) -> None:
    bench.tried("ecc")
    (line,) = Entry.objects.filter(what="connection test")
    assert (line.who, line.subject, line.outcome) == ("sam", ECC, "accepted")


def test_nobody_takes_it_and_that_is_said(bench: Bench) -> None:
    asked = bench.ask("ecc")
    assert bench.seen(asked).is_active
    bench.time.elapsed += TAKEN_WITHIN.seconds + 0.1
    view = bench.seen(asked)
    assert (view.state, view.is_active) == ("expired", False)
    assert "is the Celery worker running?" in view.findings[0].text
    assert not try_connection(asked.pk, bench.outside)


def test_who_tries_it_vanishes_and_that_is_said(bench: Bench) -> None:
    asked = bench.ask("ecc")
    ConnectionTest.objects.update(state="running")
    bench.time.elapsed += GONE_AFTER.seconds - 1
    assert bench.seen(asked).is_active
    bench.time.elapsed += 1.1
    assert (bench.seen(asked).state, "is gone" in bench.seen(asked).findings[0].text) == ("failed", True)


def test_two_workers_try_it_once(bench: Bench) -> None:
    asked = bench.ask("ecc")
    assert try_connection(asked.pk, bench.outside)
    assert not try_connection(asked.pk, bench.outside)


def test_only_a_few_are_tried_at_once(bench: Bench) -> None:
    for _ in range(AT_ONCE):
        bench.ask("ecc")
    with pytest.raises(CommandRefused, match="are being tried: wait"):
        bench.ask("ecc")
    bench.time.elapsed += TAKEN_WITHIN.seconds + 0.1
    assert bench.ask("ecc")


def test_old_ones_are_forgotten(bench: Bench) -> None:
    old = bench.ask("ecc")
    ConnectionTest.objects.filter(pk=old.pk).update(requested_at=timezone.now() - timedelta(days=2))
    bench.ask("node")
    assert not ConnectionTest.objects.filter(pk=old.pk).exists()


def test_the_words_are_kept_a_line_each() -> None:
    message = as_message([Finding("ok", "a\nb"), Finding("warn", "c"), Finding("bad", "d")])
    assert message == "+ a b\n! c\n- d"
