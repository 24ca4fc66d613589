"""What is logged while a test does something, as the lines of JSON that a process would write."""

import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attpcdaq.config.logs import line_formatter

Line = dict[str, Any]


@contextmanager
def logged(level: int = logging.INFO, secrets: Sequence[str] = ()) -> Iterator[Callable[[], list[Line]]]:
    """Calling what it gives tells the lines so far; the root logger is at `level` meanwhile."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(line_formatter("json", "test", secrets))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield lambda: lines_of(stream.getvalue())
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


def lines_of(log: str) -> list[Line]:
    """A whole log; every line of it must be JSON."""
    lines = [line for line in log.splitlines() if line.strip()]
    assert not [line for line in lines if not line.startswith("{")]
    return [json.loads(line) for line in lines]
