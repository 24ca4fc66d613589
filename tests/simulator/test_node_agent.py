"""The HTTP agent of a node: what it tells, what it moves, and how it fails."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from get_protocol.state_machine import Transition
from get_simulator.description_file import BadDescription, describe
from tests.simulator.conftest import UP, Simulation, running, until

KEYS = ("disk", "process", "data_path", "data_written_gb", "data_path_files", "disk_avail_gb", "disk_total_gb")
RUN = {"experiment": "e20009", "run_number": 7}


@pytest.fixture
async def agents(tmp_path: Path) -> AsyncIterator[Simulation]:
    """One CoBo whose node is reached through an agent; /catalog sleeps 0.3 s."""
    detector = {"cobos": 1, "mutant": "none", "agents": 1, "agent_port": 0, "program": "DataExporter"}
    async with running({"detector": detector}, tmp_path) as simulation:
        yield simulation


async def ask(simulation: Simulation, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status, and JSON or text."""
    (node,) = simulation.announced["nodes"]
    url = f"http://127.0.0.1:{node['agent_port']}{path}"
    async with simulation.session.request(method, url, json=body) as response:
        return response.status, await (response.json() if response.ok else response.text())


async def taken(simulation: Simulation) -> None:
    """Take data and stop."""
    await simulation.go("cobo0", *UP)
    await until(lambda: bool(simulation.files("cobo0")), "a file")
    await simulation.go("cobo0", Transition.STOP)


async def test_status_tells_what_is_there(agents: Simulation) -> None:
    status, told = await ask(agents, "GET", "/status")
    assert status == 200
    assert tuple(told) == KEYS
    assert (told["data_path"], told["data_path_files"], told["data_written_gb"]) == ("/staging", 0, 0)
    assert 0 < told["disk_avail_gb"] <= told["disk_total_gb"]
    (node,) = agents.announced["nodes"]
    assert node["access"] == "agent"
    assert "ssh_port" not in node
    assert agents.announced["data_routers"][0]["program"] == "DataExporter"


async def test_what_is_written_is_told_once(agents: Simulation) -> None:
    await taken(agents)
    size = sum(path.stat().st_size for path in agents.staging("cobo0").glob("*.graw"))
    _, first = await ask(agents, "GET", "/status")
    _, second = await ask(agents, "GET", "/status")
    assert round(first["data_written_gb"] * 1e9) == size > 0
    assert second["data_written_gb"] == 0
    assert first["data_path_files"] == second["data_path_files"] == len(agents.files("cobo0")) == 4


async def test_catalog_moves_everything_after_its_sleep(agents: Simulation) -> None:
    await taken(agents)
    names = agents.files("cobo0")
    asked = asyncio.create_task(ask(agents, "POST", "/catalog", RUN))
    assert (await ask(agents, "GET", "/status"))[1]["data_path_files"] == 4
    status, told = await asked
    assert (status, told["data_path_files"]) == (200, 0)
    directory = agents.staging("cobo0") / "e20009" / "run_0007"
    assert sorted(path.name for path in directory.iterdir()) == names


async def test_catalog_refuses_a_directory_that_is_there(agents: Simulation) -> None:
    await taken(agents)
    (agents.staging("cobo0") / "e20009" / "run_0007").mkdir(parents=True)
    status, text = await ask(agents, "POST", "/catalog", RUN)
    assert (status, text) == (500, "/staging/e20009/run_0007 exists already\n")
    assert len(agents.files("cobo0")) == 4


async def test_catalog_goes_on_without_whoever_asked(agents: Simulation) -> None:
    await taken(agents)
    (node,) = agents.announced["nodes"]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.1)) as impatient:
        with pytest.raises(TimeoutError):
            await impatient.post(f"http://127.0.0.1:{node['agent_port']}/catalog", json=RUN)
    assert len(agents.files("cobo0")) == 4
    await until(lambda: not agents.files("cobo0"), "the files being moved")


async def test_a_node_that_dies_in_its_sleep_moves_nothing(agents: Simulation) -> None:
    await taken(agents)
    asked = asyncio.create_task(ask(agents, "POST", "/catalog", RUN))
    await until(lambda: len(agents.detector.nodes["node-cobo0"].connections) > 0, "the connection")
    await asyncio.sleep(0)  # lets the request be read
    await agents.fault("node-cobo0", "die")
    with pytest.raises(aiohttp.ClientError):
        await asked
    await agents.restart("node-cobo0")
    status, told = await ask(agents, "GET", "/status")
    assert (status, told["data_path_files"]) == (200, 4)
    assert not (agents.staging("cobo0") / "e20009").exists()


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"experiment": "x"},
        {"experiment": "../x", "run_number": 1},
        {"experiment": "x", "run_number": "1"},
        {"experiment": "x", "run_number": -1},
        {"experiment": "x", "run_number": True},
        {"experiment": ["x"], "run_number": 1},
    ],
)
async def test_wrong_catalogs_are_refused_at_once(agents: Simulation, body: object) -> None:
    status, text = await ask(agents, "POST", "/catalog", body)
    assert status == 500
    assert "experiment" in text or "run_number" in text


async def test_other_addresses_are_not_found(agents: Simulation) -> None:
    assert (await ask(agents, "GET", "/"))[0] == 404
    assert (await ask(agents, "POST", "/status"))[0] == 404


async def test_an_absent_router_is_an_error(agents: Simulation) -> None:
    await agents.fault("router-cobo0", "die")
    assert await ask(agents, "GET", "/status") == (500, "process DataExporter not found\n")


async def test_faults_strike(agents: Simulation) -> None:
    await agents.fault("node-cobo0", "fail", message="no luck", times=1)
    assert await ask(agents, "GET", "/status") == (500, "no luck\n")
    await agents.fault("node-cobo0", "disk_full")
    assert (await ask(agents, "GET", "/status"))[1]["disk_avail_gb"] == 0
    await agents.clear()
    await agents.fault("node-cobo0", "drop")
    with pytest.raises(aiohttp.ClientError):
        await ask(agents, "GET", "/status")
    await agents.clear()
    await agents.fault("node-cobo0", "hang")
    asked = asyncio.create_task(ask(agents, "GET", "/status"))
    await until(lambda: len(agents.detector.nodes["node-cobo0"].connections) > 0, "the connection")
    assert not asked.done()
    await agents.clear()
    assert (await asked)[0] == 200


async def test_a_lost_answer_is_of_work_that_was_done(agents: Simulation) -> None:
    await taken(agents)
    await agents.fault("node-cobo0", "drop", after=True, times=1)
    with pytest.raises(aiohttp.ClientError):
        await ask(agents, "POST", "/catalog", RUN)
    assert (agents.files("cobo0"), (await ask(agents, "GET", "/status"))[1]["data_path_files"]) == ([], 0)


def test_an_agent_watches_one_router() -> None:
    tables = {
        "node": [{"name": "n", "access": "agent"}],
        "ecc_server": [{"name": "e", "port": 8083, "boards": ["CoBo[0]", "CoBo[1]"], "node": "n"}],
        "data_router": [
            {"name": "a", "port": 46005, "node": "n"},
            {"name": "b", "port": 46006, "node": "n", "staging": "/b"},
        ],
    }
    with pytest.raises(BadDescription, match=r"node\[0\].access: an agent watches exactly one data router; n has 2"):
        describe(tables)


@pytest.mark.parametrize(
    ("table", "key", "value", "words"),
    [
        ("detector", "program", "cat", "one of dataRouter, DataExporter"),
        ("detector", "agents", -1, "whole number from 0 to 1000"),
        ("detector", "agent_port", 70000, "whole number from 0 to 65535"),
    ],
)
def test_a_wrong_description_is_named(table: str, key: str, value: object, words: str) -> None:
    with pytest.raises(BadDescription, match=words):
        describe({table: {key: value}})
