"""Writes that meet are one write; nobody gets another's result, and an error reaches everybody it concerns."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from attpcdaq.runcontrol.doing.together import Together


async def test_who_comes_while_a_write_is_under_way_goes_with_the_next() -> None:
    batches: list[list[int]] = []
    began, first_may_end = threading.Event(), threading.Event()

    def write(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        began.set()
        if len(batches) == 1:
            assert first_may_end.wait(10)
        return [item * 10 for item in items]

    together = Together(write)
    first = asyncio.create_task(together.do(1))
    await asyncio.to_thread(began.wait, 10)
    others = [asyncio.create_task(together.do(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0)
    first_may_end.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
    assert batches == [[1], [2, 3, 4]]


async def test_an_error_is_raised_for_everybody_in_the_list_and_the_next_goes_on() -> None:
    def write(items: Sequence[int]) -> list[int]:
        if 2 in items:
            raise ValueError("not 2")
        return list(items)

    together = Together(write)
    results = await asyncio.gather(together.do(2), together.do(3), return_exceptions=True)
    assert [str(result) for result in results] == ["not 2", "not 2"]
    assert await together.do(4) == 4


async def test_one_who_gives_up_does_not_disturb_the_others() -> None:
    together: Together[int, int] = Together(lambda items: [item + 1 for item in items])
    gone, stays = asyncio.create_task(together.do(1)), asyncio.create_task(together.do(2))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await stays == 3


async def test_one_who_gives_up_while_writing_for_others_leaves_them_their_results() -> None:
    began, may_end = threading.Event(), threading.Event()

    def write(items: Sequence[int]) -> list[int]:
        if len(items) > 1:
            began.set()
            assert may_end.wait(10)
        return list(items)

    together = Together(write)
    first = asyncio.create_task(together.do(1))
    writer, stays = asyncio.create_task(together.do(2)), asyncio.create_task(together.do(3))
    await asyncio.to_thread(began.wait, 10)
    writer.cancel()
    await asyncio.sleep(0)
    may_end.set()
    assert await first == 1
    assert await asyncio.wait_for(stays, 10) == 3
