"""The small HTTP agent of a node that is not reached by SSH: /status and /catalog, in JSON."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from get_simulator.data_router import DataRouter
from get_simulator.faults import FaultKind
from get_simulator.node_ssh import DirectoryNodeFiles, Gate
from get_simulator.ports import ReservedPort

GB = 1e9
CATALOG_WAIT = 30.0
EXPERIMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MOST_RUNS = 99999


class AgentError(Exception):
    """It cannot do that; the text is answered as HTTP 500."""


class NodeAgent:
    """The agent of one node; it watches one data router. `wait` tells for how long a /catalog sleeps first."""

    def __init__(
        self,
        name: str,
        address: str,
        port: int,
        root: Path,
        gate: Gate,
        router: DataRouter,
        wait: Callable[[], float],
    ) -> None:
        self.name, self.root, self.gate = name, root, gate
        self.alive = False
        self._files = DirectoryNodeFiles(root, gate.disk_full)
        self._router, self._wait = router, wait
        self._told = 0
        self._port = ReservedPort(name, address, port)
        self._server = web.Server(self._answer, access_log=None)
        self._listener: asyncio.Server | None = None
        self._moving: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        return self._port.port

    @property
    def connections(self) -> list[Any]:
        return self._server.connections

    async def start(self) -> None:
        """Listen; nobody has to say who he is."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, sock=self._port.listen())
        self.alive = True

    def kill(self) -> None:
        """The machine is gone: connections break, what waits to be moved stays, new connections are refused."""
        self.alive = False
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for task in self._moving:
            task.cancel()
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.abort()

    def close(self) -> None:
        self.kill()
        self._port.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Faults strike first; `drop` breaks the connection, before or after the work."""
        drop = self.gate.take(FaultKind.DROP)
        if drop is not None and not drop.after:
            return self._broken(request)
        await self.gate.passed()
        response = await self._response(request)
        return response if drop is None else self._broken(request)

    def _broken(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _response(self, request: web.BaseRequest) -> web.StreamResponse:
        known = {("GET", "/status"): self._status, ("POST", "/catalog"): self._catalog}
        work = known.get((request.method, request.path))
        if work is None:
            return web.Response(status=404, text="not found\n")
        try:
            failing = self.gate.take(FaultKind.FAIL)
            if failing is not None:
                raise AgentError(failing.message or "the agent failed")
            return web.json_response(await work(request))
        except AgentError as error:
            return web.Response(status=500, text=f"{error}\n")

    async def _status(self, request: web.BaseRequest) -> dict[str, Any]:
        """What is written is told since the last call, whoever made it."""
        router = self._router
        if not router.alive:
            raise AgentError(f"process {router.spec.program} not found")
        space = self._files.space(router.spec.staging)
        written, self._told = router.bytes_written - self._told, router.bytes_written
        return {
            "disk": "/dev/disk1",
            "process": "sleeping",
            "data_path": router.spec.staging,
            "data_written_gb": written / GB,
            "data_path_files": len(self._graw(router)),
            "disk_avail_gb": space.free * 1024 / GB,
            "disk_total_gb": space.total * 1024 / GB,
        }

    async def _catalog(self, request: web.BaseRequest) -> dict[str, Any]:
        """Sleeps first, then moves everything; it does so though nobody waits for the answer any more."""
        directory = _directory(await request.read())
        task = asyncio.create_task(self._move(directory))
        self._moving.add(task)
        task.add_done_callback(self._moving.discard)
        await asyncio.shield(task)
        return await self._status(request)

    async def _move(self, directory: str) -> None:
        await asyncio.sleep(self._wait())
        router = self._router
        destination = router.staging / directory
        if destination.exists():
            raise AgentError(f"{router.spec.staging}/{directory} exists already")
        if self.gate.disk_full():
            raise AgentError(f"{router.spec.staging}/{directory}: No space left on device")
        destination.mkdir(parents=True)
        for path in self._graw(router):
            path.rename(destination / path.name)

    def _graw(self, router: DataRouter) -> list[Path]:
        return sorted(router.staging.glob("*.graw"))


def _directory(body: bytes) -> str:
    """Where the files of the run go, below the data path."""
    try:
        asked = json.loads(body)
        experiment, number = asked["experiment"], asked["run_number"]
    except (ValueError, KeyError, TypeError):
        raise AgentError('the body must be {"experiment": text, "run_number": number}') from None
    if not isinstance(experiment, str) or not EXPERIMENT.fullmatch(experiment):
        raise AgentError("experiment must be a name of letters, digits and _.-")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= MOST_RUNS:
        raise AgentError(f"run_number must be a whole number from 0 to {MOST_RUNS}")
    return f"{experiment}/run_{number:04d}"
