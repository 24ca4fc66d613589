"""An ECC server process: its port, the calls it is working on, and its death."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from get_protocol.ecc_messages import Request
from get_simulator.clock import Clock
from get_simulator.description import EccServerSpec
from get_simulator.ecc_http import Exchange
from get_simulator.ecc_service import EccService, Later, Reply
from get_simulator.pace import Pace
from get_simulator.ports import ReservedPort
from get_simulator.uplink import dial_all

EXIT_S = 5.0
"""After ServerExit the process lives this long, or until the next connection (facts 1.3)."""


class EccServer:
    """One ECC server; `start` begins a new process, which is Idle whatever its boards are doing."""

    def __init__(self, spec: EccServerSpec, new_service: Callable[[], EccService], clock: Clock, pace: Pace) -> None:
        self.spec = spec
        self.alive = False
        self.service = new_service()
        self._new_service, self._clock, self._pace = new_service, clock, pace
        self._port = ReservedPort(spec.name, spec.address, spec.port)
        self._server: asyncio.Server | None = None
        self._exchanges: set[Exchange] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._exit: asyncio.TimerHandle | None = None
        self.on_death: Callable[[str], None] = lambda why: None

    @property
    def port(self) -> int:
        return self._port.port

    async def start(self) -> None:
        calls = self.service.calls
        self.service = self._new_service()
        self.service.calls = calls
        self.alive = True
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Exchange(self), sock=self._port.listen())

    def kill(self, why: str) -> None:
        """End the process at once: connections break, calls in progress are never answered."""
        if not self.alive:
            return
        self.alive = False
        if self._exit is not None:
            self._exit.cancel()
            self._exit = None
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        for exchange in list(self._exchanges):
            exchange.drop()
        self.on_death(why)

    def close(self) -> None:
        self.kill("end of the simulation")
        self._port.close()

    def faults_changed(self) -> None:
        """Whatever hangs or waits looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def answer(self, request: Request) -> Reply | None:
        """See Handler.answer."""
        service = self.service
        outcome = service.receive(request, self._clock.now())
        if not isinstance(outcome, Later):
            return outcome
        await self._until_due(service, outcome)
        dialled = await dial_all(outcome.dials, self._pace.speed)
        reply = service.finish(outcome, self._clock.now(), dialled)
        return None if outcome.lost else reply

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Work on a request, whether or not its client stays."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def opened(self, exchange: Exchange) -> bool:
        """A connection came; after ServerExit it is the end, without a reply."""
        if self._exit is not None:
            self.kill("ServerExit")
        if self.alive:
            self._exchanges.add(exchange)
        return self.alive

    def closed(self, exchange: Exchange) -> None:
        self._exchanges.discard(exchange)

    def answered_exit(self) -> None:
        self._exit = asyncio.get_running_loop().call_later(EXIT_S, self.kill, "ServerExit")

    def crash(self, why: str) -> None:
        """The process aborts (facts 1.5)."""
        self.kill(why)

    async def _until_due(self, service: EccService, later: Later) -> None:
        while not service.due(later, now := self._clock.now()):
            # Past its time it hangs: only a change of the faults lets it go on.
            left = later.at - now if now < later.at else None
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()
