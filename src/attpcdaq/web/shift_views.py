"""Shifts as the API gives them."""

from typing import Any

from attpcdaq.runlog import manifests
from attpcdaq.shifts.checklist import BY_HAND, Item
from attpcdaq.shifts.hand_over import HandOver, RunLine
from attpcdaq.shifts.models import Note, Shift
from attpcdaq.shifts.problems import Problem
from attpcdaq.shifts.reckoning import Line, Reckoned, Sums
from attpcdaq.web import api_shift_schemas as schemas
from attpcdaq.web.shift_gaps import CAUSES, gap_lines
from attpcdaq.web.templatetags.daq_tags import manual_link
from attpcdaq.web.templatetags.shift_tags import when

SHIFT_FIELDS = ("id", "crew", "began_at", "began_by", "ended_at", "ended_by", "hand_over")
GAP_FIELDS = ("begin", "end", "seconds", "experiment", "after", "cause", "comment", "by")


def shift_out(shift: Shift) -> schemas.ShiftOut:
    """In a list."""
    return schemas.ShiftOut(**_shift(shift))


def _shift(shift: Shift) -> dict[str, Any]:
    experiment = shift.experiment.name if shift.experiment else None
    return {name: getattr(shift, name) for name in SHIFT_FIELDS} | {"experiment": experiment}


def detail_out(made: HandOver) -> schemas.ShiftDetail:
    """With everything of its hand-over."""
    return schemas.ShiftDetail(
        **_shift(made.shift),
        sums=sums_out(made.reckoned.sums),
        runs=[_run(line) for line in made.runs],
        gaps=gaps_out(made.reckoned),
        problems=[_problem(problem) for problem in made.problems],
        notes=[note_out(note) for note in made.notes],
    )


def sums_out(sums: Sums) -> schemas.SumsOut:
    """Every line, those of 0 s too."""
    names = ("length", "running", "lost", "not_watched", "unseen_runs")
    return schemas.SumsOut(**{name: getattr(sums, name) for name in names}, lines=[_line(one) for one in sums.lines])


def _line(line: Line) -> schemas.LineOut:
    fields = {name: getattr(line, name) for name in ("kind", "cause", "label", "seconds")}
    return schemas.LineOut(**fields, share=round(line.share, 6), details=list(line.details))


def _run(line: RunLine) -> schemas.ShiftRunOut:
    run = line.run
    names = ("number", "title", "run_class", "state", "started_at", "stopped_at", "verdict")
    return schemas.ShiftRunOut(
        **{name: getattr(run, name) for name in names},
        experiment=run.experiment.name,
        data_verdict=manifests.verdict_on(run),
        sheet_lacks=list(line.without),
    )


def _problem(problem: Problem) -> schemas.ProblemOut:
    return schemas.ProblemOut(level=problem.level, text=problem.text, manual=manual_link(problem.anchor))


def gaps_out(made: Reckoned) -> list[schemas.GapOut]:
    """The first first."""
    return [
        schemas.GapOut(**{name: getattr(gap, name) for name in GAP_FIELDS}, seen=list(gap.seen))
        for gap in gap_lines(made)
    ]


def note_out(note: Note) -> schemas.NoteOut:
    """Its run is loaded."""
    run = note.run
    return schemas.NoteOut(
        id=note.pk,
        at=note.at,
        by=note.by,
        text=note.text,
        experiment=run.experiment.name if run else None,
        run=run.number if run else None,
        shift=note.shift_id,
    )


def checklist_out(shift: Shift | None, items: tuple[Item, ...]) -> schemas.ChecklistOut:
    """What the DAQ tells now; the ticks of the shift."""
    kept: dict[str, Any] = shift.checks if shift else {}
    return schemas.ChecklistOut(
        shift=shift.pk if shift else None,
        items=[schemas.CheckOut(key=one.key, label=one.label, level=one.level, text=one.text) for one in items],
        by_hand=[_tick(each.key, each.label, kept.get(each.key, {})) for each in BY_HAND],
    )


def _tick(key: str, label: str, kept: dict[str, Any]) -> schemas.TickOut:
    done = bool(kept.get("ok"))
    by, at = (kept["by"], when(kept["at"])) if done else ("", None)
    return schemas.TickOut(key=key, label=label, done=done, by=by, at=at)


def causes_out() -> list[schemas.CauseOut]:
    """Those that the crew may name."""
    return [schemas.CauseOut(cause=value, label=label) for value, label in CAUSES]
