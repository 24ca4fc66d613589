"""A strip of time, drawn by the server: full height running, half lost, a line not watched; colour is not needed."""

from collections.abc import Iterable
from datetime import timedelta, tzinfo
from functools import lru_cache
from itertools import groupby

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from attpcdaq.shifts.accounting import LOST, RUNNING, Account, Segment, account
from attpcdaq.shifts.causes import Cause, label_of
from attpcdaq.shifts.spans import Interval
from attpcdaq.web.templatetags.daq_tags import duration

WIDTH, HEIGHT = 1000, 32
MOST = 400
LOW = (HEIGHT // 2, HEIGHT // 2)
SHAPES = {"running": (0, HEIGHT), "lost": LOW, "lost unnamed": LOW, "not-watched": (HEIGHT - 4, 4)}
"""Upper edge and height by CSS class."""


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


def outline(within: Interval, segments: Iterable[Segment]) -> SafeString:
    """The same shapes in a twentieth of the space, without a word on each: for many days at once."""
    length = within.length
    if not length:
        return SafeString("")
    shapes = [(css, list(same)) for css, same in groupby(segments, _css)]
    places = [(css, same[0].begin - within.begin, same[-1].end - within.begin) for css, same in shapes]
    if len(places) > MOST:
        places = [one for one in places if (one[2] - one[1]) * WIDTH > length]
    paths: dict[str, list[str]] = {}
    for css, begin, end in places:
        x, right = begin / length * WIDTH, end / length * WIDTH
        y, height = SHAPES[css]
        wide = f"{max(right - x, 0.5):.1f}"
        paths.setdefault(css, []).append(f"M{x:.1f} {y}h{wide}v{height}h-{wide}z")
    drawn = "".join(f'<path class="{css}" d="{"".join(parts)}"/>' for css, parts in paths.items())
    return SafeString(f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">{drawn}</svg>')


def _css(one: Segment) -> str:
    if one.kind == LOST and one.cause == Cause.UNNAMED:
        return "lost unnamed"
    return one.kind.replace("_", "-")


def _bar(within: Interval, one: Segment) -> SafeString:
    """Its attributes: numbers, and names of ours."""
    y, height = SHAPES[_css(one)]
    x, width = ((part / within.length) * WIDTH for part in (one.begin - within.begin, one.end - one.begin))
    return SafeString(f'class="{_css(one)}" x="{x:.2f}" y="{y}" width="{max(width, 0.5):.2f}" height="{height}"')


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
