"""Blocks of runs, several at a time on as many processors."""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from tests.chaos.database import make_database, scratch, set_environment
from tests.closeout.plan import BlockPlan, Habit, RunPlan
from tests.closeout.results import Result
from tests.closeout.ways import WAYS


def campaign(plans: Sequence[BlockPlan], workers: int) -> Iterator[Result]:
    """The results block by block, in order."""
    with _pool(min(workers, len(plans))) as pool:
        yield from pool.map(_run, plans)


def sabotaged(seed: int) -> dict[str, tuple[Result, Result]]:
    """For each way of harm: a quiet block as it is, and one that was tampered with before the checker saw it."""
    with _pool(1) as pool:
        quiet = pool.submit(_run, quiet_plan(seed)).result()
        return {way: (quiet, pool.submit(_harmed, quiet_plan(seed), way).result()) for way in WAYS}


def quiet_plan(seed: int) -> BlockPlan:
    """Two runs in which nothing goes wrong."""
    runs = tuple(RunPlan(number, 2.0, 1.0, ()) for number in range(2))
    return BlockPlan(0, f"{seed}:quiet", frozenset[Habit](), 0.0, 0, runs)


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    with scratch() as directory, ProcessPoolExecutor(workers, get_context("spawn"), prepare, (directory,)) as pool:
        yield pool


def prepare(directory: str) -> None:
    """Once in each process: a database, Django, Celery publishing into our broker; local time is UTC."""
    set_environment(directory)
    os.environ["ATTPCDAQ_TIME_ZONE"] = "UTC"
    make_database()
    from tests.chaos.broker import connect_celery

    connect_celery()
    logging.disable(logging.CRITICAL)  # outages by the hundred are ordered here


def _run(plan: BlockPlan) -> Result:
    from tests.closeout.block import run_block

    return run_block(plan)


def _harmed(plan: BlockPlan, way: str) -> Result:
    from tests.closeout.block import run_block
    from tests.closeout.sabotage import HARM

    return run_block(plan, HARM[way])
