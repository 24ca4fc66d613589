"""Plots as SVG, drawn here: no script is needed to see them; pure. Colours and strokes are daq.css's.

The curve is stretched to the width of the page while text and lines keep their size: an outer SVG without a view box
holds text at percentages, an inner one with a view box holds the curve.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

WIDE, HIGH = 1000, 100
HEIGHT, SMALL_HEIGHT = 132, 40
TOP, BOTTOM = 10, 22
TIME_STEPS = (5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
MOST_TIMES = 6
EDGE = 3.0
# What is smaller is nothing.
LEAST = 1e-6

Value = tuple[float, float, float]
"""Epoch in s, what was seen until then, and for how many seconds."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From when to when (epoch, s), in steps of so many seconds."""

    begin: float
    end: float
    step: float

    def place(self, at: float) -> float:
        """0 at the left, 1 at the right."""
        return (at - self.begin) / max(self.end - self.begin, 1e-9)

    def times(self) -> list[tuple[float, str]]:
        """At most MOST_TIMES round times: (percent, words)."""
        span = self.end - self.begin
        step = next((one for one in TIME_STEPS if span / one <= MOST_TIMES), math.ceil(span / MOST_TIMES))
        zone = localtime(_moment(self.begin)).utcoffset() or timedelta()
        first = math.ceil((self.begin + zone.total_seconds()) / step) * step - zone.total_seconds()
        places = [first + n * step for n in range(int(max(self.end - first, 0) / step) + 1)]
        shape = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
        marked = [(100 * self.place(at), localtime(_moment(at)).strftime(shape)) for at in places]
        return [(percent, words) for percent, words in marked if EDGE <= percent <= 100 - EDGE]


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line; `faint` where it is only there to compare with."""

    values: Sequence[Value]
    faint: bool = False


def plot(label: str, curves: Iterable[Curve], axis: Axis, words: Callable[[float], str]) -> SafeString:
    """A plot with axes; `label` tells a screen reader what it shows, `words` writes a value."""
    curves = list(curves)
    top = ceiling(max((value for curve in curves for _, value, _ in curve.values), default=0.0))
    inner = HEIGHT - TOP - BOTTOM
    ticks = [(TOP + inner * (1 - share), words(top * share)) for share in (1.0, 0.5, 0.0)]
    lines = format_html_join("", '<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>', [[y] for y, _ in ticks])
    texts = format_html_join("", '<text x="2" y="{}">{}</text>', [(y - 3, text) for y, text in ticks[:2]])
    drawn = _curves(curves, axis, top, y=TOP, height=inner)
    return _svg(format_html("{}{}{}{}", lines, drawn, texts, _times(axis)), label, HEIGHT)


def small(label: str, values: Sequence[Value], axis: Axis, top: float) -> SafeString:
    """A plot without axes, one of many of the same height: `top` is what they have in common."""
    line = format_html('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>', SMALL_HEIGHT - 1)
    drawn = _curves([Curve(values)], axis, top, y=2, height=SMALL_HEIGHT - 4)
    return _svg(format_html("{}{}", line, drawn), label, SMALL_HEIGHT)


def ceiling(highest: float) -> float:
    """The end of an axis: a round number that is not below, and never 0."""
    if not math.isfinite(highest) or highest < LEAST:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next((power * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8) if power * factor >= highest), power * 10)


def path(values: Iterable[Value], axis: Axis, top: float) -> str:
    """The line through the values, broken where nothing was seen; what was seen once is a short stroke."""
    parts: list[str] = []
    last: float | None = None
    for at, value, seconds in values:
        x, y = WIDE * axis.place(at), HIGH * (1 - min(max(value / top, 0.0), 1.0))
        joined = last is not None and at - last <= 1.5 * seconds + axis.step
        parts.append(f"L{x:.0f} {y:.1f}" if joined else f"M{x:.0f} {y:.1f}h1")
        last = at
    return "".join(parts)


def _times(axis: Axis) -> SafeString:
    shape = (
        '<text class="time" x="{0}%" y="{1}" text-anchor="middle">{2}</text>'
        '<line class="tick" x1="{0}%" x2="{0}%" y1="{3}" y2="{4}"/>'
    )
    foot = HEIGHT - BOTTOM
    return format_html_join("", shape, [(f"{x:.2f}", HEIGHT - 6, text, foot, foot + 4) for x, text in axis.times()])


def _curves(curves: Iterable[Curve], axis: Axis, top: float, *, y: int, height: int) -> SafeString:
    drawn = [(" faint" if curve.faint else "", path(curve.values, axis, top)) for curve in curves if curve.values]
    paths = format_html_join("", '<path class="curve{}" d="{}"/>', drawn)
    frame = '<svg x="0" y="{}" width="100%" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    return format_html(frame, y, height, WIDE, HIGH, paths)


def _svg(inside: SafeString, label: str, height: int) -> SafeString:
    frame = '<svg class="plot-area" width="100%" height="{}" role="img" aria-label="{}">{}</svg>'
    return format_html(frame, height, label, inside)
