"""The simulated detector in one process: the simulator's boards and ECC services, with memory for wires and disks."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from attpcdaq.testing.memory_nodes import MemoryFile, MemoryNodes
from get_protocol.ecc_messages import TRANSITION_OF, Operation, Request, TextReply
from get_protocol.errors import ServerAborts
from get_simulator.board import Board, FrameSource, Uplink
from get_simulator.config_files import endpoint, make_files
from get_simulator.description import Description, EccServerSpec, RouterSpec
from get_simulator.ecc_http import encode, read
from get_simulator.ecc_service import EccService, Later, Reply
from get_simulator.ecc_session import Dial
from get_simulator.faults import Fault, FaultBook, FaultKind
from get_simulator.journal import Journal
from get_simulator.pace import Pace
from get_simulator.repository import Repository
from get_simulator.trigger import TriggerSystem
from tests.chaos.frames import NumberedFrames, Serials
from tests.chaos.processes import outside_all
from tests.chaos.router import Router
from tests.chaos.virtual_time import sleep

AT_LEAST = 0.05


class NodeFiles:
    """An ECC server's configuration directory on its node."""

    def __init__(self, directory: dict[str, MemoryFile]) -> None:
        self._directory = directory

    def names(self) -> list[str]:
        return list(self._directory)

    def read(self, name: str) -> bytes | None:
        file = self._directory.get(name)
        return file.data if file else None

    def path(self, name: str) -> str:
        return f"/configs/{name}"


class EccProcess:
    """One ECC server; a new process is Idle whatever its boards do (facts 2.4)."""

    def __init__(self, spec: EccServerSpec, make: Callable[[], EccService], hardware: "Hardware") -> None:
        self.spec, self.alive, self.frozen = spec, False, False
        self.lies: dict[Operation, int] = {}
        self.service = make()
        self._make, self._hardware = make, hardware
        self._open: set[asyncio.Future[bytes | None]] = set()
        self._work: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    def start(self) -> None:
        self.service, self.alive, self.frozen = self._make(), True, False

    def kill(self) -> None:
        """Connections break; what it was doing to its boards is left undone."""
        self.alive = False
        self.lies.clear()
        for task in list(self._work):
            task.cancel()
        for answer in self._open:
            if not answer.done():
                answer.set_result(None)
        self._open.clear()

    def look_again(self) -> None:
        """Something it waits for may have changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    def post(self, body: bytes) -> asyncio.Future[bytes | None]:
        """The bytes of the answer in time; None when the connection closes without any."""
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._open.add(answer)
        answer.add_done_callback(self._open.discard)
        task = outside_all(partial(self._serve, body, answer), f"{self.spec.name} serves")
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return answer

    async def _serve(self, body: bytes, answer: asyncio.Future[bytes | None]) -> None:
        while self.frozen:
            await self._changed.wait()
        try:
            reply = await self._reply(read(body))
        except ServerAborts as error:
            self._hardware.kill(self.spec.name, str(error))
            return
        if not answer.done():
            answer.set_result(None if reply is None else encode(reply, soap12=False))

    async def _reply(self, request: Request) -> Reply | None:
        if self._lies(request.operation):
            return TextReply(0, "", "")
        service, now = self.service, self._hardware.now
        if service.work is not None and request.operation in TRANSITION_OF:
            self._hardware.journal.record(now(), "busy", self.spec.name, operation=request.operation.value)
        outcome = service.receive(request, now())
        if not isinstance(outcome, Later):
            return outcome
        await self._until_due(service, outcome)
        dialled = {dial.board.sender: self._hardware.dial(dial) for dial in outcome.dials}
        reply = service.finish(outcome, now(), dialled)
        return None if outcome.lost else reply

    def _lies(self, operation: Operation) -> bool:
        """Whether it says "success" this time and does nothing."""
        if self.lies.get(operation, 0) <= 0:
            return False
        self.lies[operation] -= 1
        self._hardware.journal.record(self._hardware.now(), "lie", self.spec.name, operation=operation.value)
        return True

    async def _until_due(self, service: EccService, later: Later) -> None:
        while self.frozen or not service.due(later, now := self._hardware.now()):
            left = later.at - now if not self.frozen and now < later.at else None
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                continue


class Hardware:
    """Everything that is simulated, by name; `now` gives seconds."""

    def __init__(
        self, description: Description, nodes: MemoryNodes, now: Callable[[], float], epoch: Callable[[], float]
    ) -> None:
        self.description, self.nodes, self.now, self.epoch = description, nodes, now, epoch
        self.faults, self.journal, self.serials = FaultBook(), Journal(), Serials()
        self.pace = Pace(description.timing, description.timing.speed, description.physics.event_rate)
        self.boards = {name: self._board(name) for name in description.boards}
        self.routers = {spec.name: self.make_router(spec) for spec in description.data_routers}
        self.ecc = {spec.name: self._ecc(spec) for spec in description.ecc_servers}
        self.dead_nodes: set[str] = set()
        self._trigger = TriggerSystem(list(self.boards.values()), self.pace)

    def start(self) -> None:
        """Everything comes up; triggers come while boards take data."""
        for part in (*self.routers.values(), *self.ecc.values()):
            part.start()
        outside_all(self._tick, "trigger")

    def node_of(self, part: str) -> str:
        here = self.ecc.get(part) or self.routers[part]
        return here.spec.node

    def parts_on(self, node: str) -> list[str]:
        return [name for name in (*self.ecc, *self.routers) if self.node_of(name) == node]

    def kill(self, name: str, why: str) -> None:
        """End a board, an ECC server, a router or a node with its processes."""
        self.journal.record(self.now(), "process", name, did="died", why=why)
        if name in self.boards:
            self.boards[name].die(self.now())
        elif name in self.ecc:
            self.ecc[name].kill()
        elif name in self.routers:
            self.routers[name].kill()
        else:
            self.dead_nodes.add(name)
            for part in self.parts_on(name):
                self.kill(part, why)

    def restart(self, name: str) -> None:
        """End it if it lives, and begin anew; a node brings its processes up with it."""
        parts = [name] if name not in self.nodes.nodes else self.parts_on(name)
        self.dead_nodes.discard(name)
        for part in parts:
            if part in self.boards:
                self.boards[part].die(self.now())
                self.boards[part].boot()
            else:
                (self.ecc.get(part) or self.routers[part]).kill()
                (self.ecc.get(part) or self.routers[part]).start()
            self.journal.record(self.now(), "process", part, did="started")

    def alive(self, name: str) -> bool:
        here = self.boards.get(name) or self.ecc.get(name) or self.routers.get(name)
        return here.alive if here is not None else name not in self.dead_nodes

    def set_fault(self, fault: Fault) -> None:
        self.faults.set(fault)
        self.look_again()

    def clear_faults(self) -> None:
        """The hardware behaves again; what is dead or wedged stays so."""
        self.faults.clear()
        for server in self.ecc.values():
            server.lies.clear()
            server.frozen = False
        self.look_again()

    def look_again(self) -> None:
        for server in self.ecc.values():
            server.look_again()

    def freeze(self, name: str) -> None:
        """The ECC process stands still (SIGSTOP): it takes connections and answers nothing."""
        self.ecc[name].frozen = True
        self.look_again()

    def wedge(self, name: str) -> None:
        self.ecc[name].service.wedge()

    def sending(self, now: float) -> list[str]:
        """Boards that send frames just now, late ones too."""
        return [name for name, board in self.boards.items() if board.active(now)]

    def dial(self, dial: Dial) -> Uplink | str:
        dial.board.unlink()
        if not dial.board.alive:
            return "TCP connection failed: No route to host (errno=113)."
        at = (dial.link.address, dial.link.port)
        router = next((one for one in self.routers.values() if (one.spec.address, one.spec.port) == at), None)
        return router.connect() if router else "TCP connection failed: Connection refused (errno=111)."

    def fault(self, target: str, kind: FaultKind, operation: Operation | None = None, **more: Any) -> None:
        self.set_fault(Fault(target, kind, operation, **more))

    def make_router(self, spec: RouterSpec) -> Router:
        """The data router of this description, not yet started."""
        return Router(spec, self.nodes.nodes[spec.node], self.faults, self)

    def make_frames(self, board: str) -> FrameSource:
        """What a board's frames are made of."""
        return NumberedFrames(board, self.serials, self.now)

    def _board(self, name: str) -> Board:
        return Board(name, endpoint(name), self.make_frames(name), self.journal)

    def _ecc(self, spec: EccServerSpec) -> EccProcess:
        directory = self.nodes.nodes[spec.node].directories["/configs"]
        for name, data in make_files(self.description, spec.node).items():
            directory[name] = MemoryFile(data, 0.0)
        repository = Repository(NodeFiles(directory))
        wired = {board.endpoint: board for board in self.boards.values()}

        def make() -> EccService:
            return EccService(spec.name, spec.boards, wired, repository, self.pace, self.faults, self.journal)

        return EccProcess(spec, make, self)

    async def _tick(self) -> None:
        while True:
            await sleep(max(self._trigger.step(self.now()), AT_LEAST))
