"""A strip of time, drawn by the server: full height running, half lost, a line not watched; colour is not needed."""

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from functools import lru_cache

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from attpcdaq.shifts.accounting import LOST, RUNNING, Account, Segment, account
from attpcdaq.shifts.causes import Cause, label_of
from attpcdaq.shifts.spans import Interval
from attpcdaq.web.templatetags.daq_tags import duration

WIDTH, HEIGHT = 1000, 32
MOST = 400
KINDS = {RUNNING: (0, HEIGHT), LOST: (HEIGHT // 2, HEIGHT // 2), "not_watched": (HEIGHT - 4, 4)}


@lru_cache(maxsize=64)
def strip(within: Interval, segments: tuple[Segment, ...]) -> SafeString:
    """An SVG as wide as its place; where there are very many stretches, those that nobody could see are left out.

    Kept for a while: days that are over are drawn again and again.
    """
    length = within.length
    if not length:
        return SafeString("")
    shown = segments if len(segments) <= MOST else [one for one in segments if (one.end - one.begin) * WIDTH > length]
    zone = timezone.get_current_timezone()
    bars = format_html_join("", "<rect {}><title>{}</title></rect>",
        ((_bar(within, one), _said(one, zone)) for one in shown))  # fmt: skip
    return format_html(
        '<svg class="strip" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        WIDTH, HEIGHT, in_words(account(segments)), bars,
    )  # fmt: skip


def _bar(within: Interval, one: Segment) -> SafeString:
    """Its attributes: numbers, and names of ours."""
    y, height = KINDS[one.kind]
    x, width = ((part / within.length) * WIDTH for part in (one.begin - within.begin, one.end - one.begin))
    css = one.kind.replace("_", "-")
    if one.kind == LOST and one.cause == Cause.UNNAMED:
        css += " unnamed"
    return SafeString(f'class="{css}" x="{x:.2f}" y="{y}" width="{max(width, 0.5):.2f}" height="{height}"')


def _said(one: Segment, zone: tzinfo) -> str:
    what = {RUNNING: "Running", LOST: label_of(one.cause)}.get(one.kind, "Not watched")
    what += f": {one.detail}" if one.detail else ""
    begin, end = one.begin.astimezone(zone), one.end.astimezone(zone)
    return f"{begin:%H:%M:%S} to {end:%H:%M:%S}: {what} ({_clock(one.end - one.begin)})"


def in_words(total: Account) -> str:
    """For who cannot see it."""
    parts: Iterable[tuple[str, timedelta]] = (
        ("running", total.running),
        ("lost", total.lost_time),
        ("not watched", total.not_watched),
    )
    return ", ".join(f"{name} {_clock(time)}" for name, time in parts)


def _clock(time: timedelta) -> str:
    return duration(time.total_seconds())
