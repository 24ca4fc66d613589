"""A node with an HTTP agent to hold the port against: in memory, and simulated over a real socket."""

from pathlib import Path
from typing import Protocol

from attpcdaq.gateways.node_access import NodesByAccess
from attpcdaq.gateways.node_agent import NodeAgent
from attpcdaq.gateways.ports import NodeAddress, NodePort, RouterQuery
from attpcdaq.testing.memory_agents import MemoryAgents
from attpcdaq.testing.memory_nodes import MemoryNodes
from get_simulator.clock import SystemClock
from get_simulator.description_file import describe
from get_simulator.detector import Detector
from get_simulator.faults import Fault, FaultKind

SPEED = 300.0


class AgentStand(Protocol):
    """One node whose agent watches `/staging`; its data router runs."""

    port: NodePort
    node: NodeAddress
    query: RouterQuery

    def write(self, path: str, data: bytes) -> None: ...
    def names(self, directory: str) -> list[str]: ...
    def stop_router(self) -> None: ...
    def lose_next_catalog(self) -> None: ...
    def die(self) -> None: ...
    async def close(self) -> None: ...


class MemoryAgentStand:
    """The twin."""

    def __init__(self) -> None:
        self.nodes = MemoryNodes()
        self.agents = MemoryAgents(self.nodes, {"node-cobo0": "/staging"}, sleep=_at_once)
        self.port: NodePort = NodesByAccess(self.nodes, self.agents)
        self.node = NodeAddress("node-cobo0", "127.0.0.1", 8080, access="agent")
        self.query = RouterQuery("router-cobo0", "dataRouter", 46005, "/staging")
        self.nodes.add("node-cobo0")
        self.nodes.make_directory("node-cobo0", "/staging")
        self.nodes.start_router("node-cobo0", 46005)

    def write(self, path: str, data: bytes) -> None:
        self.nodes.write("node-cobo0", path, data)

    def names(self, directory: str) -> list[str]:
        return list(self.nodes.names("node-cobo0", directory))

    def stop_router(self) -> None:
        self.nodes.stop_router("node-cobo0", 46005)

    def lose_next_catalog(self) -> None:
        self.agents.losing.add("node-cobo0")

    def die(self) -> None:
        self.nodes.take_down("node-cobo0")

    async def close(self) -> None:
        await self.port.close()


class SimulatedAgentStand:
    """The real gateway against a simulated agent in the same event loop."""

    def __init__(self, data: Path) -> None:
        ports = {"ecc_port": 0, "data_port": 0, "ssh_port": 0, "agent_port": 0, "control_port": 0}
        tables = {"detector": {"cobos": 1, "mutant": "none", "agents": 1, **ports}, "timing": {"speed": SPEED}}
        self.detector = Detector(describe(tables), data, SystemClock())
        self.port: NodePort = NodesByAccess(MemoryNodes(), NodeAgent())

    async def start(self) -> None:
        await self.detector.start()
        self.node = NodeAddress("node-cobo0", "127.0.0.1", self.detector.nodes["node-cobo0"].port, access="agent")
        self.query = RouterQuery("router-cobo0", "dataRouter", self.detector.routers["router-cobo0"].port, "/staging")

    def write(self, path: str, data: bytes) -> None:
        """What its data router does when frames come."""
        (self.detector.root("node-cobo0") / path.lstrip("/")).write_bytes(data)
        self.detector.routers["router-cobo0"].bytes_written += len(data)

    def names(self, directory: str) -> list[str]:
        return sorted(one.name for one in (self.detector.root("node-cobo0") / directory.lstrip("/")).iterdir())

    def stop_router(self) -> None:
        self.detector.kill("router-cobo0", "test")

    def lose_next_catalog(self) -> None:
        self.detector.set_fault(Fault("node-cobo0", FaultKind.DROP, times=1, after=True))

    def die(self) -> None:
        self.detector.kill("node-cobo0", "test")

    async def close(self) -> None:
        await self.port.close()
        await self.detector.stop()


async def _at_once(seconds: float) -> None:
    """Thirty seconds of an agent's sleep."""
