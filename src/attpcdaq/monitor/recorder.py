"""Keeps the latest readings until they are written; a database that is away delays nobody's reading."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from attpcdaq.live.lease import LeaseLostError
from attpcdaq.monitor.clock import Clock
from attpcdaq.monitor.readings import Batch, Key, Outcome, Problem, Reading

logger = logging.getLogger(__name__)
# Readings that come this close together are written together.
GATHER = 0.02
ALIVE_EVERY = 1.0
# Who answered longer ago than this is not said to be alive: the database may have been away meanwhile.
ALIVE_WITHIN = 1.5
SLOW_WRITE = 5.0
MAX_PROBLEM_CHARACTERS = 2000

Write = Callable[[Batch], Awaitable[Collection[Key]]]


class Recorder:
    """`write` puts a batch down and returns whose reading changed nothing: the same again needs no writing."""

    def __init__(self, write: Write, clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._pending: dict[Key, Reading] = {}
        self._settled: dict[Key, Outcome] = {}
        self._answered: dict[Key, float] = {}
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._away = False

    def note(self, reading: Reading) -> None:
        """Take a reading; never waits."""
        outcome = reading.outcome
        if isinstance(outcome, Problem):
            reading = replace(reading, outcome=Problem(_clean(outcome.text)))
        else:
            self._answered[reading.key] = self._clock.monotonic()
        if self._settled.get(reading.key) != reading.outcome:
            self._settled.pop(reading.key, None)
            self._pending[reading.key] = reading
            self._changed.set()
        else:
            self._pending.pop(reading.key, None)

    def forget(self) -> None:
        """The setup changed: write every reading again, whatever was written before."""
        self._settled.clear()

    async def run(self) -> None:
        """Write what changed at once, and once a second who is alive. LeaseLostError (in a group) ends it."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_changes())
            group.create_task(self._say_who_is_alive())

    async def _write_changes(self) -> None:
        while True:
            await self._changed.wait()
            await self._clock.sleep(GATHER)
            self._changed.clear()
            if self._pending and not self._away:
                await self._flush(alive_due=False)

    async def _say_who_is_alive(self) -> None:
        """Also tries again when the database is away."""
        while True:
            await self._flush(alive_due=True)
            await self._clock.sleep(ALIVE_EVERY)

    async def _flush(self, *, alive_due: bool) -> None:
        async with self._writing:
            await self._put_down(alive_due)

    async def _put_down(self, alive_due: bool) -> None:
        moment = self._clock.monotonic()
        taken, self._pending = self._pending, {}
        alive = tuple(key for key, at in self._answered.items() if moment - at <= ALIVE_WITHIN)
        batch = Batch(tuple(taken.values()), alive if alive_due else None, self._clock.now())
        complaint = asyncio.create_task(self._complain_if_slow())
        try:
            unchanged = await self._write(batch)
        except LeaseLostError:
            raise
        except Exception as error:  # whatever it was, nothing that was read is lost, and it is written again
            self._pending = taken | self._pending
            self._report_away(str(error).strip())
            return
        finally:
            complaint.cancel()
        if self._away:
            self._away = False
            logger.warning("the database is back: what was read is written again")
        if alive_due:
            self._answered = {key: at for key, at in self._answered.items() if at > moment}
        for key in unchanged:
            if key not in self._pending:
                self._settled[key] = taken[key].outcome

    async def _complain_if_slow(self) -> None:
        await self._clock.sleep(SLOW_WRITE)
        self._report_away(f"no answer for {SLOW_WRITE:g} s")

    def _report_away(self, why: str) -> None:
        if not self._away:
            logger.error("the database cannot be written (%s); reading goes on", why)
        self._away = True


def _clean(text: str) -> str:
    """Text from outside as a database takes it."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)[
        :MAX_PROBLEM_CHARACTERS
    ]
