"""How shifts and what they add up to are written on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django import template
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from attpcdaq.shifts.checklist import BY_HAND
from attpcdaq.shifts.log_book_markdown import clock, verdict_of
from attpcdaq.shifts.models import Shift
from attpcdaq.shifts.reckoning import Line, Sums
from attpcdaq.web import gap_rows as gaps_drawn
from attpcdaq.web.shift_gaps import GapLine

register = template.Library()
register.filter("clock", clock)
register.filter("verdict_words", verdict_of)
PAGES = {
    "status": "Status page",
    "setup": "Setup",
    "runs": "Run list",
    "experiments": "Experiments",
    "events": "Events",
}
WORDS = {"ok": "In order", "warn": "Look", "bad": "Bad"}
MOST = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """A line of a checklist as it was kept."""

    level: str
    word: str
    text: str
    by: str
    at: datetime | None


@register.filter
def percent(share: float) -> str:
    """A share of 0 to 1: "12.3 %"."""
    return f"{100 * share:.1f} %"


@register.filter
def when(text: str) -> datetime | None:
    """A moment as it is kept with a checklist."""
    return parse_datetime(text) if text else None


@register.filter
def lost_most(sums: Sums) -> list[Line]:
    """What most time was lost by."""
    lost = [line for line in sums.lines if line.kind == "lost" and line.seconds]
    return sorted(lost, key=lambda line: -line.seconds)[:MOST]


@register.filter
def checked(shift: Shift) -> list[Checked]:
    """What was ticked, and how the items of the DAQ were then; what was not in order first."""
    kept = shift.checks
    found = [
        Checked(each["level"], WORDS[each["level"]], each["text"], "", when(each["at"]))
        for key, each in kept.items()
        if key.startswith("auto-")
    ]
    for item in BY_HAND:
        each = kept.get(item.key, {})
        done = bool(each.get("ok"))
        word, level = ("Done", "ok") if done else ("Not done", "warn")
        by, at = (each["by"], when(each["at"])) if done else ("", None)
        found.append(Checked(level, word, item.label, by, at))
    return sorted(found, key=lambda each: each.level == "ok") if kept else []


@register.simple_tag(takes_context=True)
def gap_rows(context: Context, lines: Sequence[GapLine], back: object) -> SafeString:
    """Times without a run as rows; who may operate can name their causes, and comes `back`."""
    token = str(context["csrf_token"]) if context["may_operate"] else ""
    return gaps_drawn.gap_rows(lines, str(back), token)


@register.simple_tag
def page_link(name: str) -> SafeString | str:
    """A link to a page by the name of its address; nothing where there is no such page."""
    try:
        return format_html('<a class="no-print" href="{}">{}</a>', reverse(name), PAGES[name])
    except NoReverseMatch:
        return ""
