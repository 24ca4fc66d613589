"""One reader of events per process, many listeners: it reads once and hands the message to every open stream."""

import asyncio
import contextvars
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

import psycopg
from django.db import DatabaseError, connection

from attpcdaq.config.database_url import libpq_parameters
from attpcdaq.live.store import CHANNEL
from attpcdaq.web import event_feed
from attpcdaq.web.event_feed import Message, News

logger = logging.getLogger(__name__)
T = TypeVar("T")

QUEUE_LENGTH = 64
BEAT_EVERY = 1.0
LOOK_EVERY = 0.2  # where the database cannot wake us
COALESCE = 0.05  # a burst of events becomes one message
RETRY_AFTER = 1.0
END = Message("end", "")

Queue = asyncio.Queue[Message]


class Hub:
    """Works only while somebody listens, and then in a thread and with a database connection of its own."""

    def __init__(self) -> None:
        self._queues: set[Queue] = set()
        self._task: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._ready = asyncio.Event()
        self._closing = False
        self._said = ""

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Queue]:
        """A queue of every message from now on; END when the process is about to stop."""
        queue = Queue(QUEUE_LENGTH)
        self._queues.add(queue)
        try:
            self._begin()
            await self._ready.wait()
            yield queue
        finally:
            self._queues.discard(queue)
            if not self._queues:
                await self._stop()

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._queues)

    async def call(self, function: Callable[[], T]) -> T:
        """Run something that blocks on the database in the hub's thread."""
        assert self._thread is not None, "the hub has a thread while somebody listens"
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def close(self) -> None:
        """End all streams: the process was asked to stop, and would wait for them."""
        self._closing = True
        self._publish(END)
        self._ready.set()

    def _begin(self) -> None:
        if self._closing:
            self._publish(END)
        if self._task is not None:
            return
        _call_on_sigterm(self.close)
        self._ready = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="event-hub")
        # Not in the context of the request which happened to be first: its database thread ends with it.
        self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    async def _stop(self) -> None:
        task, thread = self._task, self._thread
        self._task = self._thread = None
        if task is None or thread is None:
            return
        task.cancel()
        thread.submit(_disconnect)
        thread.shutdown(wait=False)
        with suppress(asyncio.CancelledError):
            await task

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception as error:  # the streams go on, whatever it was; what is not known is logged in full
                self._say(error)
                await self.call(_disconnect)
                await asyncio.sleep(RETRY_AFTER)

    def _say(self, error: Exception) -> None:
        """Once for each trouble, not each second."""
        if str(error) != self._said:
            known = isinstance(error, DatabaseError | psycopg.Error | OSError)
            logger.warning("the event stream cannot read the database: %s", error, exc_info=not known)
        self._said = str(error)

    def _say_back(self) -> None:
        if self._said:
            logger.warning("the event stream reads the database again")
        self._said = ""

    async def _follow(self) -> None:
        news = await self.call(News)
        if self._ready.is_set():
            self._publish(event_feed.reset(await self.call(event_feed.latest_id)))
        self._ready.set()
        next_beat = 0.0
        async with _waker() as wait:
            self._say_back()
            while True:
                now = asyncio.get_running_loop().time()
                if now >= next_beat:
                    self._publish(await self.call(event_feed.beat))
                    next_beat = now + BEAT_EVERY
                await wait(next_beat - now)
                message = await self.call(news.look)
                if message is not None:
                    self._publish(message)

    def _publish(self, message: Message) -> None:
        for queue in self._queues:
            if queue.full():
                _overrun(queue)
            queue.put_nowait(message)


def _disconnect() -> None:
    """Give up the connection of the thread in which this runs, however broken it is."""
    with suppress(DatabaseError):
        connection.close()


def _overrun(queue: Queue) -> None:
    """Somebody reads too slowly: forget what waits, and say so, instead of making anybody wait."""
    waiting = [queue.get_nowait() for _ in range(queue.qsize())]
    queue.put_nowait(event_feed.reset(max((message.id or 0 for message in waiting), default=0)))


@asynccontextmanager
async def _waker() -> AsyncIterator[Callable[[float], Any]]:
    """A function which waits until there may be news, or for so many seconds."""
    if connection.vendor != "postgresql":
        yield lambda seconds: asyncio.sleep(min(seconds, LOOK_EVERY))
        return
    where = libpq_parameters(connection.settings_dict)
    async with await psycopg.AsyncConnection.connect(
        **where, autocommit=True, application_name="attpcdaq events"
    ) as listening:
        await listening.execute(f'LISTEN "{CHANNEL}"')

        async def wait(seconds: float) -> None:
            async for _ in listening.notifies(timeout=seconds, stop_after=1):
                await asyncio.sleep(COALESCE)

        yield wait


def _call_on_sigterm(function: Callable[[], None]) -> None:
    """Have `function` called in the event loop at SIGTERM, besides what the web server does then."""
    previous = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(previous):
        return
    if getattr(previous, "ends_streams", False):
        return
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(function)
        previous(number, frame)

    handle.ends_streams = True  # type: ignore[attr-defined]  # a mark on the function, looked for above
    signal.signal(signal.SIGTERM, handle)


HUB = Hub()
