"""What an agent's node does, in memory and over a real socket alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from attpcdaq.gateways.agent_limits import AgentLimits
from attpcdaq.gateways.errors import NoAnswer, Refused, Unreachable
from attpcdaq.gateways.ports import Abilities, NodeAddress, NodePort, RouterReading
from tests.gateways.agent_stands import AgentStand, MemoryAgentStand, SimulatedAgentStand

T = 5.0
LONG = 40.0
FILE = "/staging/CoBo0_AsAd0_2026-11-22T09:48:24.458_0000.graw"
RUN = "/staging/e20009/run_0007"


@pytest.fixture(params=["memory", "simulated"])
async def agent(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AgentStand]:
    if request.param == "memory":
        stand: AgentStand = MemoryAgentStand()
    else:
        stand = SimulatedAgentStand(tmp_path)
        await stand.start()
    yield stand
    await stand.close()


async def read(agent: AgentStand) -> RouterReading:
    """A reading that succeeds."""
    (reading,) = (await agent.port.read_routers(agent.node, [agent.query], T)).values()
    assert isinstance(reading, RouterReading), reading
    return reading


async def test_it_counts_files_and_bytes(agent: AgentStand) -> None:
    assert (await read(agent)).counted == (0, 0)
    agent.write(FILE, b"x" * 1000)
    reading = await read(agent)
    assert reading.counted == (1, 1000)
    assert (reading.online, reading.files, reading.pid, reading.last_event, reading.hears) == (
        True,
        (),
        None,
        None,
        None,
    )
    assert reading.disk_free is not None
    assert reading.disk_total is not None
    assert 0 < reading.disk_free <= reading.disk_total
    assert (await read(agent)).counted == (1, 1000)
    agent.write(f"{FILE[:-9]}0001.graw", b"x" * 500)
    assert (await read(agent)).counted == (2, 1500)


async def test_an_absent_router_is_said(agent: AgentStand) -> None:
    agent.stop_router()
    (problem,) = (await agent.port.read_routers(agent.node, [agent.query], T)).values()
    assert isinstance(problem, Refused)
    assert "its data router is not online, or its agent has a problem: " in str(problem)


async def test_another_staging_directory_is_said(agent: AgentStand) -> None:
    query = type(agent.query)("router-cobo0", "dataRouter", agent.query.port, "/elsewhere")
    (problem,) = (await agent.port.read_routers(agent.node, [query], T)).values()
    assert isinstance(problem, Refused)
    assert "its agent watches /staging, and the setup says /elsewhere: correct the staging" in str(problem)


async def test_catalog_moves_a_runs_files(agent: AgentStand) -> None:
    agent.write(FILE, b"x" * 1000)
    assert (await read(agent)).counted == (1, 1000)
    reading = await agent.port.catalog(agent.node, "e20009", 7, LONG)
    assert reading.counted == (0, 0)
    assert agent.names(RUN) == [FILE.rpartition("/")[2]]
    assert (await read(agent)).counted == (0, 0)


async def test_catalog_refuses_a_directory_that_exists(agent: AgentStand) -> None:
    agent.write(FILE, b"x")
    await agent.port.catalog(agent.node, "e20009", 7, LONG)
    agent.write(FILE, b"y")
    with pytest.raises(Refused, match=r"its agent did not move the files.*/staging/e20009/run_0007 exists"):
        await agent.port.catalog(agent.node, "e20009", 7, LONG)
    assert FILE.rpartition("/")[2] in agent.names("/staging")


async def test_a_lost_answer_leaves_it_open(agent: AgentStand) -> None:
    agent.write(FILE, b"x")
    agent.lose_next_catalog()
    with pytest.raises(NoAnswer, match="without an answer"):
        await agent.port.catalog(agent.node, "e20009", 7, LONG)
    assert (await read(agent)).counted == (0, 0)


async def test_a_dead_node_is_unreachable(agent: AgentStand) -> None:
    agent.die()
    with pytest.raises(Unreachable, match="connection refused"):
        await read(agent)
    with pytest.raises(Unreachable, match="connection refused"):
        await agent.port.catalog(agent.node, "e20009", 7, LONG)


BEYOND: dict[str, Callable[[NodePort, NodeAddress], Awaitable[object]]] = {
    "list files": lambda port, node: port.list_graw(node, "/staging", T),
    "move single files": lambda port, node: port.move_files(node, "/staging", {}, "/x", T),
    "read files": lambda port, node: port.read_file(node, "/x", T),
    "read logs": lambda port, node: port.read_tail(node, "/x", 100, T),
    "look at files": lambda port, node: port.stat_files(node, ["/x"], T),
    "write files": lambda port, node: port.write_file(node, "/x", b"", T),
    "check files": lambda port, node: port.scan_files(node, "/staging", ["x"], T),
    "look into files": lambda port, node: port.read_heads(node, "/staging", ["x"], T),
    "tell its clock": lambda port, node: port.read_clock(node, T),
    "show a host key": lambda port, node: port.read_host_key(node, T),
    "copy files": lambda port, node: port.copy_files(node, "/staging", [], "/x", T),
    "run commands": lambda port, node: port.run_command(node, "true", T),
}


@pytest.mark.parametrize("what", BEYOND)
async def test_what_it_cannot_do_is_refused_in_words(agent: AgentStand, what: str) -> None:
    with pytest.raises(Refused, match=f"node node-cobo0 is reached through its HTTP agent, which cannot {what}"):
        await BEYOND[what](agent.port, agent.node)


async def test_it_says_what_it_can(agent: AgentStand) -> None:
    assert agent.port.abilities(agent.node) == Abilities(files=False, commands=False, clock=False)
    assert agent.port.abilities(NodeAddress("n", "127.0.0.1", 22)) == Abilities()


def test_nothing_of_the_port_is_forgotten() -> None:
    """What is neither here nor refused would be asked of an agent and end in an error of ours."""
    methods = {name for name in vars(NodePort) if not name.startswith("_")}
    here = {"read_routers", "catalog", "abilities", "close"}
    refused = set(vars(AgentLimits)) & methods
    assert refused | here == methods
    assert len(BEYOND) == len(methods - here)
