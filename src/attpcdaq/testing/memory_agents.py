"""HTTP agents in memory: they tell of the nodes of a MemoryNodes, and move what lies there, as real ones do."""

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from attpcdaq.gateways.agent_limits import AgentLimits
from attpcdaq.gateways.errors import GatewayError, NoAnswer, Refused
from attpcdaq.gateways.ports import NodeAddress, RouterQuery, RouterReading
from attpcdaq.testing.memory_nodes import MemoryNodes

CATALOG_WAIT = 30.0


class MemoryAgents(AgentLimits):
    """NodePort for nodes with an agent; whatever fails in `nodes` fails here.

    `data_paths` says by node what each watches. In `losing` are nodes whose next /catalog is done, its answer lost.
    """

    def __init__(
        self,
        nodes: MemoryNodes,
        data_paths: Mapping[str, str],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.nodes = nodes
        self.data_paths = dict(data_paths)
        self.losing: set[str] = set()
        self.cataloged: list[tuple[str, str, int]] = []
        self._sleep = sleep

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        here = self.nodes.nodes.get(node.name)
        # It watches the one data router of its node, whatever port was asked about.
        port = next(iter(here.routers), 0) if here else 0
        watched = [replace(router, staging_dir=self.data_paths[node.name], port=port) for router in routers]
        seen = await self.nodes.read_routers(node, watched, timeout)
        return {router.name: self._told(node, router, seen[router.name]) for router in routers}

    async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
        path = self.data_paths[node.name]
        self.cataloged.append((node.name, experiment, number))
        await self.nodes.list_graw(node, path, timeout)  # a node that is away is away at once
        await self._sleep(min(CATALOG_WAIT, timeout))
        if timeout < CATALOG_WAIT:
            raise NoAnswer(f"{node.name}: no answer within {timeout:g} s")
        files = await self._move(node, path, f"{path}/{experiment}/run_{number:04d}", timeout)
        if node.name in self.losing:
            self.losing.remove(node.name)
            raise NoAnswer(f"{node.name}: it closed the connection without an answer")
        here = self.nodes.nodes[node.name]
        return RouterReading(True, (), None, here.disk_free, here.disk_total, counted=(files, 0))

    async def close(self) -> None:
        """Nothing to give up."""

    async def _move(self, node: NodeAddress, path: str, destination: str, timeout: float) -> int:
        """Everything to `destination`, which must not be there; how many files are left (none)."""
        if posixpath.normpath(destination) in self.nodes.nodes[node.name].directories:
            raise Refused(f"{node.name}: its agent did not move the files: {destination} exists", 500)
        files = await self.nodes.list_graw(node, path, timeout)
        await self.nodes.move_files(node, path, {file.name: file.name for file in files}, destination, timeout)
        return len(await self.nodes.list_graw(node, path, timeout))

    def _told(
        self, node: NodeAddress, router: RouterQuery, seen: RouterReading | GatewayError
    ) -> RouterReading | GatewayError:
        if isinstance(seen, GatewayError):
            return seen
        if not seen.online:
            return Refused(f"{node.name}: its data router is not online, or its agent has a problem: no process", 500)
        if self.data_paths[node.name] != router.staging_dir:
            words = f"its agent watches {self.data_paths[node.name]}, and the setup says {router.staging_dir}"
            return Refused(f"{node.name}: {words}: correct the staging directory of {router.name}")
        counted = (len(seen.files), sum(file.size for file in seen.files))
        return RouterReading(True, (), None, seen.disk_free, seen.disk_total, counted=counted)
