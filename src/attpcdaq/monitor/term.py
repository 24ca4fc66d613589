"""One term of the monitor: it reads the hardware and writes what it saw, until another has the lease."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from attpcdaq.gateways.factory import make_ecc, make_nodes
from attpcdaq.live.lease import LeaseLostError, Term, fenced
from attpcdaq.monitor.clock import SystemClock
from attpcdaq.monitor.configs import ConfigWatch
from attpcdaq.monitor.database import Database
from attpcdaq.monitor.log_watch import LogWatch
from attpcdaq.monitor.poller import Poller
from attpcdaq.monitor.pulse import Pulse
from attpcdaq.monitor.recorder import Recorder
from attpcdaq.monitor.worker import Worker

logger = logging.getLogger(__name__)
SETUP_EVERY = 2.0
CLOSE_WITHIN = 0.5


async def write_for_a_term(worker: Worker, term: Term, pulse: Pulse, tell: Callable[[], None]) -> None:
    """Return when the lease is lost; all that was known of the hardware goes with it, for another writes meanwhile.

    `tell` lets it be known at once that somebody writes.
    """
    # Everything here is new in every term.
    clock, database = SystemClock(), Database(term)
    ecc, nodes = make_ecc(), make_nodes()
    # A log that hangs (on a disk that is away) costs the connection it is read over: not that of the readings.
    log_nodes = make_nodes()
    recorder = Recorder(pulse.feeling(lambda batch: worker.call(partial(database.write, batch))), clock)
    poller = Poller(ecc, nodes, pulse.counting(recorder.note), clock)
    tell()
    logger.info("monitor: reading (term %d)", term.number)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(recorder.run(), name="record")
            group.create_task(_follow_setup(worker, database, poller, recorder), name="follow setup")
            group.create_task(ConfigWatch(nodes, _writing(worker, term), clock).run(), name="look at configurations")
            group.create_task(LogWatch(log_nodes, _writing(worker, term), clock).run(), name="look at logs")
    except* LeaseLostError:
        logger.warning("monitor: another monitor writes now; standing by")
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await asyncio.gather(poller.close(), ecc.close(), nodes.close(), log_nodes.close())


def _writing(worker: Worker, term: Term) -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    def fenced_work(work: Callable[[], Any]) -> Any:
        with fenced(term):
            return work()

    return lambda work: worker.call(partial(fenced_work, work))


async def _follow_setup(worker: Worker, database: Database, poller: Poller, recorder: Recorder) -> None:
    """Watch what the setup says, from the moment it says so."""
    known = None
    while True:
        try:
            targets = await worker.call(database.targets)
        except Exception as error:  # whatever it was, what was known is watched on, and it is read again
            if known is None:
                logger.error("the setup cannot be read (%s); trying again every %g s", str(error).strip(), SETUP_EVERY)
        else:
            if targets != known:
                known = targets
                recorder.forget()
                poller.watch(targets)
                logger.info("monitor: %d ECC servers, %d nodes", len(targets.ecc_servers), len(targets.nodes))
        await asyncio.sleep(SETUP_EVERY)
