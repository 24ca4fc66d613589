"""How figures and states are written on a page."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django import template
from django.urls import reverse
from django.utils import timezone

from attpcdaq.runcontrol.planning.amounts import in_bytes
from attpcdaq.runcontrol.seeing.views import RunView
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Manifest, Run
from attpcdaq.web import manifest_view, reasons

register = template.Library()
RUN_LEVELS = {"running": "ok", "failed": "bad", "closed": "off"}
SEVERITY_LEVELS = {"info": "off", "warning": "warn", "error": "bad"}
COMMAND_LEVELS = {"queued": "busy", "running": "busy", "done": "ok", "failed": "bad", "expired": "warn"}
STEP_LEVELS = {"sent": "busy", "confirmed": "ok", "failed": "bad", "expired": "warn"}


@register.filter
def human_bytes(value: float | None) -> str:
    """Bytes as in_bytes writes them; None -> an en dash."""
    return "–" if value is None else in_bytes(value)


@register.filter
def human_rate(value: float | None) -> str:
    """Bytes per second, written like human_bytes."""
    return "–" if value is None else f"{human_bytes(value)}/s"


@register.filter
def per_second(value: float | None) -> str:
    """A number of events per second with three figures: "152 /s"; None -> an en dash."""
    if value is None:
        return "–"
    return f"{value:.0f} /s" if value >= 99.5 else f"{value:.3g} /s"


@register.filter
def epoch(value: datetime | None) -> str:
    """Seconds since 1970 with milliseconds, as the scripts of the page want them; None -> ""."""
    return "" if value is None else f"{value.timestamp():.3f}"


@register.filter
def at_time(seconds: float) -> str:
    """Seconds since 1970 as a day and time where the detector stands: "23 Nov 03:12:44"."""
    at = timezone.localtime(datetime.fromtimestamp(seconds, tz=UTC))
    return f"{at.day} {at:%b %H:%M:%S}"


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as h:mm:ss; None -> ""."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


@register.filter
def age(seconds: float | None) -> str:
    """An age in words as short as possible: 4 s, 3 min, 2 h, 5 d; None -> "never"."""
    if seconds is None:
        return "never"
    for limit, size, unit in ((100, 1, "s"), (6000, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, int(seconds / size))} {unit}"
    return f"{int(seconds / 86400)} d"


@register.filter
def age_at(seen_at: datetime | None, now: datetime) -> str:
    """The age at `now` of something last seen at `seen_at`."""
    return age(None if seen_at is None else (now - seen_at).total_seconds())


@register.filter
def since(begin: datetime, now: datetime) -> str:
    """The time that has gone by, as h:mm:ss."""
    return duration((now - begin).total_seconds())


@register.filter
def run_level(state: str) -> str:
    """The badge level of a run's state."""
    return RUN_LEVELS.get(state, "busy")


@register.filter
def data_verdict(run: Run) -> str:
    """The verdict on a run's data; `checking` while there is none yet, "" where nobody checks."""
    return manifests.verdict_on(run)


@register.filter
def verdict_level(verdict: str) -> str:
    """The badge level of a verdict on a run's data."""
    return manifest_view.LEVELS.get(verdict, "off")


@register.filter
def verdict_label(verdict: str) -> str:
    """The verdict in words."""
    return "Being checked" if verdict == manifests.CHECKING else str(Manifest.Verdict(verdict).label)


@register.filter
def reason_level(level: str) -> str:
    """How a reason of a verdict is shown."""
    return manifest_view.REASON_LEVELS.get(level, "off")


@register.filter
def ticks(value: int | None) -> str:
    """A board's time stamp (10 ns) in seconds; None -> an en dash."""
    return "–" if value is None else f"{value / 1e8:.3f}"


@register.filter
def severity_level(severity: str) -> str:
    """The badge level of an event's severity."""
    return SEVERITY_LEVELS.get(severity, "off")


@register.filter
def command_level(state: str) -> str:
    """The badge level of a command's state."""
    return COMMAND_LEVELS.get(state, "off")


@register.filter
def step_level(state: str) -> str:
    """The badge level of a step's state."""
    return STEP_LEVELS.get(state, "off")


@register.filter
def run_duration(run: RunView, now: datetime | None = None) -> str:
    """From the first moment of a run to its end, or until `now`, as h:mm:ss; "" for a run that never ran."""
    end = run.stopped_at or now
    return "" if run.started_at is None or end is None else duration((end - run.started_at).total_seconds())


@register.filter
def grouped(texts: Iterable[str]) -> list[str]:
    """Reasons with what several servers have in common said once, naming all of them."""
    return reasons.grouped(texts)


@register.filter
def grouped_short(texts: Iterable[str]) -> list[str]:
    """The same, naming two of them."""
    return reasons.grouped(texts, short=True)


@register.filter
def ranges(names: Iterable[str]) -> str:
    """Names with ranges: "cobo0 .. cobo9, mutant"."""
    return reasons.ranges(names)


@register.filter
def parts(names: Iterable[str]) -> list[str]:
    """The same in parts that should not be broken."""
    return reasons.parts(names)


@register.filter
def compact(text: str) -> str:
    """A text with the names listed in it as ranges."""
    return reasons.compact(text)


@register.filter
def manual_link(place: str) -> str:
    """Where the manual tells more: "runs#exports" on its page `runs`; an anchor alone is on the page of troubles."""
    page, _, anchor = place.rpartition("#")
    return f"{reverse('help-page', args=[page or 'troubles'])}#{anchor}"
