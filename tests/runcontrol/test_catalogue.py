"""Closing a run on a node whose HTTP agent moves the files: asked once, believed when nothing lies there any more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.node_access import NodesByAccess
from attpcdaq.gateways.ports import NodeAddress, RouterQuery, RouterReading
from attpcdaq.runcontrol.closing.catalogue import catalogue, counts
from attpcdaq.runcontrol.closing.staging import Staging
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runlog.models import Experiment, Run, RunState
from attpcdaq.testing.memory_agents import CATALOG_WAIT, MemoryAgents
from attpcdaq.testing.memory_ecc import MemoryEcc
from attpcdaq.testing.memory_nodes import MemoryNodes

pytestmark = pytest.mark.django_db
NAME = "CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw"
PLACE = Staging(NodeAddress("mm0", "127.0.0.1", 8080, access="agent"), "/staging", "router-cobo0")
NOT_PROVEN = "so it is not proven what came of this run's files there"


@dataclass
class Place:
    """One agent's node in memory, and time that passes only while somebody sleeps; `happens` at its moment."""

    nodes: MemoryNodes = field(default_factory=MemoryNodes)
    elapsed: float = 0.0
    happens: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        self.nodes = MemoryNodes(sleep=self.sleep)
        self.nodes.add("mm0")
        self.nodes.make_directory("mm0", "/staging")
        self.nodes.start_router("mm0", 0)
        self.agents = MemoryAgents(self.nodes, {"mm0": "/staging"}, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        end = self.elapsed + seconds
        for at, act in sorted(self.happens, key=lambda each: each[0]):
            if at <= end:
                self.elapsed = max(self.elapsed, at)
                self.happens.remove((at, act))
                act()
        self.elapsed = max(self.elapsed, end)
        await asyncio.sleep(0)

    def outside(self) -> Outside:
        port = NodesByAccess(self.nodes, self.agents)
        return Outside(MemoryEcc(), port, timezone.now, self.sleep, lambda: self.elapsed)

    def write(self, name: str = NAME) -> None:
        self.nodes.write("mm0", f"/staging/{name}", b"frames")

    def close(self, run: Run, place: Staging = PLACE) -> str:
        return async_to_sync(catalogue)(run, place, self.outside())

    def in_staging(self) -> tuple[str, ...]:
        return self.nodes.names("mm0", "/staging")


@pytest.fixture
def here() -> Place:
    return Place()


@pytest.fixture
def run() -> Run:
    experiment = Experiment.objects.create(name="e20009", is_active=True)
    return Run.objects.create(experiment=experiment, number=7, state=RunState.CLOSING, requested_at=timezone.now())


def test_the_agent_moves_the_files_and_is_not_proof(here: Place, run: Run) -> None:
    here.write()
    assert here.close(run) == f"router-cobo0: its node's agent moved the files, {NOT_PROVEN}."
    assert here.nodes.names("mm0", "/staging/e20009/run_0007") == (NAME,)
    assert here.agents.cataloged == [("mm0", "e20009", 7)]
    assert here.elapsed >= CATALOG_WAIT


def test_nothing_there_is_nothing_asked(here: Place, run: Run) -> None:
    assert here.close(run) == f"router-cobo0: its node's agent shows no file, {NOT_PROVEN}."
    assert here.agents.cataloged == []
    assert here.elapsed < 5


def test_it_waits_while_files_grow(here: Place, run: Run) -> None:
    here.write()
    here.happens = [(at / 2, lambda: here.nodes.append("mm0", f"/staging/{NAME}", b"frame")) for at in range(1, 21)]
    assert "moved the files" in here.close(run)
    assert here.elapsed >= CATALOG_WAIT + 10
    assert here.nodes.read("mm0", f"/staging/e20009/run_0007/{NAME}") == b"frames" + 20 * b"frame"


def test_what_grows_for_ever_is_not_moved(here: Place, run: Run) -> None:
    here.write()
    here.happens = [(at / 5, lambda: here.nodes.append("mm0", f"/staging/{NAME}", b"frame")) for at in range(1, 500)]
    said = here.close(run)
    assert said == f"router-cobo0: the files in /staging still grow; nothing was moved there, {NOT_PROVEN}."
    assert here.agents.cataloged == []
    assert 60 <= here.elapsed < 70


def test_an_excluded_place_is_not_waited_for(here: Place, run: Run) -> None:
    here.write()
    here.happens = [(at / 5, lambda: here.nodes.append("mm0", f"/staging/{NAME}", b"frame")) for at in range(1, 500)]
    place = Staging(PLACE.node, PLACE.directory, PLACE.owner, excluded=True)
    assert "still grow" in here.close(run, place)
    assert here.elapsed < 2


def test_stragglers_after_the_move_are_said(here: Place, run: Run) -> None:
    """They come while the agent is at work: its answer still counts them."""
    here.write()
    agents = here.agents

    class Straggling(MemoryAgents):
        async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
            await super().catalog(node, experiment, number, timeout)
            here.write()
            query = RouterQuery("router-cobo0", "", 0, "/staging")
            reading = (await self.read_routers(node, [query], timeout))["router-cobo0"]
            assert isinstance(reading, RouterReading)
            return reading

    here.agents = Straggling(here.nodes, agents.data_paths, sleep=here.sleep)
    assert here.close(run) == (
        "router-cobo0: a file is still in /staging, and its agent cannot tell whose: "
        f"move them away by hand on node mm0, {NOT_PROVEN}."
    )
    assert here.in_staging() == (NAME,)


def test_a_lost_answer_is_looked_after(here: Place, run: Run) -> None:
    here.write()
    here.agents.losing.add("mm0")
    said = here.close(run)
    assert said == (
        "router-cobo0: mm0: it closed the connection without an answer; nothing lies in its data path any more, "
        f"{NOT_PROVEN}."
    )


@pytest.mark.parametrize("error", [NoAnswer("mm0: lost"), BadReply("mm0: garbage")])
def test_an_answer_lost_during_the_sleep_is_waited_for(here: Place, run: Run, error: GatewayError) -> None:
    """The agent moves the files half a minute later, whatever became of the connection."""
    here.write()

    class Asleep(MemoryAgents):
        async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
            here.happens.append((here.elapsed + CATALOG_WAIT, moved))
            raise error

    def moved() -> None:
        here.nodes.nodes["mm0"].directories["/staging"].clear()

    here.agents = Asleep(here.nodes, here.agents.data_paths, sleep=here.sleep)
    assert here.close(run) == f"router-cobo0: {error}; nothing lies in its data path any more, {NOT_PROVEN}."
    assert CATALOG_WAIT <= here.elapsed < CATALOG_WAIT + 10


def test_an_answer_lost_for_good_is_said(here: Place, run: Run) -> None:
    here.write()

    class Dead(MemoryAgents):
        async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
            raise NoAnswer("mm0: lost")

    here.agents = Dead(here.nodes, here.agents.data_paths, sleep=here.sleep)
    assert here.close(run).startswith("router-cobo0: mm0: lost; a file is still in /staging, and its agent cannot tell")
    assert 60 <= here.elapsed < 70


def test_a_refusal_is_said_and_the_files_stay(here: Place, run: Run) -> None:
    here.nodes.make_directory("mm0", "/staging/e20009/run_0007")
    here.write()
    said = here.close(run)
    assert "did not move the files: /staging/e20009/run_0007 exists; a file is still in /staging" in said
    assert here.in_staging() == (NAME,)


def test_called_again_after_an_interruption_it_moves_nothing_twice(here: Place, run: Run) -> None:
    here.write()
    here.close(run)
    assert here.close(run) == f"router-cobo0: its node's agent shows no file, {NOT_PROVEN}."
    assert len(here.agents.cataloged) == 1


@pytest.mark.parametrize("error", [Unreachable("mm0: connection refused"), NoAnswer("mm0: no answer within 10 s")])
def test_a_node_that_is_away_is_said(here: Place, run: Run, error: GatewayError) -> None:
    here.write()
    here.nodes.take_down("mm0", error)
    assert here.close(run) == f"router-cobo0: {error}; nothing was moved there, {NOT_PROVEN}."
    assert 20 <= here.elapsed < 25


def test_a_node_that_is_away_for_a_moment_is_waited_for(here: Place, run: Run) -> None:
    here.write()
    here.nodes.take_down("mm0", NoAnswer("mm0: lost"))
    here.happens = [(15.0, lambda: here.nodes.recover("mm0"))]
    assert here.close(run) == f"router-cobo0: its node's agent moved the files, {NOT_PROVEN}."


def test_a_node_that_goes_before_it_is_asked_is_said(here: Place, run: Run) -> None:
    here.write()
    here.nodes.fail("mm0", "list_graw", Unreachable("mm0: connection refused"))
    assert here.close(run) == f"router-cobo0: mm0: connection refused; nothing was moved there, {NOT_PROVEN}."


def test_what_cannot_be_seen_afterwards_is_said(here: Place, run: Run) -> None:
    here.write()
    here.agents.losing.add("mm0")
    here.happens = [(CATALOG_WAIT, lambda: here.nodes.fail("mm0", "read_routers", NoAnswer("mm0: away")))]
    said = here.close(run)
    assert f"whether its files were moved could not be seen (mm0: away), {NOT_PROVEN}." in said


def test_an_absent_router_is_said(here: Place, run: Run) -> None:
    """Then the agent tells nothing: whether files lie there is not known, so it is not asked to move any."""
    here.write()
    here.nodes.stop_router("mm0", 0)
    assert "its data router is not online" in here.close(run)
    assert here.agents.cataloged == []


def test_files_of_another_run_are_never_moved(here: Place, run: Run) -> None:
    """A mover that stood still: its run is closed, and the next one takes data."""
    here.write()
    Run.objects.filter(pk=run.pk).update(state=RunState.CLOSED)
    Run.objects.create(experiment=run.experiment, number=8, state=RunState.RUNNING, requested_at=timezone.now())
    said = here.close(run)
    assert said == f"router-cobo0: another run is open by now; nothing was moved there, {NOT_PROVEN}."
    assert here.agents.cataloged == []


def test_a_node_that_counts_nothing_is_refused(here: Place) -> None:
    class Silent(MemoryAgents):
        async def read_routers(
            self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
        ) -> Mapping[str, RouterReading | GatewayError]:
            return {router.name: RouterReading(True, (), None, None, None) for router in routers}

    here.agents = Silent(here.nodes, {}, sleep=here.sleep)
    count: Callable[[Staging, Outside], Awaitable[tuple[int, int]]] = counts
    with pytest.raises(Refused, match="mm0 does not count files"):
        async_to_sync(count)(PLACE, here.outside())
