"""Shifts, notes, beam time and the log book."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import click

from attpcdaq_client.areas.shifts import BeamTime, Checklist, Gap, Note, ShiftDetail, Sums
from attpcdaq_client.commands.files import output, write
from attpcdaq_client.commands.framework import DaqCommand, DaqGroup, Session, pass_session
from attpcdaq_client.commands.run_filter import DAY, experiment
from attpcdaq_client.commands.text import clean, lasting, pairs, table, when

run_option = click.option("--run", type=click.IntRange(min=1), default=None, metavar="NUMBER")
shift_option = click.option("--shift", type=click.IntRange(min=1), default=None, metavar="ID")


@click.group(cls=DaqGroup)
def shift() -> None:
    """Shifts: begin, check, hand-over, end, show, list."""


@shift.command("begin")
@click.argument("crew")
@click.option("--instead-of", type=int, default=None, metavar="ID", help="Of the shift that is on, which ends now.")
@pass_session
def _begin(session: Session, crew: str, instead_of: int | None) -> None:
    """Begin a shift of this CREW."""
    begun = session.client.shifts.begin(crew, instead_of=instead_of)
    session.did(begun, f"Shift {begun.id} of {clean(begun.crew)} has begun.")


@shift.command("end")
@click.option("--hand-over", default=None, help="For the next crew; default: as it is written.")
@pass_session
def _end(session: Session, hand_over: str | None) -> None:
    """End the shift that is on."""
    ended = session.client.shifts.end(hand_over)
    session.did(ended, f"Shift {ended.id} of {clean(ended.crew)} has ended.")


@shift.command("hand-over")
@click.argument("text")
@pass_session
def _hand_over(session: Session, text: str) -> None:
    """Write what the next crew has to know."""
    session.did(session.client.shifts.hand_over(text), "Written for the next crew.")


@shift.command("check")
@click.option("--tick", "ticked", multiple=True, metavar="ITEM", help="You looked at it; may be repeated.")
@click.option("--untick", "unticked", multiple=True, metavar="ITEM")
@pass_session
def _check(session: Session, ticked: tuple[str, ...], unticked: tuple[str, ...]) -> None:
    """The checklist: what the DAQ tells of itself, and what people look at."""
    ticks = dict.fromkeys(ticked, True) | dict.fromkeys(unticked, False)
    found = session.client.shifts.tick(ticks) if ticks else session.client.shifts.checks()
    session.show(found, lambda: _checklist(found))


def _checklist(found: Checklist) -> list[str]:
    items = [(item.level, item.label, item.text) for item in found.items]
    ticks = [(item.key, item.done, item.label, item.by) for item in found.by_hand]
    return [*table(("is", "of the daq", "tells"), items), "", *table(("item", "done", "by hand", "by"), ticks)]


@shift.command("show")
@click.argument("shift_id", type=int, required=False, metavar="[ID]")
@pass_session
def _show(session: Session, shift_id: int | None) -> None:
    """The hand-over of a shift; without an ID of the one that is on."""
    shifts = session.client.shifts
    found = shifts.current() if shift_id is None else shifts.one(shift_id)
    session.show(found, lambda: _shift(found))


def _shift(found: ShiftDetail) -> list[str]:
    head = [
        ("shift", f"{found.id} of {found.crew}"),
        ("experiment", found.experiment),
        ("began", f"{when(found.began_at)} by {found.began_by}"),
        ("ended", f"{when(found.ended_at)} by {found.ended_by}" if found.ended_at else "it is on"),
        ("hand-over", found.hand_over),
    ]
    runs = [
        (run.number, run.state, run.title, run.data_verdict, ", ".join(run.sheet_lacks), run.verdict)
        for run in found.runs
    ]
    return [
        *pairs(head),
        *_sums(found.sums),
        "",
        *table(("run", "state", "title", "data", "sheet lacks", "problem"), runs, "No runs."),
        "",
        *table(("level", "open problem"), [(each.level, each.text) for each in found.problems], "No open problems."),
        "",
        *_notes(found.notes),
    ]


def _sums(sums: Sums | None) -> list[str]:
    return ["", *pairs((line.label or line.cause, lasting(line.seconds)) for line in sums.lines)] if sums else []


def _notes(notes: list[Note]) -> list[str]:
    rows = [(note.at, note.by, note.run, note.shift, note.text) for note in notes]
    return table(("at", "by", "run", "shift", "note"), rows, "No notes.")


@shift.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@pass_session
def _list(session: Session, limit: int) -> None:
    """Shifts, newest first."""
    found = session.client.shifts.all(limit=limit)
    rows = [(one.id, one.crew, one.experiment, one.began_at, one.ended_at or "is on") for one in found]
    session.show(found, lambda: table(("shift", "crew", "experiment", "began", "ended"), rows, "No shifts."))


@click.command(cls=DaqCommand)
@click.argument("text")
@run_option
@shift_option
@experiment
@pass_session
def note(session: Session, text: str, run: int | None, shift: int | None, experiment: str | None) -> None:
    """Write a note on a run or a shift; without either on what is open and on."""
    made = session.client.shifts.note(text, run=run, shift=shift, experiment=experiment)
    about = [f"run {made.run}" if made.run else "", f"shift {made.shift}" if made.shift else ""]
    session.did(made, f"Noted on {' and '.join(filter(None, about)) or 'the log book'}.")


@click.command(cls=DaqCommand)
@run_option
@shift_option
@experiment
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@pass_session
def notes(session: Session, run: int | None, shift: int | None, experiment: str | None, limit: int) -> None:
    """Notes, newest first."""
    found = session.client.shifts.notes(run=run, shift=shift, experiment=experiment, limit=limit)
    session.show(found, lambda: _notes(found))


@click.command(cls=DaqCommand)
@click.argument("cause")
@click.option("--after", type=click.IntRange(min=1), default=None, metavar="RUN", help="Default: before the first run.")
@click.option("--comment", default="")
@experiment
@pass_session
def gap(session: Session, cause: str, after: int | None, comment: str, experiment: str | None) -> None:
    """Say why no data were taken after a run; CAUSE as `beam-time` lists them, '' takes it back."""
    found = session.client.shifts.name_gap(cause, after=after, comment=comment, experiment=experiment)
    session.show(found, lambda: _beam_time(found))


@click.command("beam-time", cls=DaqCommand)
@experiment
@click.option("--since", type=DAY, default=None, metavar="YYYY-MM-DD")
@click.option("--until", type=DAY, default=None, metavar="YYYY-MM-DD")
@pass_session
def beam_time(session: Session, experiment: str | None, since: datetime | None, until: datetime | None) -> None:
    """What the time of an experiment was spent on."""
    days = {"since": since.date() if since else None, "until": until.date() if until else None}
    found = session.client.shifts.beam_time(experiment=experiment, **days)
    session.show(found, lambda: _beam_time(found))


def _beam_time(found: BeamTime) -> list[str]:
    days = [
        (day.day, lasting(day.sums.running), lasting(day.sums.lost), lasting(day.sums.not_watched))
        for day in found.days
        if day.sums
    ]
    head = f"{clean(found.experiment)}, {when(found.begin)} to {when(found.end)}"
    causes = "Causes that the crew may name: " + ", ".join(clean(each.cause) for each in found.causes)
    return [
        head,
        *_sums(found.sums),
        "",
        *table(("day", "running", "lost", "not watched"), days, "No days."),
        "",
        *table(("after run", "from", "lasted", "cause", "comment", "seen"), map(_gap, found.gaps), "No gaps."),
        "",
        causes,
    ]


def _gap(one: Gap) -> tuple[object, ...]:
    seen = ", ".join(f"{label} {lasting(seconds)}" for label, seconds in one.seen)
    return one.after or "", one.begin, lasting(one.seconds), one.cause, one.comment, seen


@click.command(cls=DaqCommand)
@click.option("--format", "kind", type=click.Choice(["markdown", "html"]), default="markdown", show_default=True)
@shift_option
@click.option("--day", type=DAY, default=None, metavar="YYYY-MM-DD")
@experiment
@output
@pass_session
def elog(
    session: Session,
    kind: Literal["markdown", "html"],
    shift: int | None,
    day: datetime | None,
    experiment: str | None,
    output: Path | None,
) -> None:
    """The log book of a shift, a day, or an experiment, as a file."""
    content = session.client.shifts.elog(kind, shift=shift, day=day.date() if day else None, experiment=experiment)
    write(content, output)
