"""The independent checker: compares the run log with what the boards really did. It knows nothing of run control."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from get_protocol.state_machine import Transition
from tests.chaos.evidence import Evidence, RunRow
from tests.chaos.truth import Spell

SLACK = 2.0
ALARM_WITHIN = 10.0
LOOK_EVERY = 2.5
LATE_SLACK = 0.5
SEEN_WITHIN = 0.5
OVER_SLACK = 0.5
CLOCK_SLACK = 5.5
AFTER_STOP = 0.6
OVER = ("closed", "failed")
KINDS = ("false", "lost", "duplicate", "late", "stuck")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken: one of KINDS, the rule's short name, and what happened."""

    kind: str
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.rule}): {self.text}"


def check(evidence: Evidence) -> list[Finding]:
    """Every breach in one cycle."""
    rules: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
        started_as_recorded,
        stopped_as_recorded,
        nothing_failed_that_ran,
        ok_means_data,
        files_are_where_the_log_says,
        every_frame_is_once_in_its_run,
        data_without_a_run_raise_an_alarm,
        numbers_are_used_once,
        nothing_fires_late,
        nothing_starts_after_a_stop,
        one_call_at_a_time,
        nothing_is_left_under_way,
    )
    return [finding for rule in rules for finding in rule(evidence)]


# false: recorded, and not so


def started_as_recorded(evidence: Evidence) -> Iterator[Finding]:
    """A run that says when it was running: by then every board of it had begun to take data."""
    for run in evidence.runs:
        if run.started is None:
            continue
        since = evidence.began - SLACK if run.adopted else run.requested - SLACK
        for board in run.boards:
            ran = any(s.board == board and since <= s.on <= run.started + SLACK for s in evidence.spells)
            if not ran and not (run.adopted and _named(run, board, evidence)):
                yield Finding("false", "started", f"run {run.number} is recorded as running, but {board} never ran")


def stopped_as_recorded(evidence: Evidence) -> Iterator[Finding]:
    """A run that is over: no board of it sends any more, unless its verdict names that board."""
    for run in evidence.runs:
        if run.over is None or run.state not in OVER:
            continue
        for spell in _of(run, evidence):
            # A board that is still armed, with nobody to trigger it, takes nothing.
            if (spell.last or 0.0) > run.over + OVER_SLACK and not _named(run, spell.board, evidence):
                yield Finding("false", "stopped", f"run {run.number} is recorded as over at {run.over:.2f}: {spell}")


def nothing_failed_that_ran(evidence: Evidence) -> Iterator[Finding]:
    """A failed run is one of which no board took anything."""
    for run in evidence.runs:
        for spell in _of(run, evidence) if run.state == "failed" else ():
            yield Finding("lost", "failed", f"run {run.number} is recorded as failed: {spell}")


def ok_means_data(evidence: Evidence) -> Iterator[Finding]:
    """The page may say that all is well with a run only while the frames of all its boards reach a disk."""
    for look in evidence.looks:
        run = next((r for r in evidence.runs if r.started and r.started <= look.at <= (r.stopped or look.at)), None)
        if run is None or look.run != "running" or look.alarmed:
            continue
        for board in run.boards:
            if board not in evidence.router_of:
                continue
            frames = (f.at for s in evidence.spells if s.board == board for f in s.frames if f.at <= look.at)
            quiet = look.at - max(max(frames, default=0.0), run.started or 0.0)
            if quiet > ALARM_WITHIN + LOOK_EVERY:
                yield Finding("false", "no data", f"run {run.number}: {board} was silent for {quiet:.1f} s unnoticed")


def files_are_where_the_log_says(evidence: Evidence) -> Iterator[Finding]:
    """A closed run without a verdict names exactly the files that lie in its directory."""
    for run in evidence.runs:
        if run.state != "closed" or run.verdict:
            continue
        there = {
            (place.node, f"{place.directory}/{place.name}")
            for places in evidence.places.values()
            for place in places
            if _belongs(place.directory, run)
        }
        for node, path in sorted(there - run.files):
            yield Finding("lost", "files", f"run {run.number} does not know its file {node}:{path}")
        for node, path in sorted(run.files - there):
            yield Finding("false", "files", f"run {run.number} names {node}:{path}, which is not there")


# lost: happened, and not recorded


def every_frame_is_once_in_its_run(evidence: Evidence) -> Iterator[Finding]:
    """What reached a disk lies there once: in its run's directory, or in staging with a word about it."""
    for spell in evidence.spells:
        run = _run_of(spell, evidence)
        wrong: dict[tuple[str, str], int] = {}
        for frame in spell.frames:
            directories = [place.directory for place in evidence.places.get(frame.serial, ())]
            after = run is not None and run.closed is not None and frame.at > run.closed
            told = run is not None and _named(run, spell.board, evidence)
            for kind, text in _misplaced(directories, run, told=told, after=after):
                wrong[kind, text] = wrong.get((kind, text), 0) + 1
        for (kind, text), count in wrong.items():
            yield Finding(kind, "frames", f"{spell}, of run {run.number if run else 'none'}: {count} frames {text}")


def _misplaced(directories: list[str], run: RunRow | None, *, told: bool, after: bool) -> Iterator[tuple[str, str]]:
    """What came after its run was closed is a stray: the page says so, and no run may start before it is put aside."""
    if not directories:
        yield "lost", "are gone"
    elif len(directories) > 1:
        yield "duplicate", f"lie in {', '.join(directories)}"
    elif "/run_" in directories[0]:
        if run is None or not _belongs(directories[0], run):
            yield "false", f"lie in {directories[0]}"
    elif run is not None and run.state == "closed" and not told and not after:
        yield "lost", f"are left in {directories[0]} without a word"


def data_without_a_run_raise_an_alarm(evidence: Evidence) -> Iterator[Finding]:
    """Boards that take data while no run is open are on the page within 10 s, as long as they do."""
    for spell in evidence.spells:
        for since, until in _uncovered(spell, evidence):
            for look in evidence.looks:
                blind = any(o.since <= look.at <= o.until + ALARM_WITHIN for o in evidence.outages)
                # When a run opened is known to half a second only if the clock was stepped.
                standing = since + ALARM_WITHIN + LOOK_EVERY <= look.at <= until - SEEN_WITHIN
                if standing and not look.alarmed and not blind:
                    yield Finding("lost", "no alarm", f"{spell}: no run is open, and at {look.at:.2f} no alarm stands")
                    break


def _uncovered(spell: Spell, evidence: Evidence) -> Iterator[tuple[float, float]]:
    """The times of a spell at which no run was open."""
    since, end = spell.on, spell.off if spell.off is not None else evidence.ended
    for run in sorted(evidence.runs, key=lambda run: run.requested):
        until = run.closed if run.closed is not None else evidence.ended
        if run.requested - SLACK <= since <= until:
            since = until
        elif since < run.requested <= end:
            yield since, run.requested
            since = until
    if since < end:
        yield since, end


# duplicate


def numbers_are_used_once(evidence: Evidence) -> Iterator[Finding]:
    """A run number belongs to one run for ever, and they only go up."""
    known = dict(evidence.known_numbers)
    for run in sorted(evidence.runs, key=lambda run: run.pk):
        if known.get(run.number, run.pk) != run.pk:
            yield Finding("duplicate", "number", f"run {run.number} is row {run.pk}, and was row {known[run.number]}")
        later = [number for number, pk in known.items() if pk < run.pk and number > run.number]
        if later:
            yield Finding("duplicate", "number", f"run {run.number} came after {max(later)}")
        known[run.number] = run.pk
    open_at_once = [(a, b) for a in evidence.runs for b in evidence.runs if a.pk < b.pk and _together(a, b, evidence)]
    for a, b in open_at_once:
        yield Finding("duplicate", "two runs", f"runs {a.number} and {b.number} were open at the same time")


def _together(a: RunRow, b: RunRow, evidence: Evidence) -> bool:
    end = a.closed if a.closed is not None else evidence.ended + 1
    slack = SLACK if evidence.clock_stepped else 0.0
    return a.requested <= b.requested < end - slack


# late


def nothing_fires_late(evidence: Evidence) -> Iterator[Finding]:
    """No call of an execution that began after its command had expired, nor of a command that was over."""
    finished = {command.pk: command for command in evidence.commands}
    slack = CLOCK_SLACK if evidence.clock_stepped else LATE_SLACK
    for call in evidence.calls:
        begun = call.execution
        if begun is None:
            continue
        name = f"{call.transition.name} to {call.server} at {call.at:.2f}"
        if begun.at > begun.until + slack:
            yield Finding("late", "expired", f"{name}: its command could be begun until {begun.until:.2f}")
        command = finished.get(begun.command)
        if command and command.finished is not None and call.at > command.finished + LATE_SLACK:
            yield Finding("late", "over", f"{name}: its command was over at {command.finished:.2f}")


def nothing_starts_after_a_stop(evidence: Evidence) -> Iterator[Finding]:
    """From the moment a Stop for the whole system is recorded until it is over, nothing else is sent."""
    stops = [c for c in evidence.commands if c.action == "stop" and c.whole]
    by_pk = {command.pk: command for command in evidence.commands}
    for call in evidence.calls:
        command = by_pk.get(call.execution.command) if call.execution else None
        if command is None or call.transition is Transition.STOP or command.action == "stop":
            continue
        for stop in stops:
            over = stop.finished if stop.finished is not None else evidence.ended
            if command.requested < stop.requested and stop.requested + AFTER_STOP < call.at < over:
                name = f"{call.transition.name} to {call.server} at {call.at:.2f}"
                yield Finding("late", "after a Stop", f"{name}: a Stop was asked for at {stop.requested:.2f}")


# stuck


def one_call_at_a_time(evidence: Evidence) -> Iterator[Finding]:
    """Nothing but a Stop is sent to a server that is busy with a call of the product."""
    for entry in evidence.journal:
        if entry.kind != "busy" or entry.details["operation"] == "Stop":
            continue
        mine = [
            call for call in evidence.calls if call.server == entry.subject and entry.at - 15 <= call.at <= entry.at
        ]
        if len(mine) > 1:
            yield Finding(
                "late", "two calls", f"{entry.details['operation']} to {entry.subject} at {entry.at:.2f}: busy"
            )


def nothing_is_left_under_way(evidence: Evidence) -> Iterator[Finding]:
    """After everything is back and the crew has clicked, nobody waits for anything."""
    for problem in evidence.problems:
        yield Finding("stuck", "no way out", problem)
    for run in evidence.runs:
        if run.state not in OVER:
            yield Finding("stuck", "run", f"run {run.number} is left {run.state}")
    for command in evidence.commands:
        if command.state in ("queued", "running"):
            yield Finding("stuck", "command", f"{command.action} of {command.requested:.2f} is left {command.state}")
            continue
        for step in command.steps:
            if step.state in ("waiting", "sent"):
                yield Finding("stuck", "step", f"{command.action}: the step of {step.server} is left {step.state}")


# what belongs to what


def _run_of(spell: Spell, evidence: Evidence) -> RunRow | None:
    """The run that was open when the board began, or that adopted it."""
    off = spell.off if spell.off is not None else evidence.ended
    for run in reversed(evidence.runs):
        # Of two runs the later: after a step of the clock the end of the earlier is known to half a second only.
        end = run.closed if run.closed is not None else evidence.ended
        if run.requested - LATE_SLACK <= spell.on <= end:
            return run
    for run in evidence.runs:
        # What lay in staging when it was adopted is its own, from when its boards were first seen Running.
        if run.adopted and spell.on < run.requested and off >= (run.started or run.requested) - SLACK:
            return run
    return None


def _of(run: RunRow, evidence: Evidence) -> list[Spell]:
    return [spell for spell in evidence.spells if _run_of(spell, evidence) is run]


def _belongs(directory: str, run: RunRow) -> bool:
    return f"{directory}/".find(f"/{run.directory}/") >= 0


def _named(run: RunRow, board: str, evidence: Evidence) -> bool:
    """Whether the run's verdict speaks of the board, its ECC server, its router, or their node."""
    server, router = run.boards.get(board, ""), evidence.router_of.get(board, "")
    names = (board, server, router, evidence.node_of.get(server, ""), evidence.node_of.get(router, ""))
    return any(name and name in run.verdict for name in names)
