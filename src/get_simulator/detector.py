"""The simulated detector: all its parts, put together from a description."""

import asyncio
from collections.abc import Iterable
from functools import partial
from itertools import count
from pathlib import Path

import asyncssh

from get_simulator.board import Board
from get_simulator.clock import Clock
from get_simulator.config_files import endpoint, make_files, write_missing
from get_simulator.data_router import DataRouter
from get_simulator.description import MUTANT, Description, EccServerSpec, NodeSpec, RouterSpec
from get_simulator.ecc_server import EccServer
from get_simulator.ecc_service import EccService
from get_simulator.faults import BOARD, ECC, NODE, ROUTER, Fault, FaultBook, FaultKind
from get_simulator.journal import Entry, Journal
from get_simulator.logs import Logs
from get_simulator.node import Node, Process, Result
from get_simulator.node_agent import CATALOG_WAIT, NodeAgent
from get_simulator.node_ssh import DirectoryNodeFiles, Gate, NodeSsh, host_key
from get_simulator.pace import Pace
from get_simulator.physics import CoboFrames, MutantFrames
from get_simulator.repository import DirectoryFiles, Repository
from get_simulator.router_words import RouterWords
from get_simulator.trigger import TriggerSystem

FOLDERS = ("staging", "configs", "config_backup", "logs")
ECC_PROGRAM = "getEccSoapServer"
SERVICE_FAILED = "Job failed because the control process exited with error code."
ORDINARY = ("/sbin/init", "/usr/sbin/sshd -D")


class Detector:
    """Everything that is simulated, by name. Make it inside a running event loop."""

    def __init__(self, description: Description, data: Path, clock: Clock) -> None:
        self.description, self.data, self.clock = description, data, clock
        self.pace = Pace(description.timing, description.timing.speed, description.physics.event_rate)
        self.faults = FaultBook()
        self.journal = Journal()
        self.journal.on_entry = self._log
        self.logs = Logs(self.root, clock, self.faults)
        self.boards = self._make_boards()
        self._hardware = {board.endpoint: board for board in self.boards.values()}
        self.trigger = TriggerSystem(list(self.boards.values()), self.pace)
        self.routers = {spec.name: self._make_router(spec) for spec in description.data_routers}
        self.ecc_servers = {spec.name: self._make_ecc_server(spec) for spec in description.ecc_servers}
        self.nodes = {spec.name: self._make_node(spec) for spec in description.nodes}
        self.host_key: asyncssh.SSHKey | None = None
        self._pids = count(1000)
        self._pid_of: dict[str, int] = {}
        self._ticking: asyncio.TimerHandle | None = None

    @property
    def parts(self) -> dict[str, str]:
        """Kind of each part by name: what a fault can be set on."""
        kinds: dict[str, Iterable[str]] = {
            ECC: self.ecc_servers,
            BOARD: self.boards,
            ROUTER: self.routers,
            NODE: self.nodes,
        }
        return {name: kind for kind, named in kinds.items() for name in named}

    def root(self, node: str) -> Path:
        """Directory that is `/` on the node."""
        return self.data / "nodes" / node

    async def start(self) -> None:
        """Make the directories and files, then listen everywhere and take triggers."""
        for node in self.nodes:
            for folder in FOLDERS:
                (self.root(node) / folder).mkdir(parents=True, exist_ok=True)
            write_missing(self.root(node) / "configs", make_files(self.description, node))
        for router in self.routers.values():
            router.staging.mkdir(parents=True, exist_ok=True)
        self.host_key = host_key(self.description.ssh.host_key or self.data / "ssh_host_ed25519_key")
        for name in (*self.nodes, *self.routers, *self.ecc_servers):
            await self._start_part(name)
        self._tick()

    async def stop(self) -> None:
        """Close every socket."""
        if self._ticking is not None:
            self._ticking.cancel()
        for board in self.boards.values():
            board.unlink()
        for server in self.ecc_servers.values():
            server.close()
        for router in self.routers.values():
            router.close()
        for node in self.nodes.values():
            node.close()
        self.logs.flush(at_once=True)
        await asyncio.sleep(0)  # lets the closed transports say goodbye to the loop

    def set_fault(self, fault: Fault) -> None:
        """Let it take effect: die and wedge at once unless they wait for an operation, others when their time comes."""
        self.journal.record(self.clock.now(), "fault", fault.target, set=fault.as_json())
        if fault.kind is FaultKind.DIE and fault.operation is None:
            self.kill(fault.target, "fault")
        elif fault.kind is FaultKind.WEDGE and fault.operation is None:
            self.ecc_servers[fault.target].service.wedge()
        else:
            self.faults.set(fault)
        self._look_again()

    def clear_faults(self, target: str | None) -> int:
        """Take faults away; the dead stay dead and the wedged wedged until they are restarted."""
        gone = self.faults.clear(target)
        if gone:
            self.journal.record(self.clock.now(), "fault", target or "all", cleared=len(gone))
        self._look_again()
        return len(gone)

    def kill(self, name: str, why: str) -> None:
        """End a process, a board or a whole node."""
        now = self.clock.now()
        if name in self.boards:
            self.boards[name].die(now)
        elif name in self.ecc_servers:
            self.ecc_servers[name].kill(why)
        elif name in self.routers:
            self.routers[name].kill()
            self.journal.record(now, "process", name, did="died", why=why)
        else:
            for part in self._parts_on(name):
                self.kill(part, why)
            self.nodes[name].kill()
            self.journal.record(now, "process", name, did="died", why=why)

    async def restart(self, name: str) -> None:
        """End it if it lives, and begin anew; a node brings its processes up with it."""
        self.kill(name, "restart")
        for part in (name, *self._parts_on(name)):
            await self._start_part(part)

    def processes(self, node: str) -> list[Process]:
        """The living processes of a node, some ordinary ones first."""
        found = [Process(pid, args) for pid, args in enumerate(ORDINARY, 1)]
        alive = [name for name in self._parts_on(node) if self._alive(name)]
        return found + [Process(self._pid_of[name], self._command_line(name), self._sockets(name)) for name in alive]

    def _make_boards(self) -> dict[str, Board]:
        cobos = [board for board in self.description.boards if board != MUTANT]
        boards = {
            name: Board(name, endpoint(name), CoboFrames(number, len(cobos)), self.journal)
            for number, name in enumerate(cobos)
        }
        if MUTANT in self.description.boards:
            boards[MUTANT] = Board(MUTANT, endpoint(MUTANT), MutantFrames(), self.journal)
        return boards

    def _make_router(self, spec: RouterSpec) -> DataRouter:
        staging = self.root(spec.node) / spec.staging.lstrip("/")
        words = RouterWords(spec, self.logs.add(spec.name, spec.node).say, frames=self.description.log_frames)
        return DataRouter(spec, staging, self.clock, self.faults, self.description.rollover_bytes, words)

    def _make_ecc_server(self, spec: EccServerSpec) -> EccServer:
        repository = Repository(DirectoryFiles(self.root(spec.node) / "configs"))

        def new_service() -> EccService:
            return EccService(spec.name, spec.boards, self._hardware, repository, self.pace, self.faults, self.journal)

        self.logs.add(spec.name, spec.node)
        server = EccServer(spec, new_service, self.clock, self.pace)
        server.on_death = lambda why: self.journal.record(self.clock.now(), "process", spec.name, did="died", why=why)
        return server

    def _make_node(self, spec: NodeSpec) -> NodeSsh | NodeAgent:
        gate = Gate(spec.name, self.faults)
        if spec.access == "ssh":
            return self._make_ssh(spec.name, spec.address, spec.ssh_port, gate)
        router = next(router for router in self.routers.values() if router.spec.node == spec.name)
        root = self.root(spec.name)
        wait = partial(self.pace.scaled, CATALOG_WAIT)
        return NodeAgent(spec.name, spec.address, spec.agent_port, root, gate, router, wait)

    def _make_ssh(self, name: str, address: str, port: int, gate: Gate) -> NodeSsh:
        files = DirectoryNodeFiles(self.root(name), gate.disk_full)

        async def run(command: str) -> Result:
            services = {part: self._program(part) for part in self._parts_on(name)}
            result = Node(name, files, self.processes(name), services).run(
                command, self.clock.now() + self.faults.clock_ahead(name)
            )
            if result.action is None:
                return result
            fault = self.faults.take((name,), FaultKind.FAIL)
            if fault is not None:
                return Result(stderr=f"{fault.message or SERVICE_FAILED}\n", status=1)
            await self._act(*result.action)
            return result

        return NodeSsh(
            name, address, port, self.root(name), gate, run, lambda: {one.pid for one in self.processes(name)}
        )

    async def _act(self, verb: str, parts: tuple[str, ...]) -> None:
        for part in parts:
            if verb in ("stop", "restart"):
                self.kill(part, f"systemctl {verb}")
            if verb in ("start", "restart") and not self._alive(part):
                await self._start_part(part)

    async def _start_part(self, name: str) -> None:
        self._pid_of[name] = next(self._pids)
        if name in self.boards:
            self.boards[name].boot()
        elif name in self.routers:
            self.routers[name].start()
        elif name in self.ecc_servers:
            await self.ecc_servers[name].start()
        else:
            await self._start_node(self.nodes[name])
        self.journal.record(self.clock.now(), "process", name, did="started")

    async def _start_node(self, node: NodeSsh | NodeAgent) -> None:
        if isinstance(node, NodeAgent):
            await node.start()
            return
        assert self.host_key is not None
        ssh = self.description.ssh
        await node.start(self.host_key, ssh.user, ssh.authorized_keys)

    def _parts_on(self, node: str) -> list[str]:
        """Names of the processes that belong to a node; none for what is no node."""
        servers = [server.spec.name for server in self.ecc_servers.values() if server.spec.node == node]
        return servers + [router.spec.name for router in self.routers.values() if router.spec.node == node]

    def _alive(self, name: str) -> bool:
        return (self.ecc_servers.get(name) or self.routers[name]).alive

    def _program(self, name: str) -> str:
        return self.routers[name].spec.program if name in self.routers else ECC_PROGRAM

    def _sockets(self, name: str) -> tuple[str, ...]:
        return self.routers[name].sockets if name in self.routers else ()

    def _command_line(self, name: str) -> str:
        if name in self.ecc_servers:
            return f"/usr/local/bin/{ECC_PROGRAM} --port {self.ecc_servers[name].port} --config-repo-url /configs"
        port, spec = self.routers[name].port, self.routers[name].spec
        control = f"{spec.address}:{max(port - 2, 1)}"
        return f"/usr/local/bin/{spec.program} {control} {spec.address}:{port} {spec.link_type} FrameStorage"

    def _log(self, entry: Entry) -> None:
        """What the ECC servers print of it: the one it is about, or those that drive the board."""
        about = [name for name, server in self.ecc_servers.items() if entry.subject in server.service.targets]
        self.logs.tell(entry, about)

    def _look_again(self) -> None:
        for server in self.ecc_servers.values():
            server.faults_changed()
        for node in self.nodes.values():
            node.gate.look_again()

    def _tick(self) -> None:
        delay = 0.05
        try:
            delay = max(self.trigger.step(self.clock.now()), 0.001)
            self.logs.flush()
        finally:
            self._ticking = asyncio.get_running_loop().call_later(delay, self._tick)
