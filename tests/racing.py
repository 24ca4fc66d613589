"""Letting several threads do the same thing at the same moment."""

import threading
from collections.abc import Callable

from django.db import connection


def race(count: int, work: Callable[[], object]) -> list[object]:
    """Let `count` threads do the same at the same moment; results and exceptions."""
    gate, results = threading.Barrier(count), []

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
