"""The stands: every port is held to the same tests in memory and for real."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateways.ecc_stands import EccStand, MemoryStand, SimulatedStand
from tests.gateways.node_stands import MemoryNodeStand, NodeStand, SimulatedNodeStand, SshdNodeStand


@pytest.fixture(params=["memory", "simulated"])
async def ecc(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EccStand]:
    """An ECC server in memory, and a simulated one over a real socket."""
    if request.param == "memory":
        stand: EccStand = MemoryStand()
    else:
        stand = SimulatedStand(tmp_path)
        await stand.start()
    yield stand
    await stand.close()


@pytest.fixture(params=["memory", "simulated", pytest.param("sshd", marks=pytest.mark.services)])
async def node(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[NodeStand]:
    """A node in memory, a simulated one, and one behind OpenSSH's sshd."""
    if request.param == "memory":
        stand: NodeStand = MemoryNodeStand()
    elif request.param == "simulated":
        stand = SimulatedNodeStand(tmp_path)
        await stand.start()
    else:
        stand = SshdNodeStand(request.getfixturevalue("sshd"), tmp_path.name)
    yield stand
    await stand.close()
