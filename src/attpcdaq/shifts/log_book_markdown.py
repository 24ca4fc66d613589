"""The log book as Markdown; what people wrote is shown as they wrote it, and never taken as mark-up."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils import timezone

from attpcdaq.runcontrol.planning.amounts import in_bytes
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Manifest, Run
from attpcdaq.shifts.log_book import LogBook, RunPage
from attpcdaq.shifts.models import Note, Shift
from attpcdaq.shifts.reckoning import Sums

SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~&.:@$^=])")


def markdown(book: LogBook) -> str:
    """One document, lines ended by line feeds."""
    return "\n".join(_lines(book)) + "\n"


def verdict_of(run: Run) -> str:
    """On its data, in words; empty where nobody checked them."""
    word = manifests.verdict_on(run)
    if not word:
        return ""
    return "Being checked" if word == manifests.CHECKING else str(Manifest.Verdict(word).label)


def clock(seconds: int) -> str:
    """h:mm:ss."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _lines(book: LogBook) -> Iterator[str]:
    yield f"# {escaped(book.title)}"
    yield ""
    yield f"{_at(book.within.begin)} to {_at(book.within.end)}. Made by the AT-TPC DAQ at {_at(book.made_at)}."
    yield ""
    yield from _sums(book.reckoned.sums)
    for shift in book.shifts:
        yield from _shift(shift)
    yield from _runs(book)
    yield from _notes("## Notes", book.notes)
    yield from _events(book)


def _sums(sums: Sums) -> Iterator[str]:
    yield "## Time"
    yield ""
    yield "| | h:mm:ss | % |"
    yield "|---|---:|---:|"
    for line in sums.lines:
        yield f"| {escaped(line.label)} | {clock(line.seconds)} | {100 * line.share:.1f} |"
        for detail, seconds in line.details:
            if detail:
                yield f"| – {escaped(detail)} | ({clock(seconds)}) | |"
    yield f"| **Together** | **{clock(sums.length)}** | |"
    yield ""


def _shift(shift: Shift) -> Iterator[str]:
    end = _at(shift.ended_at) if shift.ended_at else "now"
    yield f"## Shift of {escaped(shift.crew)}"
    yield ""
    yield f"{_at(shift.began_at)} to {end}"
    yield ""
    if shift.hand_over:
        yield "For the next crew:"
        yield ""
        yield from _quoted(shift.hand_over)
    if shift.problems:
        yield "Left open:"
        yield ""
        yield from (f"- {escaped(problem['text'])}" for problem in shift.problems)
        yield ""


def _runs(book: LogBook) -> Iterator[str]:
    yield "## Runs"
    yield ""
    if not book.runs:
        yield "No run."
        yield ""
        return
    yield "| Run | Class | Title | Start | Duration | Data | Verdict |"
    yield "|---:|---|---|---|---:|---:|---|"
    for page in book.runs:
        run, time = page.run, clock(page.seconds) if page.seconds is not None else "–"
        cells = (run.number, run.get_run_class_display(), escaped(run.title), _at(run.started_at), time)
        yield f"| {' | '.join(map(str, cells))} | {in_bytes(run.data_bytes)} | {verdict_of(run) or '–'} |"
    yield ""
    for page in book.runs:
        yield from _run(page)


def _run(page: RunPage) -> Iterator[str]:
    run = page.run
    yield f"### {escaped(run.experiment.name)} run {run.number}" + (f": {escaped(run.title)}" if run.title else "")
    yield ""
    yield f"- {run.get_state_display()}, {run.get_run_class_display().lower()}"
    yield f"- Start {_at(run.started_at)}, stop {_at(run.stopped_at)}"
    if run.operator:
        yield f"- Started by {escaped(run.operator.get_username())}"
    for name, value in page.measured:
        yield f"- {escaped(name)}: {escaped(value)}"
    if page.without:
        yield f"- Missing on the sheet: {escaped(', '.join(page.without))}"
    for name, why in run.excluded.items():
        yield f"- Without {escaped(name)}: {escaped(str(why.get('reason', '')))}"
    if run.verdict:
        yield f"- What went wrong: {escaped(run.verdict)}"
    yield ""
    if run.notes:
        yield from _quoted(run.notes)
    yield from _notes("", page.notes)


def _notes(heading: str, notes: Iterable[Note]) -> Iterator[str]:
    rows = list(notes)
    if rows and heading:
        yield heading
        yield ""
    for note in rows:
        yield f"**{_at(note.at)}, {escaped(note.by)}**"
        yield ""
        yield from _quoted(note.text)


def _events(book: LogBook) -> Iterator[str]:
    if not book.events:
        return
    yield "## Warnings and errors"
    yield ""
    for event in book.events:
        yield f"- {_at(event.at)} {event.severity}: {escaped(f'{event.subject} {event.text}'.strip())}"
    if book.more_events:
        yield f"- and {book.more_events} more"
    yield ""


def _quoted(text: str) -> Iterator[str]:
    """Each line as it was written; two blanks at its end keep the break."""
    for line in text.split("\n"):
        yield f"> {escaped(line)}  " if line else ">"
    yield ""


def escaped(text: str) -> str:
    """Text that shows as it is wherever it stands, in a table too."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split("\n")))


def _at(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else "–"
