"""The monitor as a process: composition, signals, and its end."""

import asyncio
import logging
import os
import signal
import threading
from contextlib import suppress
from functools import partial

from attpcdaq.gateways.factory import make_ecc, make_nodes
from attpcdaq.monitor.clock import SystemClock
from attpcdaq.monitor.configs import ConfigWatch
from attpcdaq.monitor.database import Database
from attpcdaq.monitor.poller import Poller
from attpcdaq.monitor.recorder import Recorder
from attpcdaq.monitor.worker import Sweeper, Worker
from attpcdaq.runcontrol.watching.rounds import Rounds

logger = logging.getLogger(__name__)
SETUP_EVERY = 2.0
END_WITHIN = 1.8
CLOSE_WITHIN = 0.5


def main() -> None:
    """Read and write until SIGTERM or SIGINT; the process is gone within 2 s of it, whatever hangs."""
    sweeper = Sweeper(Rounds())
    sweeper.start()
    try:
        asyncio.run(_run())
    finally:
        sweeper.stop()


async def _run() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _ask_to_stop, stop)
    clock, database, worker = SystemClock(), Database(), Worker("monitor-database")
    ecc, nodes = make_ecc(), make_nodes()
    recorder = Recorder(lambda batch: worker.call(partial(database.write, batch)), clock)
    poller = Poller(ecc, nodes, recorder.note, clock)
    tasks = [
        asyncio.create_task(recorder.run(), name="record"),
        asyncio.create_task(_follow_setup(worker, database, poller, recorder), name="follow setup"),
        asyncio.create_task(ConfigWatch(nodes, worker.call, clock).run(), name="look at configurations"),
        asyncio.create_task(stop.wait(), name="wait for the end"),
    ]
    logger.info("monitor: reading")
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    worker.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_WITHIN):
            await asyncio.gather(poller.close(), ecc.close(), nodes.close())
    logger.info("monitor: ended")
    for task in done:
        task.result()


def _ask_to_stop(stop: asyncio.Event) -> None:
    if not stop.is_set():
        # The last resort where a thread (a name server, a database) does not come back.
        timer = threading.Timer(END_WITHIN, os._exit, (0,))
        timer.daemon = True
        timer.start()
        logger.info("monitor: asked to end")
    stop.set()


async def _follow_setup(worker: Worker, database: Database, poller: Poller, recorder: Recorder) -> None:
    """Watch what the setup says, from the moment it says so."""
    known = None
    while True:
        try:
            targets = await worker.call(database.targets)
        except Exception as error:
            if known is None:
                logger.error("the setup cannot be read (%s); trying again every %g s", str(error).strip(), SETUP_EVERY)
        else:
            if targets != known:
                known = targets
                recorder.forget()
                poller.watch(targets)
                logger.info("monitor: %d ECC servers, %d nodes", len(targets.ecc_servers), len(targets.nodes))
        await asyncio.sleep(SETUP_EVERY)
