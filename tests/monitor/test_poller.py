"""How the monitor reads: against twins, with time that moves when told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.ports import EccAddress, NodeAddress, NodeClock, RouterQuery, RouterReading
from attpcdaq.monitor.poller import Pace, Poller
from attpcdaq.monitor.readings import EccTarget, Key, Kind, NodeTarget, Problem, Reading, RouterTarget, Targets
from attpcdaq.testing.clock import ManualClock
from attpcdaq.testing.memory_ecc import MemoryEcc
from attpcdaq.testing.memory_nodes import MemoryNodes
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import State


def ecc_target(number: int) -> EccTarget:
    return EccTarget(number, EccAddress(f"ecc-{number}", "127.0.0.1", 8083 + number))


def node_target(number: int, routers: int = 1) -> NodeTarget:
    targets = [
        RouterTarget(number * 10 + router, RouterQuery(f"router-{number}-{router}", "dataRouter", 46005 + router, "/s"))
        for router in range(routers)
    ]
    return NodeTarget(number, NodeAddress(f"node-{number}", "127.0.0.1", 22), tuple(targets))


@dataclass
class Desk:
    """A poller before twins, and what it noted."""

    clock: ManualClock = field(default_factory=ManualClock)
    noted: list[Reading] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ecc = MemoryEcc(sleep=self.clock.sleep, monotonic=self.clock.monotonic)
        self.nodes = MemoryNodes(sleep=self.clock.sleep)
        self.poller = Poller(self.ecc, self.nodes, self.noted.append, self.clock, Pace())

    def watch(self, servers: int, nodes: int = 0, routers: int = 1) -> None:
        for number in range(servers):
            self.ecc.add(f"ecc-{number}")
        for number in range(nodes):
            self.nodes.add(f"node-{number}")
            self.nodes.make_directory(f"node-{number}", "/s")
        ecc_servers = tuple(map(ecc_target, range(servers)))
        self.poller.watch(Targets(ecc_servers, tuple(node_target(number, routers) for number in range(nodes))))

    def of(self, kind: Kind, number: int) -> list[Reading]:
        return [reading for reading in self.noted if reading.key == Key(kind, number)]

    def times(self, kind: Kind, number: int) -> list[float]:
        start = ManualClock().now()
        return [round((reading.at - start).total_seconds(), 3) for reading in self.of(kind, number)]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    await made.poller.close()


async def test_every_server_is_read_twice_a_second_and_they_are_spread(desk: Desk) -> None:
    desk.watch(servers=5)
    await desk.clock.advance(3.0)
    assert desk.times(Kind.ECC, 0) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert desk.times(Kind.ECC, 3) == [0.3, 0.8, 1.3, 1.8, 2.3, 2.8]
    reply = desk.of(Kind.ECC, 0)[0].outcome
    assert isinstance(reply, StateReply)
    assert reply.state is State.IDLE


async def test_every_node_is_looked_at_steadily_for_all_its_routers(desk: Desk) -> None:
    desk.watch(servers=0, nodes=2, routers=2)
    await desk.clock.advance(6.1)
    assert desk.times(Kind.ROUTER, 0) == desk.times(Kind.ROUTER, 1) == [0.0, 2.0, 4.0, 6.0]
    assert desk.times(Kind.ROUTER, 10) == [1.0, 3.0, 5.0]
    assert [reading.since for reading in desk.of(Kind.ROUTER, 10)] == [
        None, *(reading.at for reading in desk.of(Kind.ROUTER, 10)[:-1])
    ]  # fmt: skip


async def test_a_hung_server_delays_nobody_and_keeps_its_phase(desk: Desk) -> None:
    desk.watch(servers=5)
    desk.ecc.hang("ecc-1")
    await desk.clock.advance(6.0)
    assert desk.times(Kind.ECC, 1) == [2.1, 4.1]
    outcome = desk.of(Kind.ECC, 1)[0].outcome
    assert isinstance(outcome, Problem)
    assert "no answer within 2 s" in outcome.text
    for other in (0, 2, 3, 4):
        assert len(desk.of(Kind.ECC, other)) in (12, 13)
    desk.ecc.recover("ecc-1")
    await desk.clock.advance(2.5)
    assert desk.times(Kind.ECC, 1)[-3:] == [7.1, 7.6, 8.1]
    assert isinstance(desk.of(Kind.ECC, 1)[-1].outcome, StateReply)


async def test_readings_of_one_server_never_overlap() -> None:
    """Seen from the server: a second call never comes while one is open."""
    clock, open_calls, most = ManualClock(), 0, 0

    class Slow(MemoryEcc):
        async def get_state(self, server: EccAddress, timeout: float) -> StateReply:
            nonlocal open_calls, most
            open_calls += 1
            most = max(most, open_calls)
            await clock.sleep(0.7)
            open_calls -= 1
            return await super().get_state(server, timeout)

    slow = Slow()
    slow.add("ecc-0")
    noted: list[Reading] = []
    poller = Poller(slow, MemoryNodes(), noted.append, clock)
    poller.watch(Targets((ecc_target(0),)))
    await clock.advance(5.0)
    await poller.close()
    assert most == 1
    assert len(noted) == 5


async def test_a_dead_node_is_a_problem_of_each_of_its_routers(desk: Desk) -> None:
    desk.watch(servers=0, nodes=2, routers=2)
    desk.nodes.take_down("node-0")
    await desk.clock.advance(1.0)
    for router in (0, 1):
        outcome = desk.of(Kind.ROUTER, router)[-1].outcome
        assert isinstance(outcome, Problem)
        assert "refused" in outcome.text
    assert isinstance(desk.of(Kind.ROUTER, 10)[-1].outcome, RouterReading)


async def test_since_is_the_last_good_reading(desk: Desk) -> None:
    desk.watch(servers=0, nodes=1)
    await desk.clock.advance(0.1)
    desk.nodes.take_down("node-0")
    await desk.clock.advance(4.0)
    desk.nodes.recover("node-0")
    await desk.clock.advance(2.0)
    readings = desk.of(Kind.ROUTER, 0)
    assert [type(reading.outcome) for reading in readings] == [RouterReading, Problem, Problem, RouterReading]
    assert readings[3].since == readings[0].at
    assert readings[3].at - readings[0].at == timedelta(seconds=6)


async def test_a_fault_of_ours_is_seen_and_ends_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(MemoryEcc):
        async def get_state(self, server: EccAddress, timeout: float) -> StateReply:
            raise ZeroDivisionError("our own mistake")

    poller = Poller(Broken(), desk.nodes, desk.noted.append, desk.clock)
    poller.watch(Targets((ecc_target(0),)))
    await desk.clock.advance(1.0)
    await poller.close()
    assert len(desk.noted) == 3
    outcome = desk.noted[-1].outcome
    assert isinstance(outcome, Problem)
    assert "our own mistake" in outcome.text
    assert "reading ecc-0 failed" in caplog.text


async def test_a_changed_setup_disturbs_only_what_changed(desk: Desk) -> None:
    desk.watch(servers=2)
    await desk.clock.advance(1.0)
    desk.ecc.add("ecc-2")
    desk.poller.watch(Targets((ecc_target(0), ecc_target(2))))
    before = len(desk.of(Kind.ECC, 1))
    await desk.clock.advance(1.0)
    assert desk.times(Kind.ECC, 0) == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert len(desk.of(Kind.ECC, 1)) == before
    assert desk.times(Kind.ECC, 2) == [1.2, 1.7]


async def test_closing_ends_every_task(desk: Desk) -> None:
    before = asyncio.all_tasks()
    desk.watch(servers=5, nodes=2)
    desk.ecc.hang("ecc-1")
    await desk.clock.advance(0.4)
    assert len(asyncio.all_tasks() - before) == 9
    await desk.poller.close()
    assert asyncio.all_tasks() == before


async def test_clocks_are_read_soon_and_then_twice_a_minute(desk: Desk) -> None:
    desk.watch(servers=0, nodes=3)
    for number in range(3):
        desk.nodes.nodes[f"node-{number}"].clock = NodeClock(0.1 * number, 0.001, 60)
    await desk.clock.advance(63.0)
    assert desk.times(Kind.NODE, 0) == [0.1, 30.1, 60.1]
    assert desk.times(Kind.NODE, 2) == [2.1, 32.1, 62.1]
    assert desk.of(Kind.NODE, 2)[0].outcome == NodeClock(0.2, 0.001, 60)


async def test_a_clock_that_cannot_be_read_delays_no_router(desk: Desk) -> None:
    desk.watch(servers=0, nodes=2)
    desk.nodes.fail("node-0", "read_clock", Refused("node-0: there is no date"))
    await desk.clock.advance(8.0)
    assert not desk.of(Kind.NODE, 0)  # it is asked again soon before anything is said
    await desk.clock.advance(4.0)
    assert desk.of(Kind.NODE, 0)[0].outcome == Problem("node-0: there is no date")
    assert len(desk.times(Kind.ROUTER, 0)) == 7
    desk.nodes.hang("node-1")
    await desk.clock.advance(90.0)
    assert isinstance(desk.of(Kind.NODE, 1)[-1].outcome, Problem)
    assert desk.of(Kind.ROUTER, 0)[-1].at == desk.clock.now()


async def test_an_agent_is_not_asked_for_its_clock(desk: Desk) -> None:
    agent = NodeAddress("node-0", "127.0.0.1", 8080, access="agent")
    desk.nodes.add("node-0")
    desk.poller.watch(Targets((), (NodeTarget(0, agent, ()),)))
    await desk.clock.advance(40.0)
    assert desk.of(Kind.NODE, 0) == []


async def test_a_node_added_later_is_asked_for_its_clock_at_once(desk: Desk) -> None:
    desk.watch(servers=1)
    await desk.clock.advance(17.0)
    desk.watch(servers=1, nodes=1)
    await desk.clock.advance(1.0)
    assert len(desk.of(Kind.NODE, 0)) == 1
