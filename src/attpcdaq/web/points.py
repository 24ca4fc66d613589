"""Values over runs as SVG, drawn here: points that say what they are, and a line between neighbours; pure.

As in plots.py text and points keep their size whatever the width: places are percentages, only the line is stretched.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

HEIGHT, TOP, BOTTOM = 190, 12, 24
WIDE = 1000
MOST_WORDS = 12
"""Different words that can be told apart in a plot."""
EDGE = 0.02
LARGEST = 1e300
LEAST = 1e-290
NO_SPAN = 1e-13
"""Of the value itself: what differs by less differs by how numbers are kept."""


class Point(NamedTuple):
    """`at` on the axis below, from 0 to 1; `place`, from 0, tells neighbours: one more than the point before."""

    at: float
    value: float
    title: str
    place: int


@dataclass(frozen=True, slots=True)
class Scale:
    """From the lowest to the highest value that is drawn, with marks and what is written beside them."""

    low: float
    high: float
    marks: Sequence[tuple[float, str]]
    above: float = 3.0
    """How far above its mark the text stands: words are long, and points begin beside them."""

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def numbers(values: Sequence[float], words: Callable[[float], str]) -> Scale:
    """A scale with three to six round marks, all values (below LARGEST) inside."""
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    if high - low <= largest * NO_SPAN or high - low < LEAST:
        edge = largest * 0.1 if largest > LEAST else 1.0
        low, high = low - edge, high + edge
    step = round_step((high - low) / 4)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    count = round((high - low) / step)
    return Scale(low, high, [(low + n * step, words(low + n * step)) for n in range(count + 1)])


def round_step(wish: float) -> float:
    """The next 1, 2 or 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(wish))
    return next((power * factor for factor in (1.0, 2.0, 5.0) if power * factor >= wish * (1 - 1e-9)), power * 10)


def categories(texts: Sequence[str]) -> Scale:
    """One mark for each different text, the first at the bottom."""
    return Scale(-0.5, len(texts) - 0.5, [(float(place), text) for place, text in enumerate(texts)], above=7.0)


def run_marks(low: int, high: int) -> list[tuple[float, str]]:
    """Round run numbers with their place from 0 to 1."""
    step = max(1, round(round_step((high - low) / 6))) if high > low else 1
    first = math.ceil(low / step) * step
    return [(share(number, low, high), str(number)) for number in range(first, high + 1, step)]


def share(value: float, low: float, high: float) -> float:
    """Where a value is on the axis below, from 0 to 1, a little away from both ends; the middle of no axis."""
    return 0.5 if high <= low else EDGE + (1 - 2 * EDGE) * (value - low) / (high - low)


def drawn(label: str, points: Sequence[Point], scale: Scale, marks: Sequence[tuple[float, str]]) -> SafeString:
    """The plot; `label` tells a screen reader what it shows."""
    foot = HEIGHT - BOTTOM
    parts = [f'<svg class="plot-area points" width="100%" height="{HEIGHT}" role="img" aria-label="{escape(label)}">']
    for value, _ in scale.marks:
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{scale.y(value):.1f}" y2="{scale.y(value):.1f}"/>')
    parts += _drawn(points, scale)
    parts += [
        f'<text x="2" y="{scale.y(value) - scale.above:.1f}">{escape(text)}</text>' for value, text in scale.marks
    ]
    for at, text in marks:
        x = f"{100 * at:.2f}%"
        parts.append(f'<text class="time" x="{x}" y="{HEIGHT - 6}" text-anchor="middle">{escape(text)}</text>')
        parts.append(f'<line class="tick" x1="{x}" x2="{x}" y1="{foot}" y2="{foot + 4}"/>')
    return mark_safe("".join(parts) + "</svg>")  # noqa: S308  # every text was escaped above


def _drawn(points: Sequence[Point], scale: Scale) -> list[str]:
    """The line and its points in one pass, for there may be thousands.

    The line goes between points of neighbouring places; it is broken where one has no value.
    """
    steps: list[str] = []
    circles: list[str] = []
    last, y_of = -2, scale.y
    for at, value, title, place in points:
        y = f"{y_of(value):.1f}"
        steps.append(f"{'L' if place == last + 1 else 'M'}{WIDE * at:.0f} {y}")
        circles.append(f'<circle cx="{100 * at:.2f}%" cy="{y}" r="3.5"><title>{escape(title)}</title></circle>')
        last = place
    frame = f'<svg x="0" y="0" width="100%" height="{HEIGHT}" viewBox="0 0 {WIDE} {HEIGHT}" preserveAspectRatio="none">'
    return [f'{frame}<path class="curve faint" d="{"".join(steps)}"/></svg>', *circles]
