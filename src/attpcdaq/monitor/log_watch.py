"""Reads the ends of those logs that somebody looks at, each second; of the others nothing."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.ports import FileStat, NodePort
from attpcdaq.live import log_tails
from attpcdaq.live.lease import LeaseLostError
from attpcdaq.live.log_tails import MOST_BYTES, Key, Wanted
from attpcdaq.monitor.clock import Clock
from attpcdaq.monitor.worker import InThread, reconnecting

logger = logging.getLogger(__name__)
EVERY = 1.0
DEADLINE = 5.0
MISSING = "there is no such file: it was removed or renamed, or the program has not written anything yet"


class LogWatch:
    """A log that hangs holds up no other one; what has not changed is not read again."""

    def __init__(self, nodes: NodePort, in_thread: InThread, clock: Clock) -> None:
        self._nodes = nodes
        self._in_thread = in_thread
        self._clock = clock
        self._looking: dict[Key, asyncio.Task[None]] = {}
        self._known: dict[Key, tuple[Wanted, FileStat]] = {}
        self._failing = False

    async def run(self) -> None:
        """Look again and again; what goes wrong is said once and tried again. LeaseLostError (in a group) ends it."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._clock.sleep(EVERY)
                await self._trying(self.begin(group))

    async def begin(self, group: asyncio.TaskGroup) -> None:
        """Begin to look at each that is wanted and is not being looked at."""
        wanted: list[Wanted] = await self._in_thread(reconnecting(log_tails.wanted))
        keys = {one.key for one in wanted}
        self._known = {key: known for key, known in self._known.items() if key in keys}
        self._looking = {key: task for key, task in self._looking.items() if not task.done()}
        for one in wanted:
            if one.key not in self._looking:
                self._looking[one.key] = group.create_task(self._trying(self.look(one)))

    async def _trying(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except LeaseLostError:
            raise
        except Exception as error:  # whatever it was, the logs are looked at again
            level = logging.DEBUG if self._failing else logging.ERROR
            logger.log(level, "looking at logs failed (%s)", str(error).strip(), exc_info=error)
            self._failing = True
        else:
            self._failing = False

    async def look(self, wanted: Wanted) -> None:
        """Read it if it has changed, and write down what came of that."""
        known, write = await self._seen(wanted, self._known.pop(wanted.key, None))
        await self._in_thread(reconnecting(write))
        # Known only once it is written: what was read and got lost is read again.
        if known is not None:
            self._known[wanted.key] = (wanted, known)

    async def _seen(
        self, wanted: Wanted, before: tuple[Wanted, FileStat] | None
    ) -> tuple[FileStat | None, partial[None]]:
        """What is known of the file then, and what is to be written down."""
        try:
            if self._nodes.abilities(wanted.node).files:
                found = (await self._nodes.stat_files(wanted.node, [wanted.path], DEADLINE))[wanted.path]
                if found is None:
                    return None, partial(log_tails.record_problem, wanted, MISSING, self._clock.now())
                if before == (wanted, found):
                    return found, partial(log_tails.record_same, wanted.key, self._clock.now())
            tail = await self._nodes.read_tail(wanted.node, wanted.path, MOST_BYTES, DEADLINE)
        except GatewayError as error:
            return None, partial(log_tails.record_problem, wanted, str(error), self._clock.now())
        return FileStat(tail.size, tail.mtime), partial(log_tails.record, wanted, tail, self._clock.now())
