"""A run's operation as SVG, drawn here: no script is needed to see it; pure. Colours are runs.css's.

Everything is placed in percent of the width, so that text keeps its size. What a drawing shows is in a table too.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from attpcdaq.runcontrol.seeing.timeline import Call, Order, Phase, Timeline, seconds_between
from attpcdaq.web.templatetags.run_tags import seconds_short

STRIP_HEIGHT, LANE_HEIGHT, TICKS_HEIGHT = 30, 18, 18
# Narrower than so many percent there is no room for its name.
ROOM = 14.0
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400)
MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Lane:
    """One ECC server's calls within a command."""

    server: str
    drawing: SafeString


@dataclass(frozen=True, slots=True)
class Drawn:
    """A command with its drawing; without calls there are no lanes."""

    order: Order
    lanes: tuple[Lane, ...]
    ticks: SafeString


def strip(found: Timeline) -> SafeString:
    """The phases of the whole run side by side, and marks where something was asked for."""
    span = (found.end - found.begin).total_seconds()
    phases = [each for each in found.phases if each.begin < found.end]
    drawn = format_html_join("", "{}", ([_phase(each, found, span)] for each in phases))
    marks = format_html_join("", "{}", ([_mark(each, found, span)] for each in found.orders))
    label = f"The run from {found.begin:%H:%M:%S} to {found.end:%H:%M:%S} UTC, phase by phase"
    return _svg(format_html("{}{}", drawn, marks), STRIP_HEIGHT, label)


def _phase(phase: Phase, found: Timeline, span: float) -> SafeString:
    begin = _percent(phase.begin, found.begin, span)
    wide = max(_percent(min(phase.end or found.end, found.end), found.begin, span) - begin, 0.0)
    told = f"{phase.name} {seconds_short(seconds_between(phase.begin, phase.end or found.end))}"
    shape = '<rect class="phase" data-phase="{}" x="{}%" y="6" width="{}%" height="18"><title>{}</title></rect>{}'
    text = format_html('<text x="{}%" y="19" text-anchor="middle">{}</text>', f"{begin + wide / 2:.2f}", phase.name)
    return format_html(shape, phase.name, f"{begin:.2f}", f"{wide:.2f}", told, text if wide > ROOM else "")


def _mark(order: Order, found: Timeline, span: float) -> SafeString:
    place = f"{_percent(order.requested_at, found.begin, span):.2f}"
    shape = '<line class="mark" data-bad="{}" x1="{}%" x2="{}%" y1="1" y2="29"><title>{}</title></line>'
    return format_html(shape, "yes" if order.ended_badly else "no", place, place, f"{order.label} by {order.by}")


def drawn(order: Order, now: datetime) -> Drawn:
    """Every server's calls against the seconds since the command was asked for."""
    calls = [call for call in order.calls if call.sent_at]
    end = max([order.finished_at or now, *(call.finished_at for call in calls if call.finished_at)])
    span = max((end - order.requested_at).total_seconds(), 0.1)
    lanes = [
        Lane(server, _lane([call for call in calls if call.server == server], order.requested_at, end, span))
        for server in dict.fromkeys(call.server for call in calls)
    ]
    return Drawn(order, tuple(lanes), _ticks(span))


def _lane(calls: Sequence[Call], begin: datetime, end: datetime, span: float) -> SafeString:
    bars = format_html_join("", "{}", ([_bar(call, begin, end, span)] for call in calls))
    base = format_html('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>', LANE_HEIGHT - 1)
    return _svg(format_html("{}{}", base, bars), LANE_HEIGHT)


def _bar(call: Call, begin: datetime, end: datetime, span: float) -> SafeString:
    left = _percent(call.sent_at or begin, begin, span)
    wide = max(_percent(call.finished_at or end, begin, span) - left, 0.0)
    took = seconds_short(call.seconds) if call.finished_at else "not over"
    told = f"{call.transition} of {call.server}: {call.state}, {took}"
    sign = "✕ " if call.ended_badly else ""
    # A call of no length is seen all the same: the line at its left end.
    shape = (
        '<g class="call" data-state="{}"><title>{}</title><rect x="{}%" y="2" width="{}%" height="13"/>'
        '<line x1="{}%" x2="{}%" y1="2" y2="15"/>{}</g>'
    )
    text = format_html('<text x="{}%" dx="5" y="13">{}{}</text>', f"{left:.2f}", sign, call.transition)
    places = f"{left:.2f}", f"{wide:.2f}", f"{left:.2f}", f"{left:.2f}"
    return format_html(shape, call.state, told, *places, text if wide > ROOM or sign else "")


def _ticks(span: float) -> SafeString:
    step = next((one for one in STEPS if span / one <= MOST_TICKS), math.ceil(span / MOST_TICKS))
    times = [number * step for number in range(int(span / step) + 1)]
    places = [(100 * at / span, f"{at:g} s" if step < 60 else f"{at / 60:g} min") for at in times]
    shape = '<line class="tick" x1="{0}%" x2="{0}%" y1="0" y2="4"/><text x="{0}%" y="15" text-anchor="{1}">{2}</text>'
    shown = [(f"{x:.2f}", "start" if x < 4 else "end" if x > 94 else "middle", text) for x, text in places]
    return _svg(format_html_join("", shape, shown), TICKS_HEIGHT)


def _percent(at: datetime, begin: datetime, span: float) -> float:
    """0 at the left, 100 at the right; what lies outside is at the edge."""
    return 100 * min(max((at - begin).total_seconds() / span, 0.0), 1.0) if span > 0 else 0.0


def _svg(inside: SafeString, height: int, label: str = "") -> SafeString:
    """With a label it is a picture; without one the table beside it says the same."""
    said = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html('<svg class="timeline" width="100%" height="{}" {}>{}</svg>', height, said, inside)


def all_drawn(orders: Iterable[Order], now: datetime) -> list[Drawn]:
    return [drawn(order, now) for order in orders]
