"""Writing together what many servers' steps want to write at the same moment: one transaction instead of a hundred."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from asgiref.sync import sync_to_async

T = TypeVar("T")
R = TypeVar("R")


class Together(Generic[T, R]):
    """Nobody waits for company: who comes while a write is under way goes with the next one.

    `write` takes a list and gives a result for each, in their order; it runs in the thread of the database. What it
    raises, it raises for everybody in the list.
    """

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writing = asyncio.Lock()

    async def do(self, item: T) -> R:
        """The result for `item`, once it is written."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        async with self._writing:
            if not done.done():
                # Who gives up meanwhile takes nobody's result along.
                await asyncio.shield(asyncio.create_task(self._write_all()))
        return await done

    async def _write_all(self) -> None:
        taken, self._waiting = self._waiting, []
        try:
            results = await sync_to_async(self._write)([item for item, _ in taken])
        except Exception as error:
            for _, done in taken:
                if not done.cancelled():
                    done.set_exception(error)
            return
        for (_, done), result in zip(taken, results, strict=True):
            if not done.cancelled():
                done.set_result(result)
