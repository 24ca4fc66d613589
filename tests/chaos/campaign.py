"""Blocks of cycles, each in a world of its own, several at a time on as many processors."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from unittest import mock

from tests.chaos.checker import KINDS
from tests.chaos.database import make_database, scratch, set_environment
from tests.chaos.faults import Schedule, Script, schedules
from tests.chaos.results import Result
from tests.chaos.virtual_time import VirtualLoop

BLOCK = 20
Block = tuple[int, int, list[Schedule]]


def blocks(seed: int, cycles: int, only: int | None = None) -> list[Block]:
    """(Seed, number, schedules) of every block: the same for the same seed, however many cycles there are."""
    found = []
    for number, first in enumerate(range(0, max(cycles, (only or 0) + 1), BLOCK)):
        plan = schedules(seed, number, first, BLOCK)
        wanted = [one for one in plan if (one.number < cycles if only is None else one.number == only)]
        found += [(seed, number, wanted)] if wanted else []
    return found


def campaign(seed: int, cycles: int, workers: int, only: int | None = None) -> Iterator[list[Result]]:
    """The results block by block, in order."""
    work = blocks(seed, cycles, only)
    with _pool(min(workers, len(work))) as pool:
        yield from pool.map(run_block, *zip(*work, strict=True))


def sabotaged(seed: int) -> dict[str, list[Result]]:
    """Two quiet cycles for each kind of finding, of which the second is tampered with before the checker sees it."""
    quiet = [Schedule(number, Script.PLAIN, 1.0, (), 0.0) for number in range(2)]
    with _pool(1) as pool:
        found = pool.map(_run_until_mess, *zip(*((f"{seed}:{kind}", 0, quiet, kind) for kind in KINDS), strict=True))
        return dict(zip(KINDS, found, strict=True))


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    with scratch() as directory, ProcessPoolExecutor(workers, get_context("spawn"), prepare, (directory,)) as pool:
        yield pool


def prepare(directory: str) -> None:
    """Once in each process: a database in memory, Django, and Celery publishing into our broker."""
    set_environment(directory)
    make_database()
    from tests.chaos.broker import connect_celery

    connect_celery()
    logging.disable(logging.CRITICAL)  # outages by the hundred are ordered here


def run_block(seed: int, number: int, plan: list[Schedule]) -> list[Result]:
    """The results of a block; after a cycle that ended in a mess the next one finds a new world."""
    results: list[Result] = []
    while len(results) < len(plan):
        results += _run_until_mess(f"{seed}:{number}:{len(results)}", number, plan[len(results) :])
    return results


def _run_until_mess(seed: str, number: int, plan: list[Schedule], sabotage: str = "") -> list[Result]:
    loop = VirtualLoop(seed)
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_cycles(loop, seed, number, plan, sabotage))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(1.0))
        loop.close()


async def _cycles(loop: VirtualLoop, seed: str, number: int, plan: list[Schedule], sabotage: str) -> list[Result]:
    from tests.chaos.crew import Crew
    from tests.chaos.cycle import run_cycle
    from tests.chaos.processes import outside_all
    from tests.chaos.sabotage import SABOTAGE
    from tests.chaos.watch import Watch
    from tests.chaos.world import SHAPES, build

    world = build(loop, seed, SHAPES[number % len(SHAPES)])
    watch = Watch(world)
    world.gear.begun = watch.execution
    results: list[Result] = []
    # Whoever asks for the time without being given a clock is told the simulated one too.
    with mock.patch("django.utils.timezone.now", world.clock.now):
        world.start()
        outside_all(watch.run, "watch")
        await world.wait(2.0)
        mess = await Crew(world, watch.requested).lead_out()
        if mess:
            raise RuntimeError(f"a world without faults does not become Ready: {mess}")
        watch.next_cycle()
        for schedule in plan:
            harm = SABOTAGE[sabotage] if sabotage and schedule is plan[-1] else _nothing
            results.append(await run_cycle(world, watch, schedule, harm))
            if results[-1].findings:
                break
    world.close()
    return results


def _nothing(world: object) -> None:
    """Nobody tampers with anything."""
