"""How figures and states are written on a page."""

from collections.abc import Iterable
from datetime import datetime

from django import template

from attpcdaq.runcontrol.views import ActionView, CommandView, RunView, Snapshot, StepView
from attpcdaq.web import reasons

register = template.Library()
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
# The five which do not end in a run; Start and Stop stand in the run panel.
HARDWARE_ACTIONS = ("describe", "prepare", "configure", "breakup", "undo")
RUN_LEVELS = {"running": "ok", "failed": "bad", "closed": "off"}
SEVERITY_LEVELS = {"info": "off", "warning": "warn", "error": "bad"}
COMMAND_LEVELS = {"queued": "busy", "running": "busy", "done": "ok", "failed": "bad", "expired": "warn"}
STEP_LEVELS = {"sent": "busy", "confirmed": "ok", "failed": "bad", "expired": "warn"}


@register.filter
def human_bytes(value: float | None) -> str:
    """Bytes with three figures and a decimal unit: 1234567 -> "1.23 MB"; None -> an en dash."""
    if value is None:
        return "–"
    size, index = float(value), 0
    while size >= 999.5 and index < len(UNITS) - 1:
        size, index = size / 1000, index + 1
    figures = 0 if index == 0 or size >= 99.95 else 1 if size >= 9.995 else 2
    return f"{size:.{figures}f} {UNITS[index]}"


@register.filter
def human_rate(value: float | None) -> str:
    """Bytes per second, written like human_bytes."""
    return "–" if value is None else f"{human_bytes(value)}/s"


@register.filter
def epoch(value: datetime | None) -> str:
    """Seconds since 1970 with milliseconds, as the scripts of the page want them; None -> ""."""
    return "" if value is None else f"{value.timestamp():.3f}"


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
def run_level(state: str) -> str:
    """The badge level of a run's state."""
    return RUN_LEVELS.get(state, "busy")


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
def data_flow(status: Snapshot) -> str:
    """What all data routers write together: "11 of 11 data routers write 12.3 MB/s, event 4242"."""
    routers = status.routers
    writing = sum(router.growing for router in routers)
    event = max((router.last_event for router in routers if router.last_event is not None), default=None)
    text = f"{writing} of {len(routers)} data routers write {human_rate(sum(router.rate for router in routers))}"
    return text if event is None else f"{text}, event {event}"


@register.filter
def hardware_actions(status: Snapshot) -> list[tuple[str, str, ActionView]]:
    """(action, label, view) of the operations which do not belong to a run."""
    return [(action, action.capitalize(), status.actions[action]) for action in HARDWARE_ACTIONS]


@register.filter
def shared_refusal(status: Snapshot) -> ActionView | None:
    """The refusal of the hardware operations when all are refused for the same reasons, to be said once."""
    views = [status.actions[action] for action in HARDWARE_ACTIONS]
    same = all(not view.allowed and view.reasons == views[0].reasons for view in views)
    return views[0] if same else None


@register.filter
def grouped(texts: Iterable[str]) -> list[str]:
    """Reasons with what several servers have in common said once, naming all of them."""
    return reasons.grouped(texts)


@register.filter
def grouped_short(texts: Iterable[str]) -> list[str]:
    """The same, naming two of them."""
    return reasons.grouped(texts, short=True)


@register.filter
def stages(command: CommandView) -> list[tuple[str, list[StepView]]]:
    """(transition, steps) of every stage of a command, in their order."""
    by_stage: dict[int, list[StepView]] = {}
    for step in command.steps:
        by_stage.setdefault(step.stage, []).append(step)
    return [(steps[0].transition, steps) for _, steps in sorted(by_stage.items())]
