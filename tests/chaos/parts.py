"""The product's processes: web, workers and monitor, each of which can be killed and comes back as a new one."""

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db import Error, connection

from attpcdaq.live import lease
from attpcdaq.monitor.database import Database
from attpcdaq.monitor.poller import Poller
from attpcdaq.monitor.readings import Batch, Key
from attpcdaq.monitor.recorder import Recorder
from attpcdaq.runcontrol.closing import close_out, gathering
from attpcdaq.runcontrol.doing import execute, restarting
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.proving import configs_kept, manifesting
from attpcdaq.runcontrol.watching import sweep
from attpcdaq.runcontrol.watching.eyes import Eyes
from tests.chaos.broker import Broker, Message
from tests.chaos.ecc_port import EXECUTION, Begun, ChaosEcc
from tests.chaos.node_port import ChaosNodes
from tests.chaos.processes import Killed, Process
from tests.chaos.virtual_time import Clock, sleep

SLOTS = {"control": 4, "files": 2}
SWEEP_EVERY = 0.5
SETUP_EVERY = 2.0
ASK_EVERY = 1.0


@dataclass
class Gear:
    """What every process is given: the ports, the clock, the broker."""

    clock: Clock
    ecc: ChaosEcc
    nodes: ChaosNodes
    broker: Broker
    begun: Callable[[UUID], Begun | None] = lambda command_id: None
    broken: list[str] = field(default_factory=list)
    """Exceptions that no part of the product expects."""

    def outside(self) -> Outside:
        return Outside(self.ecc, self.nodes, now=self.clock.now, sleep=sleep, monotonic=self.clock.monotonic)

    async def execute(self, command_id: UUID) -> None:
        """One execution; calls that it sends carry its name."""
        EXECUTION.set(self.begun(command_id))
        await execute.carry_out(command_id, self.outside)


class Web:
    """Answers the crew's clicks; each is done at once, or dies with it."""

    def __init__(self, gear: Gear) -> None:
        self.process = Process("web", 0)

    def start(self) -> None:
        self.process = Process("web", self.process.number + 1)

    def ask(self, work: Callable[[], Any]) -> Any:
        """What the request answers. Killed when the process is away, or dies of it."""
        return self.process.call(work)


class Worker:
    """A Celery worker of one queue."""

    def __init__(self, gear: Gear, queue: str) -> None:
        self._gear, self.queue = gear, queue
        self.process = Process(queue, 0)
        self.process.alive = False
        self._unfinished: dict[asyncio.Task[Any], Message] = {}

    def start(self) -> None:
        """A new process; what the last one had not finished is delivered again (acks_late)."""
        self.process = Process(self.queue, self.process.number + 1)
        unfinished, self._unfinished = list(self._unfinished.values()), {}
        for message in unfinished:
            self._gear.broker.post(message)
        self._gear.broker.worker_came()

    def take(self, message: Message) -> bool:
        """Begin a task; False when there is no process, or all its slots are taken."""
        if not self.process.alive or len(self._unfinished) >= SLOTS[self.queue]:
            return False
        task = self.process.run(partial(self._do, message), message.task)
        self._unfinished[task] = message
        task.add_done_callback(self._finished)
        return True

    def _finished(self, task: asyncio.Task[Any]) -> None:
        if self.process.alive:
            self._unfinished.pop(task, None)
            self._gear.broker.worker_came()

    async def _do(self, message: Message) -> None:
        try:
            await self._task(message)
        except Error:
            connection.close()  # as Celery: the task is over
        except Exception:
            self._gear.broken.append(f"{message.task}: {traceback.format_exc()}")

    async def _task(self, message: Message) -> None:
        gear = self._gear
        match message.task:
            case "run_command":
                await gear.execute(UUID(message.args[0]))
            case "run_restart":
                await restarting.carry_out(UUID(message.args[0]), gear.outside)
            case "close_out":
                await close_out.carry_out(message.args[0], gear.outside)
            case "set_aside":
                await gathering.carry_out(gear.outside)
            case "check_files":
                await manifesting.carry_out(message.args[0], gear.outside)
            case "keep_configs":
                await configs_kept.carry_out(message.args[0], gear.outside)
            case _:
                return


class Monitor:
    """Reads everything, writes what it saw, and sweeps."""

    def __init__(self, gear: Gear) -> None:
        self._gear = gear
        self.process = Process("monitor", 0)
        self.process.alive = False

    def start(self) -> None:
        self.process = Process("monitor", self.process.number + 1)
        self.process.run(_MonitorLife(self._gear, self.process).begin, "monitor lease")


class _MonitorLife:
    """One life of the monitor."""

    def __init__(self, gear: Gear, process: Process) -> None:
        self._gear, self._process = gear, process
        self._eyes = Eyes(gear.clock.monotonic)

    async def begin(self) -> None:
        """Take the lease, which a former life of the same process leaves behind, and begin to work."""
        name, dead = (f"monitor {self._process.number - back}" for back in (0, 1))
        while (term := await self._try(lambda: lease.take(name, "here", dead))) is None:
            await sleep(ASK_EVERY)
        self._term = term
        self._database = Database(term)
        self.recorder = Recorder(self._write, self._gear.clock)
        self._poller = Poller(self._gear.ecc, self._gear.nodes, self.recorder.note, self._gear.clock)
        for work in (self.recorder.run, self.follow_setup, self.sweep):
            self._process.run(work, f"monitor {work.__name__}")

    async def follow_setup(self) -> None:
        known = None
        while True:
            with_targets = await self._try(self._database.targets)
            if with_targets is not None and with_targets != known:
                known = with_targets
                self.recorder.forget()
                self._poller.watch(with_targets)
            await sleep(SETUP_EVERY)

    async def sweep(self) -> None:
        while True:
            await sleep(SWEEP_EVERY)
            await self._try(self._sweep)

    def _sweep(self) -> None:
        with lease.fenced(self._term):
            sweep.sweep(self._gear.clock.now(), self._run_stop, self._eyes)

    async def _write(self, batch: Batch) -> frozenset[Key]:
        return await _in_thread(lambda: self._database.write(batch))

    async def _try(self, work: Callable[[], Any]) -> Any:
        try:
            return await _in_thread(work)
        except Exception as error:
            if not isinstance(error, Error):
                self._gear.broken.append(f"monitor: {traceback.format_exc()}")
            connection.close()
            return None

    def _run_stop(self, command_id: UUID) -> None:
        async def work() -> None:
            try:
                await self._gear.execute(command_id)
            except Error:
                connection.close()
            except Exception:
                self._gear.broken.append(f"stop: {traceback.format_exc()}")

        self._process.run(work, f"stop {command_id}")


async def _in_thread(work: Callable[[], Any]) -> Any:
    """As the monitor's own threads do it."""
    try:
        return await asyncio.get_running_loop().run_in_executor(None, work)
    except asyncio.CancelledError as error:
        raise Killed from error


@dataclass
class Parts:
    """All processes of the product."""

    gear: Gear
    web: Web = field(init=False)
    control: Worker = field(init=False)
    files: Worker = field(init=False)
    monitor: Monitor = field(init=False)

    def __post_init__(self) -> None:
        self.web = Web(self.gear)
        self.control, self.files = Worker(self.gear, "control"), Worker(self.gear, "files")
        self.monitor = Monitor(self.gear)
        self.gear.broker.deliver = self.deliver

    def start(self) -> None:
        for part in (self.web, self.control, self.files, self.monitor):
            part.start()

    def deliver(self, message: Message) -> bool:
        return (self.control if message.queue == "control" else self.files).take(message)

    def named(self, name: str) -> Web | Worker | Monitor:
        return {"web": self.web, "control": self.control, "files": self.files, "monitor": self.monitor}[name]
