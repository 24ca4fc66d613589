"""Letting several threads do something at the same moment, each with a database connection of its own."""

import threading
from collections.abc import Callable

from django.db import connection

ENDED_WITHIN = 60.0


def race(count: int, work: Callable[[], object]) -> list[object]:
    """Let `count` threads do the same; results and exceptions."""
    return race_of(*[work] * count)


def race_of(*works: Callable[[], object]) -> list[object]:
    """Each of the works in a thread of its own; its result or exception, in the order of the works."""
    gate = threading.Barrier(len(works))
    results: dict[int, object] = {}

    def run(number: int, work: Callable[[], object]) -> None:
        gate.wait(ENDED_WITHIN)
        try:
            results[number] = work()
        except Exception as error:  # it is the result
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one, daemon=True) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ENDED_WITHIN)
    assert len(results) == len(works), f"of {len(works)} only {sorted(results)} came to their end"
    return [results[number] for number in range(len(works))]
