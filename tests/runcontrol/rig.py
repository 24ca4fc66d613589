"""A detector in memory under the real commands, and time that runs faster."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from asgiref.sync import sync_to_async
from django.utils import timezone

from attpcdaq.audit.people import Requester
from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.ports import GrawFile, NodeClock, RouterReading
from attpcdaq.live import store
from attpcdaq.live.clocks import record_clock
from attpcdaq.runcontrol.asking import commands
from attpcdaq.runcontrol.closing.close_out import close_out
from attpcdaq.runcontrol.doing.execute import execute
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.models import Command
from attpcdaq.runcontrol.watching.eyes import Eyes
from attpcdaq.runcontrol.watching.sweep import sweep
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.testing.builders import Detector, build_detector, memory_ecc, memory_nodes, teach_restarts
from attpcdaq.testing.memory_ecc import MemoryEcc
from attpcdaq.testing.memory_nodes import MemoryNodes
from get_protocol.ecc_messages import StateReply
from get_protocol.state_machine import Transition
from tests.live.writing import writing_term

FACTOR = 20.0
SWEEP_EVERY = 0.5
SHIFTER = Requester("shifter")
# Where the nodes' clocks stand when a test begins: a moment before the time in the names of its files.
NODES_BEGIN = datetime(2026, 11, 22, 9, 48, 20, tzinfo=UTC)


class FastTime:
    """Time that passes only while somebody sleeps, and then `factor` times as fast: a slow machine ages nothing."""

    def __init__(self) -> None:
        self._start = timezone.now()
        self._set_by = timedelta()
        self.elapsed = 0.0
        self.factor = FACTOR

    def set_by(self, seconds: float) -> None:
        """Somebody sets the clock on (or back); no time passes."""
        self._set_by += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        return self._start + self._set_by + timedelta(seconds=self.elapsed)

    async def sleep(self, seconds: float) -> None:
        until = self.elapsed + seconds
        await asyncio.sleep(seconds / self.factor)
        self.elapsed = max(self.elapsed, until)


@dataclass
class Rig:
    """Rows, twins and the eyes of a monitor."""

    detector: Detector
    ecc: MemoryEcc
    nodes: MemoryNodes
    time: FastTime
    eyes: Eyes
    seen: object = None
    settled: dict = field(default_factory=dict)

    def look(self) -> None:
        """What the monitor does in one round."""
        self.seen = self._there()
        now = self.time.now()
        seen = []
        for server in self.detector.ecc_servers:
            twin = self.ecc.servers[server.name]
            if twin.trouble is not None or twin.hanging:
                self._put_down(store.record_ecc_problem, server, str(twin.trouble or "no answer"), now)
                continue
            self._put_down(store.record_ecc, server, StateReply(0, "", self.ecc.state(server.name), twin.doing), now)
            seen.append(server.pk)
        for router in self.detector.data_routers:
            self._put_down(store.record_router, router, self._reading(router), now)
        store.touch(seen, [router.pk for router in self.detector.data_routers], now, writing_term())

    def _put_down(self, record, row, reading, now: datetime) -> None:
        """As the monitor's recorder: the same again of what changed nothing needs no writing."""
        if self.settled.get(row) != reading:
            changed = record(row.pk, reading, now)
            self.settled[row] = None if changed else reading

    def _reading(self, router) -> RouterReading:
        node = self.nodes.nodes[router.node.name]
        inside = node.directories[router.staging_dir]
        files = tuple(GrawFile(n, len(f.data), f.mtime) for n, f in inside.items() if n.endswith(".graw"))
        pid = node.routers.get(router.port)
        return RouterReading(pid is not None, files, None, 10**11, 10**12, pid)

    def outside(self) -> Outside:
        return Outside(self.ecc, self.nodes, self.time.now, self._sleep, self.time.monotonic)

    async def _sleep(self, seconds: float) -> None:
        """The monitor looks again, unless time stands where it stood and so does everything that it would see."""
        if self._there() != self.seen:
            await sync_to_async(self.look)()
        await self.time.sleep(seconds)

    def _there(self) -> object:
        servers = [(one.state, one.doing, one.hanging, one.trouble) for one in self.ecc.servers.values()]
        return self.time.now(), servers, [self._reading(router) for router in self.detector.data_routers]

    def request(self, action: str, targets=None, **more) -> Command:
        self.look()
        return commands.request(action, targets, SHIFTER, now=self.time.now(), **more)

    def do(self, action: str, targets=None, **more) -> Command:
        """Request and carry out, as a worker would."""
        command = self.request(action, targets, **more)
        assert execute(command.pk, self.outside)
        self.look()
        command.refresh_from_db()
        return command

    def sweep(self, seconds: float = 0.0, run_stop=lambda _: None) -> None:
        """What the monitor does for so long, twice a second; stops that it would execute go to `run_stop`."""
        until = self.time.elapsed + seconds
        while True:
            self.look()
            sweep(self.time.now(), run_stop, self.eyes)
            if self.time.elapsed >= until:
                return
            self.time.elapsed = min(self.time.elapsed + SWEEP_EVERY, until)

    def make_ready(self) -> None:
        for action in ("describe", "prepare", "configure"):
            assert self.do(action).state == "done"

    def states(self) -> dict[str, str]:
        return {name: self.ecc.state(name).name for name in self.ecc.servers}

    def calls(self, transition: Transition) -> list[str]:
        return [call.server for call in self.ecc.calls if call.transition is transition]

    def write(self, number: int, name: str, data: bytes = b"frames") -> None:
        """A file in the staging directory of one router."""
        router = self.detector.data_routers[number]
        self.nodes.write(router.node.name, f"{router.staging_dir}/{name}", data, mtime=self.node_time())

    def node_time(self) -> float:
        """The time of day on every node."""
        return self.time.now().timestamp() + self.nodes.nodes["node-cobo0"].clock.offset

    def close(self, run: Run) -> Run:
        assert close_out(run.pk, self.outside)
        run.refresh_from_db()
        self.look()
        return run

    def break_call(self, name: str, transition: Transition, error: GatewayError | None, **more) -> None:
        self.ecc.fail(name, transition, error, **more)


def make_rig(experiment: str | None = "e20009", durations=None, **detector) -> Rig:
    """A detector of two CoBos and a MuTAnT, all Idle, and an active experiment."""
    rows = build_detector(**detector)
    clock = FastTime()
    twin = MemoryEcc(sleep=clock.sleep, monotonic=clock.monotonic, durations=durations)
    rig = Rig(
        rows, memory_ecc(rows, twin), memory_nodes(rows, MemoryNodes(sleep=clock.sleep)), clock, Eyes(clock.monotonic)
    )
    for node in rig.nodes.nodes.values():
        node.clock = NodeClock(offset=NODES_BEGIN.timestamp() - clock.now().timestamp(), error=0.0, utc_offset=0)
    for row in rows.nodes:
        record_clock(row.pk, rig.nodes.nodes[row.name].clock, clock.now())
    teach_restarts(rows, rig.ecc, rig.nodes)
    if experiment:
        Experiment.objects.create(name=experiment, is_active=True)
    rig.look()
    return rig
