"""The days of a beam time as rows of a table, written here: a season has fifty."""

from bisect import bisect_left
from html import escape
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from attpcdaq.runlog.models import Experiment
from attpcdaq.shifts.accounting import Segment
from attpcdaq.shifts.reckoning import Day, Reckoned
from attpcdaq.shifts.spans import Interval
from attpcdaq.web.shift_strip import outline, strip
from attpcdaq.web.templatetags.daq_tags import duration
from attpcdaq.web.templatetags.shift_tags import lost_most


def day_rows(made: Reckoned, experiment: Experiment) -> SafeString:
    """Each leads to its own page; a day alone tells what each of its stretches is."""
    begins = [one.begin for one in made.segments]
    links = reverse("runs"), reverse("shift-log-book")
    rows = []
    for day in made.days:
        # All are cut at midnight.
        stretches = made.segments[bisect_left(begins, day.begin) : bisect_left(begins, day.end)]
        rows.append(_row(day, stretches, experiment.name, links, is_alone=len(made.days) == 1))
    return mark_safe("".join(rows))  # noqa: S308  # every text was escaped


def _row(day: Day, stretches: tuple[Segment, ...], experiment: str, links: tuple[str, str], *, is_alone: bool) -> str:
    (runs, log_book), at, within = links, localtime(day.begin), Interval(day.begin, day.end)
    name = f"{at.day} {at:%b}"
    query = escape(urlencode({"experiment": experiment, "since": day.day, "until": day.day}))
    drawn = strip(within, stretches) if is_alone else _linked(query, outline(within, stretches))
    sums = (("Running", day.sums.running), ("Lost", day.sums.lost), ("Not watched", day.sums.not_watched))
    figures = "".join(f'<td class="num" data-label="{label}">{duration(seconds)}</td>' for label, seconds in sums)
    most = ", ".join(f"{escape(line.label)} {duration(line.seconds)}" for line in lost_most(day.sums))
    head = f"{at:%a} {name}" if is_alone else f'<a href="?{query}">{at:%a} {name}</a>'
    return (
        f'<tr><td class="wide"><span class="strong">{head}</span> <span class="day-links no-print">'
        f'<a href="{runs}?{query}" aria-label="Runs of {name}">runs</a> '
        f'<a href="{log_book}?day={day.day}&amp;format=html" download'
        f' aria-label="Log book of {name}">log book</a></span></td>'
        f'{figures}<td class="strip-cell wide">{drawn}</td><td class="wrap">{most}</td></tr>'
    )


def _linked(query: str, drawn: SafeString) -> str:
    """For who sees it and points at it: the day's name leads there too, and the figures beside it say the same."""
    return f'<a href="?{query}" tabindex="-1" aria-hidden="true">{drawn}</a>'
