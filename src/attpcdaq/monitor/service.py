"""The monitor as a process: signals, standing by, and its end."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Awaitable
from contextlib import suppress

from attpcdaq.live import schema
from attpcdaq.live.beater import Beater
from attpcdaq.monitor.holding import Holding, end_frozen_transactions
from attpcdaq.monitor.pulse import Pulse
from attpcdaq.monitor.queues import QueueWatch
from attpcdaq.monitor.term import write_for_a_term
from attpcdaq.monitor.worker import Sweeper, Worker, both
from attpcdaq.runcontrol.watching.rounds import Rounds
from attpcdaq.runcontrol.watching.spelling import Spelling

logger = logging.getLogger(__name__)
ASK_EVERY = 1.0
END_WITHIN = 1.8
GIVE_BACK_WITHIN = 0.5


def main() -> None:
    """Read and write, or stand by, until SIGTERM or SIGINT; the process is gone within 2 s of it, whatever hangs."""
    end_frozen_transactions()
    holding, queues = Holding(), QueueWatch()
    pulse = Pulse(holding, queues)
    beater = Beater(pulse.numbers, at_work=pulse.is_at_work)
    beater.start()
    schema.wait_until_it_fits(pulse.turned)
    sweeper = Sweeper(holding.gated(both(Rounds(), Spelling())))
    sweeper.start()
    queues.start()
    try:
        asyncio.run(_run(holding, pulse, beater))
    finally:
        sweeper.stop()
        queues.stop()
        beater.stop()


async def _run(holding: Holding, pulse: Pulse, beater: Beater) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _ask_to_stop, stop)
    worker = Worker("monitor-database")
    turning = asyncio.create_task(_turn(pulse), name="turn")
    try:
        while not stop.is_set():
            await _unless(stop, _stand_by(worker, holding))
            if holding.term is not None:
                await _unless(stop, write_for_a_term(worker, holding.term, pulse, beater.soon))
            await _leave(worker, holding)
    finally:
        turning.cancel()
        worker.stop()
    logger.info("monitor: ended")


async def _turn(pulse: Pulse) -> None:
    while True:
        pulse.turned()
        await asyncio.sleep(ASK_EVERY)


async def _stand_by(worker: Worker, holding: Holding) -> None:
    """Return when we have the lease; until then neither the hardware is read nor anything written."""
    away = False
    while True:
        try:
            if await worker.call(holding.ask):
                return
        except Exception as error:  # the database being away, mostly; whatever it was, it is asked again
            if not away:
                logger.error(
                    "the lease cannot be asked for (%s); trying again every %g s", str(error).strip(), ASK_EVERY
                )
            away = True
        await asyncio.sleep(ASK_EVERY)


async def _leave(worker: Worker, holding: Holding) -> None:
    """Give the lease back, if we still have it and the database lets us: who waits for it need not wait any longer."""
    with suppress(Exception):  # we leave anyway: then it is free 5 s later
        async with asyncio.timeout(GIVE_BACK_WITHIN):
            await worker.call(holding.give_back)
    holding.lose()


async def _unless(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Until it is over, or we are to stop; what it raises is raised."""
    tasks = [asyncio.ensure_future(work), asyncio.create_task(stop.wait(), name="wait for the end")]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


def _ask_to_stop(stop: asyncio.Event) -> None:
    if not stop.is_set():
        # The last resort where a thread (a name server, a database) does not come back.
        timer = threading.Timer(END_WITHIN, os._exit, (0,))
        timer.daemon = True
        timer.start()
        logger.info("monitor: asked to end")
    stop.set()
