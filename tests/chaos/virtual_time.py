"""An event loop whose time is simulated: nobody waits, the next timer is simply now."""

import asyncio
import random
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any

from asgiref.sync import AsyncToSync

from tests.chaos.processes import PROCESS, Killed, Process

TICK = 1e-7
STALL_STEP = 0.05
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class NothingToWaitFor(RuntimeError):
    """Every task waits for something that no timer brings: a mistake of this suite."""


class _Selector(selectors.SelectSelector):
    """Passes the time instead of waiting."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingToWaitFor
        if timeout > 0:
            self.passed += timeout + TICK
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Simulated seconds since its beginning; what `sync_to_async` sends to a thread is done here, a moment later."""

    def __init__(self, seed: str) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._random = random.Random(seed)
        self.after_writing: Callable[[], None] = lambda: None
        self.set_task_factory(_belonging_to_a_process)
        # Without an entry here asgiref takes its own thread for one that might lock itself out.
        AsyncToSync.loop_thread_executors[self] = _Nowhere()

    def time(self) -> float:
        return self._virtual.passed

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """The database's answer takes some milliseconds; a process killed meanwhile may have written or not."""
        answer: asyncio.Future[Any] = self.create_future()
        self.call_later(self._random.uniform(0.0, 0.004), self._carry_out, answer, func, args)
        return answer

    def _carry_out(self, answer: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        process = PROCESS.get()
        if answer.done() or (process is not None and not process.alive):
            answer.cancel()
            return
        if process is not None and process.stalled:
            self.call_later(STALL_STEP, self._carry_out, answer, func, args)
            return
        try:
            settle: Callable[[Any], None] = answer.set_result
            outcome: Any = func(*args)
        except Killed:
            answer.cancel()
            return
        except Exception as error:
            settle, outcome = answer.set_exception, error
        finally:
            self.after_writing()
        self.call_later(self._random.uniform(0.0, 0.004), _settle, answer, settle, outcome)


class _Nowhere(Executor):
    """Stands where asgiref wants an executor; the loop carries everything out itself."""


def _settle(answer: asyncio.Future[Any], settle: Callable[[Any], None], outcome: Any) -> None:
    if not answer.done():
        settle(outcome)


def _belonging_to_a_process(loop: asyncio.AbstractEventLoop, coro: Any, **more: Any) -> asyncio.Task[Any]:
    """Every task, whoever makes it, ends with the process in whose context it was made."""
    task = asyncio.Task(coro, loop=loop, **more)
    process = PROCESS.get()
    if process is not None:
        process.own(task)
    return task


class Clock:
    """The time of day, which may be stepped, over the simulated seconds, which never go back."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._steps = [(0.0, 0.0)]

    def now(self) -> datetime:
        """The time of day as every process of the product sees it."""
        return self.true_now() + timedelta(seconds=self._steps[-1][1])

    def true_now(self) -> datetime:
        """The time of day that nobody sets."""
        return START + timedelta(seconds=self._loop.time())

    def epoch(self) -> float:
        """The same in seconds since the epoch: what the nodes go by."""
        return self.true_now().timestamp()

    def monotonic(self) -> float:
        """Simulated seconds; the checker's only time."""
        return self._loop.time()

    def step(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self._steps.append((self._loop.time(), self._steps[-1][1] + seconds))

    def ahead(self) -> float:
        """Seconds by which the steps have set it wrong."""
        return self._steps[-1][1]

    def stepped_since(self, moment: float) -> bool:
        return self._steps[-1][0] > moment

    def seconds(self, written: datetime) -> float:
        """Simulated seconds at which this was the time of day, the latest if it was so twice."""
        wall = (written - START).total_seconds()
        for since, offset in reversed(self._steps):
            if wall - offset >= since:
                return wall - offset
        return wall

    async def sleep(self, seconds: float) -> None:
        await sleep(seconds)


async def sleep(seconds: float) -> None:
    """Wait; a process that was killed meanwhile does not come back, one that stands still comes back later."""
    process: Process | None = PROCESS.get()
    if process is not None:
        process.check()
    await asyncio.sleep(max(seconds, 0.0))
    while process is not None and process.stalled:  # noqa: ASYNC110  simulated time
        await asyncio.sleep(STALL_STEP)
    if process is not None:
        process.check()
