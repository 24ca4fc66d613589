"""Spells, runs and shifts for the tests, by seconds after noon."""

from datetime import UTC, datetime, timedelta
from typing import Any

from attpcdaq.live.models import Spell
from attpcdaq.runlog.models import Experiment, Run
from attpcdaq.shifts.models import Shift
from tests.runlog.rows import make_run

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def make_spell(begin: float, end: float | None, level: str = "ok", **fields: Any) -> Spell:
    """One that has ended, or (no end) goes on and was seen at its begin."""
    seen = begin if end is None else end
    ended = None if end is None else at(end)
    title = {"ok": "Ready", "busy": "Start under way", "bad": "Needs attention"}.get(level, "Idle")
    return Spell.objects.create(
        began_at=at(begin), seen_at=at(seen), ended_at=ended, level=level, **{"title": title} | fields
    )


def make_timed_run(experiment: Experiment, number: int, begin: float, end: float | None, **fields: Any) -> Run:
    """A run that took data from begin to end, or (no end) is running."""
    times: dict[str, Any] = {"requested_at": at(begin), "started_at": at(begin)}
    if end is None:
        return make_run(experiment, number, **times, stopped_at=None, closed_at=None, state="running", **fields)
    return make_run(experiment, number, **times, stopped_at=at(end), closed_at=at(end), **fields)


def make_shift(begin: float, end: float | None = None, experiment: Experiment | None = None, **fields: Any) -> Shift:
    ended = {"ended_at": at(end), "ended_by": "kim"} if end is not None else {}
    said = {"crew": "Kim, Lee", "began_by": "kim"} | ended | fields
    return Shift.objects.create(began_at=at(begin), experiment=experiment, **said)
