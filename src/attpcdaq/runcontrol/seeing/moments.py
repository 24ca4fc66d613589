"""Comparing times that a clock has written which may have been set back since."""

from datetime import datetime, timedelta


def is_about_now(at: datetime, now: datetime, limit: timedelta) -> bool:
    """Whether something seen at `at` still counts. What lies ahead does not either: a clock stepped back since."""
    return abs(now - at) <= limit


def came_before(first: datetime, second: datetime, now: datetime) -> bool:
    """Whether `first` was written before `second`. What lies ahead was written before the clock was set back."""
    return (first <= now, first) < (second <= now, second)


def seconds_since(at: datetime, now: datetime) -> float | None:
    """Seconds since `at`; None when it lies ahead, for then nobody can tell."""
    seconds = (now - at).total_seconds()
    return None if seconds < 0 else seconds
