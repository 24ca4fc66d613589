"""Checks one after another, each with its time; what the containers say is shown where one fails."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException

from tests.deploy.programs import Failed


class GiveUpError(Exception):
    """What the rest stands on did not pass."""


@dataclass
class Notes:
    """What a check measured, for its line."""

    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.texts.append(text)

    def __str__(self) -> str:
        return f": {', '.join(self.texts)}" if self.texts else ""


class Checks:
    """`with checks("what is true") as note:` passes when nothing is raised inside."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.evidence: Callable[[], str] = str
        self._began = time.monotonic()

    @contextmanager
    def __call__(self, what: str, *, needed: bool = False) -> Iterator[Notes]:
        began, note = time.monotonic(), Notes()
        try:
            yield note
        except (Failed, AssertionError, OSError, HTTPException, KeyError, ValueError) as error:
            self.failed += 1
            print(f"FAIL{time.monotonic() - began:5.0f} s  {what}{note}\n{_indented(error)}", flush=True)
            print(self.evidence(), flush=True)
            if needed:
                raise GiveUpError(what) from None
        else:
            self.passed += 1
            print(f"ok  {time.monotonic() - began:5.0f} s  {what}{note}", flush=True)

    def broken(self, why: str) -> None:
        """The checks cannot go on, and that is a failure too."""
        self.failed += 1
        print(f"FAIL         the checks broke off\n{why}\n{self.evidence()}", flush=True)

    def headline(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:4.0f} s] {text}", flush=True)

    def close(self) -> int:
        """Exit status; the very last line is the count."""
        if not self.passed and not self.failed:
            self.failed = 1
        sys.stderr.flush()
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def _indented(error: BaseException) -> str:
    text = str(error) or "(no text)"
    kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
    return "\n".join(f"      {line}" for line in f"{kind}{text}".splitlines())


def expect(truth: object, seen: object = "") -> None:
    """Failed, with what was seen instead, unless it is true."""
    if not truth:
        raise Failed(str(seen) or "it is not so")


def wait_for(look: Callable[[], object], what: str, seconds: float) -> None:
    """Until `look` is true. Somebody who is away meanwhile is not true yet."""
    deadline = time.monotonic() + seconds
    seen: object = None
    while True:
        try:
            seen = look()
        except (OSError, HTTPException, ValueError, Failed) as error:
            seen = error
        else:
            if seen:
                return
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds:g} s for {what}; last seen: {str(seen)[:600]!r}")
        time.sleep(0.2)  # between two looks
