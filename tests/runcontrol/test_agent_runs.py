"""Whole runs of a detector one of whose nodes is reached through an HTTP agent."""

from datetime import timedelta

import pytest

from attpcdaq.gateways.node_access import NodesByAccess
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking import gate
from attpcdaq.runcontrol.asking.refusals import CommandRefused
from attpcdaq.runcontrol.closing.gathering import gather
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.proving.manifesting import check_files
from attpcdaq.runlog.models import Manifest, Run, RunFile
from attpcdaq.testing.memory_agents import CATALOG_WAIT, MemoryAgents
from attpcdaq.topology.models import Node
from get_protocol.graw import graw_name
from tests.runcontrol.frames import frames, mutant_frames
from tests.runcontrol.rig import NODES_BEGIN, Rig, make_rig

pytestmark = pytest.mark.django_db
AGENT, SSH = "node-cobo0", "node-cobo1"


@pytest.fixture
def rig() -> Rig:
    """Node of CoBo[0]: an agent; those of CoBo[1] and the MuTAnT: SSH. All boards are Ready."""
    made = make_rig(cobos=2)
    Node.objects.filter(name=AGENT).update(access="agent", restart_router="", restart_ecc="")
    made.detector.ecc_servers[0].config_dir = made.detector.ecc_servers[0].backup_dir = ""
    made.detector.ecc_servers[0].save()
    agents = MemoryAgents(made.nodes, {AGENT: "/staging"}, sleep=made.time.sleep)
    port = NodesByAccess(made.nodes, agents)
    made.outside = lambda: Outside(made.ecc, port, made.time.now, made._sleep, made.time.monotonic)
    made.time.factor = 1000.0
    made.make_ready()
    return made


def name(rig: Rig, cobo: int | None) -> str:
    """A fresh file's name: the present time of the nodes, whose clocks stand elsewhere than ours."""
    now = NODES_BEGIN + timedelta(seconds=rig.time.elapsed)
    return graw_name(cobo, None if cobo is None else 0, now.replace(tzinfo=None), 0)


def take(rig: Rig) -> Run:
    """A run with a file on each node, all of the same events; stopped and closed."""
    assert rig.do("start").state == "done"
    run = Run.objects.get(state="running")
    for cobo in (0, 1):
        rig.write(cobo, name(rig, cobo), frames(cobo, 0, range(5)))
    rig.write(2, name(rig, None), mutant_frames(range(5)))
    assert rig.do("stop").state == "done"
    return rig.close(run)


def test_the_agent_moves_its_files_and_the_others_are_moved(rig: Rig) -> None:
    before = rig.time.elapsed
    run = take(rig)
    assert run.state == "closed"
    assert (
        "router-cobo0: its node's agent moved the files, so it is not proven what came of this run's files there."
        in run.verdict
    )
    assert "router-cobo1" not in run.verdict
    directory = f"/staging/{run.directory}"
    assert len(rig.nodes.names(AGENT, directory)) == 1
    assert rig.nodes.names(AGENT, "/staging") == ()
    assert {row.node for row in RunFile.objects.filter(run=run, kind="data")} == {SSH, "node-mutant"}
    assert rig.time.elapsed - before >= CATALOG_WAIT


def test_its_manifest_is_not_proven_and_says_which_node(rig: Rig) -> None:
    run = take(rig)
    check_files(run.pk, rig.outside)
    manifest = Manifest.objects.get(run=run)
    assert manifest.verdict == "not_proven"
    assert AGENT in str(manifest.reasons)


def test_the_next_run_starts_on_clean_directories(rig: Rig) -> None:
    first, second = take(rig), take(rig)
    assert (first.number, second.number) == (1, 2)
    assert rig.nodes.names(AGENT, f"/staging/{second.directory}") != ()


def test_what_comes_late_stays_and_is_said_and_keeps_the_next_run_back(rig: Rig) -> None:
    """Nobody but the agent sees it, and the agent cannot tell whose it is: a wrong guess would be worse."""
    run = take(rig)
    rig.write(0, name(rig, 0))
    rig.look()
    with pytest.raises(CommandRefused, match="router-cobo0"):
        rig.request("start")
    gate.ask_set_aside(rig.time.now())
    gather(rig.outside)
    assert len(rig.nodes.names(AGENT, "/staging")) == 1
    said = Event.objects.filter(topic="router", subject="router-cobo0").exclude(text="").order_by("-id")[0]
    assert said.text == (
        "a file is still in /staging, and its agent cannot tell whose: move them away by hand on node node-cobo0"
    )
    assert len(rig.nodes.names(AGENT, f"/staging/{run.directory}")) == 1


def test_a_node_that_is_away_closes_the_run_in_words(rig: Rig) -> None:
    assert rig.do("start").state == "done"
    run = Run.objects.get(state="running")
    rig.write(0, name(rig, 0))
    assert rig.do("stop").state == "done"
    rig.nodes.take_down(AGENT)
    run = rig.close(run)
    assert "router-cobo0: node-cobo0: connection refused; nothing was moved there" in run.verdict
