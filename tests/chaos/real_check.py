"""What the run log says against what the boards did: the checker knows the tables and the simulator's journal only."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

RUNS = """SELECT r.*, e.name AS experiment, extract(epoch FROM requested_at) AS asked,
    extract(epoch FROM started_at) AS began,
    extract(epoch FROM CASE WHEN state = 'closed' THEN coalesce(stopped_at, files_asked_at) END) AS ended
    FROM runlog_run r JOIN runlog_experiment e ON e.id = r.experiment_id ORDER BY r.id"""
COMMANDS = """SELECT id, action, state, extract(epoch FROM requested_at) AS asked,
    extract(epoch FROM expires_at) AS until, extract(epoch FROM finished_at) AS ended
    FROM runcontrol_command ORDER BY requested_at"""
STEPS = """SELECT command_id, server_name, transition, state FROM runcontrol_step"""
NUMBER = {"Describe": 1, "Prepare": 2, "Configure": 3, "Start": 4, "Stop": 5, "Breakup": 8, "Undo": 9}
# Between what a board does and when somebody writes it down.
TOLERANCE = 4.0
FOREVER = float("inf")


@dataclass(frozen=True)
class Rows:
    """What the queries above give."""

    runs: Sequence[dict[str, Any]]
    commands: Sequence[dict[str, Any]]
    steps: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Spell:
    """A board that ran, from and until."""

    board: str
    began: float
    ended: float


@dataclass
class Found:
    """What is wrong, each in words."""

    false: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    runs: int = 0
    calls: int = 0

    def all(self) -> list[str]:
        kinds = ("false", "lost", "duplicate", "late", "stuck")
        return [f"{kind}: {text}" for kind in kinds for text in getattr(self, kind)]


def check(database_url: str, journal: Sequence[dict[str, Any]], boards: int) -> Found:
    """Everything that the records and the journal do not agree on."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        rows = Rows(*(list(connection.execute(query)) for query in (RUNS, COMMANDS, STEPS)))
    return compare(rows, journal, boards)


def compare(rows: Rows, journal: Sequence[dict[str, Any]], boards: int) -> Found:
    """The same for records that were read already."""
    runs, commands, steps = rows.runs, rows.commands, rows.steps
    calls = [one for one in journal if one["kind"] == "call" and one["operation"] in NUMBER]
    found = Found(runs=len(runs), calls=len(calls))
    spells = spells_of(journal)
    _runs_that_happened(runs, spells, boards, found)
    _spells_have_runs(runs, spells, found)
    numbers = Counter((run["experiment"], run["number"]) for run in runs)
    found.duplicate += [f"run {number} of {name}" for (name, number), count in numbers.items() if count > 1]
    _calls_were_in_time(calls, commands, steps, found)
    _nothing_is_left(runs, commands, steps, found)
    return found


def spells_of(journal: Sequence[dict[str, Any]]) -> list[Spell]:
    """When each board ran; a board that still runs has no end yet."""
    open_since: dict[str, float] = {}
    spells = []
    for entry in journal:
        if entry["kind"] != "board":
            continue
        began = open_since.pop(entry["subject"], None)
        if began is not None:
            spells.append(Spell(entry["subject"], began, entry["at"]))
        if entry["did"] == "started":
            open_since[entry["subject"]] = entry["at"]
    return spells + [Spell(board, began, FOREVER) for board, began in open_since.items()]


def _runs_that_happened(runs: Sequence[Any], spells: Sequence[Spell], boards: int, found: Found) -> None:
    for run in runs:
        name = f"run {run['number']} ({run['state']}; {run['verdict']})"
        began = None if run["began"] is None else float(run["began"])
        if began is not None:
            running = {s.board for s in spells if s.began <= began + TOLERANCE and s.ended >= began - TOLERANCE}
            if len(running) < boards and not run["adopted"]:
                found.false.append(f"{name} is said to have run, with only {len(running)} boards running")
        elif run["state"] == "closed" and not run["verdict"]:
            found.false.append(f"{name} is closed without a start and without a word")


def _spells_have_runs(runs: Sequence[Any], spells: Sequence[Spell], found: Found) -> None:
    for spell in spells:
        covering = [run for run in runs if run["state"] != "failed" and _covers(run, spell)]
        if not covering:
            found.lost.append(f"{spell.board} ran from {spell.began:.1f} to {spell.ended:.1f}, in no run")


def _covers(run: Any, spell: Spell) -> bool:
    """Whether the board began to run in this run's time, and ended before the run was over."""
    ended = FOREVER if run["ended"] is None else float(run["ended"])
    return float(run["asked"]) - TOLERANCE <= spell.began and spell.ended <= ended + TOLERANCE


def _calls_were_in_time(calls: Sequence[Any], commands: Sequence[Any], steps: Sequence[Any], found: Found) -> None:
    """Each call belongs to a command that was asked for before, and the command's first call came before its end."""
    wants: dict[Any, set[tuple[str, int]]] = {}
    for step in steps:
        wants.setdefault(step["command_id"], set()).add((step["server_name"], step["transition"]))
    begun: set[Any] = set()
    for call in calls:
        what, at = (call["subject"], NUMBER[call["operation"]]), call["at"]
        asked = [c for c in commands if float(c["asked"]) <= at and what in wants.get(c["id"], ())]
        if not asked:
            found.late.append(f"{call['subject']} {call['operation']}: nobody asked for it")
            continue
        command = asked[-1]
        if command["id"] not in begun and at > float(command["until"]):
            found.late.append(
                f"{call['subject']} {call['operation']}: {at - float(command['until']):.1f} s after its expiry"
            )
        begun.add(command["id"])


def _nothing_is_left(runs: Sequence[Any], commands: Sequence[Any], steps: Sequence[Any], found: Found) -> None:
    found.stuck += [f"{c['action']} is {c['state']}" for c in commands if c["state"] in ("queued", "running")]
    found.stuck += [f"a step of {s['server_name']} is sent" for s in steps if s["state"] == "sent"]
    found.stuck += [
        f"run {run['number']} is {run['state']}" for run in runs if run["state"] not in ("closed", "failed")
    ]
