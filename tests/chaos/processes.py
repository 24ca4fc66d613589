"""The product's processes as groups of tasks that can be killed at any moment."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any


class Killed(BaseException):
    """kill -9: no handler of the product sees it, and nothing more can be written or sent."""


PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)


class Process:
    """One life of a process. Whatever belongs to it (tasks, calls, statements) asks `check` before it does anything."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.number = name, number
        self.alive = True
        self.stalled = False
        self.statements_left: int | None = None
        self.steps_left: int | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"{self.name}#{self.number}"

    def check(self) -> None:
        """Killed when it was killed."""
        if not self.alive:
            raise Killed(repr(self))

    def statement(self) -> None:
        """Another statement for the database; it may be the one at which the process dies."""
        self.step()
        if self.statements_left is not None:
            self.statements_left -= 1
            if self.statements_left < 0:
                self.kill()
                self.check()

    def step(self) -> None:
        """A statement, or something that a node is asked for; it may be the one at which the process dies."""
        self.check()
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                self.kill()
                self.check()

    def run(self, work: Callable[[], Coroutine[Any, Any, Any]], name: str = "") -> asyncio.Task[Any]:
        """Begin `work` as a task of this process."""
        context = copy_context()
        context.run(PROCESS.set, self)
        loop = asyncio.get_running_loop()
        return context.run(lambda: loop.create_task(_quietly(work), name=name))

    def call(self, work: Callable[[], Any]) -> Any:
        """Do `work` at once, as this process. Killed when it dies of it."""
        context = copy_context()
        context.run(PROCESS.set, self)
        return context.run(self._checked, work)

    def own(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def kill(self) -> None:
        """End it where it stands."""
        self.alive = self.stalled = False
        for task in sorted(self._tasks, key=lambda task: task.get_name()):
            task.cancel()

    def _checked(self, work: Callable[[], Any]) -> Any:
        self.check()
        return work()


def outside_all(work: Callable[[], Coroutine[Any, Any, Any]], name: str = "") -> asyncio.Task[Any]:
    """Begin `work` as a task that no process owns: the hardware, the crew, this suite."""
    context = copy_context()
    context.run(PROCESS.set, None)
    loop = asyncio.get_running_loop()
    return context.run(lambda: loop.create_task(work(), name=name))


async def _quietly(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    try:
        return await work()
    except Killed:
        return None
