"""What this suite calls kill -9 is one: nothing of the product gets to say a last word."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.chaos.processes import Killed, Process
from tests.chaos.virtual_time import START, Clock, VirtualLoop, sleep


@pytest.fixture
def simulated() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine in simulated time."""

    def run(work: Coroutine[Any, Any, Any]) -> Any:
        loop = VirtualLoop("test")
        try:
            return loop.run_until_complete(work)
        finally:
            loop.close()

    return run


def test_time_passes_without_waiting(simulated) -> None:
    async def work() -> float:
        await asyncio.sleep(3600.0)
        return asyncio.get_running_loop().time()

    assert simulated(work()) == pytest.approx(3600.0, abs=0.01)


def test_a_killed_process_writes_nothing_more(simulated) -> None:
    written: list[str] = []

    async def work() -> None:
        process = Process("worker", 1)

        async def write(text: str) -> None:
            await asyncio.get_running_loop().run_in_executor(None, written.append, text)

        async def busy() -> None:
            try:
                await write("begun")
                async with asyncio.TaskGroup() as group:
                    group.create_task(sleep(5.0))
                    group.create_task(write("in a task of its own"))
                await write("ended")
            finally:
                await write("last words")

        process.run(busy)
        await sleep(1.0)
        process.kill()
        await sleep(10.0)

    simulated(work())
    assert written == ["begun", "in a task of its own"]


def test_a_process_may_die_between_two_statements(simulated) -> None:
    async def work() -> None:
        process = Process("web", 1)
        process.statements_left = 2
        process.statement()
        process.statement()
        with pytest.raises(Killed):
            process.statement()
        with pytest.raises(Killed):
            process.call(lambda: None)

    simulated(work())


def test_no_handler_of_the_product_catches_a_kill() -> None:
    assert not issubclass(Killed, Exception)


def test_a_stepped_clock_tells_when_something_was_written(simulated) -> None:
    async def work() -> None:
        clock = Clock(asyncio.get_running_loop())
        await sleep(10.0)
        before = clock.now()
        clock.step(-5.0)
        await sleep(100.0)
        after = clock.now()
        assert clock.now() < clock.true_now()
        assert clock.seconds(before) == pytest.approx(15.0, abs=0.01)  # it was so twice: the latest counts
        assert clock.seconds(after) == pytest.approx(110.0, abs=0.01)
        assert (clock.true_now() - START).total_seconds() == pytest.approx(110.0, abs=0.01)

    simulated(work())
