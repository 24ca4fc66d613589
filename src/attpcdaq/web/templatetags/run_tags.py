"""How a run's operation is written."""

from datetime import datetime

from django import template

from attpcdaq.runcontrol.seeing.timeline import seconds_between
from attpcdaq.web.templatetags.daq_tags import duration

register = template.Library()
PHASES = {"Starting": "busy", "Running": "ok", "Stopping": "busy", "Moving files": "off", "Checking files": "off"}


@register.filter
def seconds_short(seconds: float | None) -> str:
    """Seconds as short as one wants to read them: 0.42 s, 7.1 s, 42 s, 0:12:30; None -> an en dash."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s" if seconds < 120 else duration(seconds)


@register.filter
def after(moment: datetime, begin: datetime) -> float | None:
    """Seconds from one moment to another."""
    return seconds_between(begin, moment)


@register.filter
def phase_level(name: str) -> str:
    """The badge level of a phase of a run."""
    return PHASES.get(name, "off")
