"""Saying again and again that somebody is at work, so that a silence means that he is gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from asgiref.sync import sync_to_async
from django.db import Error, connection

from attpcdaq.runcontrol.doing.outside import Outside

EVERY = 0.5


@contextlib.asynccontextmanager
async def beating(say: Callable[[datetime], None], outside: Outside) -> AsyncIterator[None]:
    """Call `say` with the time twice a second meanwhile; a database that is away for a moment does not end it."""
    task = asyncio.create_task(_beat(say, outside))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _beat(say: Callable[[datetime], None], outside: Outside) -> None:
    while True:
        await outside.sleep(EVERY)
        try:
            await sync_to_async(say)(outside.now())
        except Error:
            # Or this thread would go on with a connection that is dead for good.
            await sync_to_async(connection.close_if_unusable_or_obsolete)()
