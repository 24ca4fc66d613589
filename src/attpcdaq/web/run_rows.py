"""The runs of the run list as rows of a table, written here: a template takes most of the page's time for fifty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.timezone import localtime

from attpcdaq.runlog.models import Run, RunClass, RunState
from attpcdaq.web.templatetags import daq_tags as words

STATES = {str(value): escape(str(label)) for value, label in RunState.choices}
CLASSES = {str(value): escape(str(label)) for value, label in RunClass.choices}
CURRENT = ' class="current"'
LONGEST = 160


@dataclass(frozen=True, slots=True)
class Line:
    """A run as the list shows it; `address` is that of its page, `missing` what its sheet lacks."""

    run: Run
    address: str
    verdict: str
    missing: Sequence[str]


def run_rows(lines: Iterable[Line]) -> SafeString:
    """One below the other."""
    return mark_safe("".join(map(_row, lines)))  # noqa: S308  # every text was escaped


def _row(line: Line) -> str:
    run, address = line.run, escape(line.address)
    start = localtime(run.started_at) if run.started_at else None
    began = f'<time datetime="{start.isoformat()}">{start.day} {start:%b %Y %H:%M:%S}</time>' if start else "–"
    # Counted when they are moved.
    known = run.data_files or not run.is_open
    files, size = (str(run.data_files), words.human_bytes(run.data_bytes)) if known else ("–", "–")
    problem = run.verdict if len(run.verdict) <= LONGEST else Truncator(run.verdict).chars(LONGEST)
    return (
        f"<tr{CURRENT * run.is_open}>"
        f'<td class="num"><a class="strong" href="{address}">Run {run.number}</a></td>'
        f"<td>{_badge(words.run_level(run.state), STATES[run.state])}</td>"
        f'<td data-label="Data">{_verdict(line.verdict)}</td><td data-label="Class">{CLASSES[run.run_class]}</td>'
        f'<td class="wrap">{escape(run.title)}{_incomplete(line.missing, address)}</td>'
        f'<td data-label="Start">{began}</td><td class="num" data-label="Duration">{_duration(run)}</td>'
        f'<td class="num" data-label="Files">{files}</td><td class="num" data-label="Size">{size}</td>'
        f'<td class="wrap"><span class="problem">{escape(problem)}</span></td></tr>'
    )


def _badge(level: str, text: str, more: str = "") -> str:
    return f'<span class="badge" data-level="{level}"{more}>{text}</span>'


def _verdict(verdict: str) -> str:
    if not verdict:
        return ""
    return _badge(words.verdict_level(verdict), escape(words.verdict_label(verdict)), f' data-verdict="{verdict}"')


def _incomplete(missing: Sequence[str], address: str) -> str:
    if not missing:
        return ""
    said = escape(f"Not filled in: {', '.join(missing)}")
    return (
        f' <a class="badge" data-level="warn" data-missing href="{address}#sheet-section" title="{said}">'
        "Sheet incomplete</a>"
    )


def _duration(run: Run) -> str:
    """Of one that goes on the page counts it."""
    if run.started_at is None:
        return "" if run.stopped_at else "–"
    if run.stopped_at is None:
        return f'<time data-duration="{words.epoch(run.started_at)}"></time>'
    return words.duration((run.stopped_at - run.started_at).total_seconds())
