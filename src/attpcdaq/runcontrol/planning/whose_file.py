"""Whose a file in a staging directory is: the run, with what proves it, or why nobody can tell (facts 4; ADR 24).

Pure. What the proofs rest on:

- frames of one board arrive in the order in which it took them, and a router writes one file per source at a time;
- a router appends to a name only while event numbers go up, so a file that begins with a counter at its start begins
  with the boards' start, and nothing taken before it can come later;
- no run starts before its staging directories are clean, and frames come `LATE` after their run's end at the most;
- any two frames of a run lie no further apart on the board's own clock than the run is long.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC

from attpcdaq.runcontrol.planning.whose_facts import (
    LATE,
    UNREADABLE,
    Filed,
    Frames,
    Needs,
    Owner,
    Place,
    RunSpan,
    Staged,
    Unknown,
    Verdict,
    parsed,
    source_of,
)
from attpcdaq.runcontrol.planning.whose_time import MARGIN, is_of_one, length, reckon
from get_protocol.graw_names import GrawName

FIRST_EVENT = 1
"""A counter that has just been reset gives this number, or 0."""
# Where only one run is possible, the name's time merely tells a router's file from one that somebody put there.
FOREIGN = 60.0
# The same where the node's clock jumped: it may have been wrong by that.
JUMP = 12 * 3600.0
CLOCK_MARGIN = 2.0
# Names are cut to milliseconds.
NAME_MARGIN = 0.005


def judge(files: Sequence[Staged], place: Place) -> dict[str, Verdict]:
    """By name; ask again with what a `Needs` wanted (`UNREADABLE` for what cannot be read)."""
    verdicts: dict[str, Verdict] = {}
    sources: dict[str, list[_File]] = {}
    known = {file.name: run for run in place.runs for file in run.files}
    for file in files:
        name = parsed(file.name)
        if name is None or name.late:
            verdicts[file.name] = Unknown("no data router makes such a name.")
        else:
            sources.setdefault(source_of(name), []).append(_File(file, name, known.get(file.name)))
    for source, found in sources.items():
        judge_one = _Judge(source, sorted(found, key=lambda one: one.order), place).verdict
        verdicts |= {one.file.name: judge_one(one) for one in found}
    return verdicts


@dataclass(frozen=True, slots=True)
class _File:
    """A file in staging, its name's parts, and the latest run that has a file of this name."""

    file: Staged
    name: GrawName
    known: RunSpan | None

    @property
    def order(self) -> tuple[object, ...]:
        return (self.name.timestamp, self.name.index)

    @property
    def is_reset(self) -> bool:
        """Whether a counter begins anew with it."""
        frames = self.file.frames
        return frames is not None and frames.first_event is not None and frames.first_event <= FIRST_EVENT


@dataclass(frozen=True, slots=True)
class _Judge:
    """All files of one source in a staging directory, in the order they were begun."""

    source: str
    files: Sequence[_File]
    place: Place
    beginnings: "dict[tuple[int, ...], _File | Needs | None]" = field(default_factory=dict)
    """What was found for these runs: it is the same for each of a thousand files."""

    def verdict(self, one: _File) -> Verdict:
        possible = self._possible(one)
        if isinstance(possible, Unknown):
            return possible
        if self._is_loose(one, self.place.runs[-1]):
            return Unknown(f"boards took data here after {self.place.runs[-1].label} had stopped, and for no run.")
        if len(possible) == 1:
            return self._only(one, possible[0])
        if one.file.size == 0 or (one.file.frames is not None and one.file.frames.empty):
            return Owner((one.known or possible[-1]).run, "there is no frame in it.")
        return self._among(one, possible)

    def _possible(self, one: _File) -> tuple[RunSpan, ...] | Unknown:
        """The runs of which a frame may be in it, oldest first."""
        born = self._born()
        runs = [run for run in self.place.runs if run.stopped + LATE >= born]
        if one.known is not None:
            runs = [run for run in runs if run.told >= one.known.told]
        if not runs or self._is_foreign(one, runs):
            return Unknown("no run could have written it at the time in its name, or when it was last written.")
        return tuple(runs)

    def _born(self) -> float:
        """It did not lie here earlier than this."""
        clean = [run.asked for run in self.place.runs if run.clean]
        return clean[-1] - CLOCK_MARGIN if clean else float("-inf")

    def _is_foreign(self, one: _File, runs: Sequence[RunSpan]) -> bool:
        """Whether its times, where they tell something, lie in no run: somebody else put it there.

        Around a change of daylight saving the other reading of local time counts too.
        """
        clock = self.place.clock
        if clock is None:
            return False
        margin = FOREIGN if self._steady(runs) else JUMP
        if one.file.modified - clock.offset + clock.error + margin < runs[0].told:
            return True
        local = one.name.timestamp.replace(tzinfo=UTC).timestamp() - clock.utc_offset * 60 - clock.offset
        readings = (local, local + 3600, local - 3600)
        begun = any(run.told - margin <= at <= run.stopped + LATE + margin for at in readings for run in runs)
        return one.known is None and not begun

    def _is_loose(self, one: _File, latest: RunSpan) -> bool:
        """Whether it may hold data that boards took with no run open, since the latest one stopped."""
        over = latest.stopped + CLOCK_MARGIN
        if self.place.ran_until <= over:
            return False
        clock = self.place.clock
        if clock is None or not self._steady((latest,)):
            return True
        return (self._name_time(one) if one.known is None else one.file.modified) - clock.offset > over

    def _steady(self, runs: Sequence[RunSpan]) -> bool:
        """Whether the node's clock went on evenly since these runs began."""
        return self.place.stepped + FOREIGN < runs[0].told

    def _only(self, one: _File, run: RunSpan) -> Verdict:
        if one.known is None:
            return Owner(run.run, f"no frame of another run than {run.label} can be in it.")
        if one.known.run != run.run:
            return Owner(run.run, f"its name is older, but it was written anew when only {run.label} could.")
        return self._straggler(one, run)

    def _straggler(self, one: _File, run: RunSpan) -> Verdict:
        """A name of this run that came again, and nobody else can have written it: the numbers must go on."""
        frames = one.file.frames
        if frames is None:
            return Needs(heads=frozenset({one.file.name}))
        before = [filed.frames for filed in run.files if filed.name == one.file.name and filed.frames]
        last = max((filed.last_event for filed in before if filed.last_event is not None), default=None)
        first = frames.first_event
        if last is not None and first is not None and first <= last:
            return Unknown(f"its name is one of {run.label}, but its first event, {first}, is not above {last} there.")
        numbers = "" if first is None else f" with event {first}"
        return Owner(run.run, f"the router went on under a name of {run.label}{numbers}; no board had started since.")

    # Several runs come into question

    def _among(self, one: _File, possible: tuple[RunSpan, ...]) -> Verdict:
        latest = possible[-1]
        begun = self._known_beginning(possible) if self._steady(possible) or len(self.files) == 1 else None
        if isinstance(begun, Needs):
            return begun
        if begun is not None:
            if one.known is None and one.order >= begun.order:
                return Owner(latest.run, f"it came with or after the first event of {latest.label}.")
            if begun.is_reset and one.file.modified <= self._name_time(begun) + NAME_MARGIN:
                return self._before(one, begun, possible[:-1])
        return self._by_time(one, possible)

    def _before(self, one: _File, begun: _File, left: tuple[RunSpan, ...]) -> Verdict:
        """All of it was written before the latest run's first event came."""
        if len(left) > 1:
            return self._by_time(one, left)
        if one.known is not None and one.known.run == left[0].run:
            return self._straggler(one, left[0])
        return Owner(left[0].run, f"all of it came before {begun.file.name}, with which the next run begins.")

    def _name_time(self, one: _File) -> float:
        """When it was begun, on the node's own clock; never, if its local time is not known."""
        clock = self.place.clock
        if clock is None:
            return float("-inf")
        return one.name.timestamp.replace(tzinfo=UTC).timestamp() - clock.utc_offset * 60

    def _known_beginning(self, possible: tuple[RunSpan, ...]) -> "_File | Needs | None":
        runs = tuple(run.run for run in possible)
        if runs not in self.beginnings:
            self.beginnings[runs] = self._beginning(possible)
        return self.beginnings[runs]

    def _beginning(self, possible: tuple[RunSpan, ...]) -> "_File | Needs | None":
        """The file with which the latest of these runs begins here, where that can be told."""
        filed = self._new_in(possible[-1])
        if filed is not None:
            return filed
        new = [one for one in self.files if one.known is None and one.name.index == 0]
        unread = frozenset(one.file.name for one in new if one.file.frames is None)
        if unread:
            return Needs(heads=unread)
        resets = [one for one in new if one.is_reset]
        # Beginnings of earlier runs may be among them: one for each start of which there is no file.
        others = [max(run.starts - self._begun(run), 0) for run in possible[:-1]]
        if len(resets) > sum(others):
            return resets[sum(others)]
        likely = sum(count for run, count in zip(possible, others, strict=False) if not run.took_nothing)
        return resets[likely] if len(resets) > likely else self._outliving(resets, possible)

    def _new_in(self, run: RunSpan) -> "_File | None":
        """The first file that it has of this source under a name that no earlier run has."""
        older = {file.name for earlier in self.place.runs if earlier.told < run.told for file in earlier.files}
        new = ((name, file) for name, file in run.of(self.source) if file.name not in older)
        return next((_File(Staged(file.name, 0, 0.0, file.frames), name, None) for name, file in new), None)

    def _begun(self, run: RunSpan) -> int:
        return len({file.name for name, file in run.of(self.source) if name.index == 0})

    def _outliving(self, resets: Sequence[_File], possible: tuple[RunSpan, ...]) -> "_File | Needs | None":
        """The first of them that is of one run alone, and longer than any earlier one."""
        longest = max(run.stopped - run.told for run in possible[:-1])
        for one in resets:
            frames = one.file.frames
            if frames is None or not _is_read(frames):
                return Needs(scans=frozenset({one.file.name}))
            if length(frames) > longest + MARGIN and is_of_one(frames, possible):
                return one
        return None

    def _by_time(self, one: _File, possible: tuple[RunSpan, ...]) -> Verdict:
        """By the board's clock, reckoned from what lay under the same name before: it was not reset between."""
        if one.known is None:
            after = self._rolled_from(one, possible)
            if after is not None:
                return self._following(after, possible)
            names = " or ".join(run.label for run in possible)
            return Unknown(f"it may be of {names}, and does not begin with a run's first event.")
        if self.place.set_up > one.known.told:
            return Unknown(f"boards were set up anew since {one.known.label}, so their clocks tell nothing.")
        before = [file for file in one.known.files if file.name == one.file.name]
        ends = (before[0], before[-1])
        needs = Needs(
            scans=frozenset() if _is_read(one.file.frames) else frozenset({one.file.name}),
            filed=frozenset(file.path for file in ends if not _is_read(file.frames)),
        )
        if needs != Needs():
            return needs
        found = reckon(_read(one.file), one.known, (_read(ends[0]), _read(ends[1])), possible)
        if isinstance(found, Owner) and one.known.run == found.run:
            return self._straggler(one, one.known)
        return found

    def _rolled_from(self, one: _File, possible: Sequence[RunSpan]) -> _File | None:
        """The last file before it of a name that a run has: with external time reset one goes on with the other."""
        if one.name.index == 0 or not self._steady(possible):
            return None
        before = [other for other in self.files if other.known is not None and other.order < one.order]
        return before[-1] if before else None

    def _following(self, before: _File, possible: tuple[RunSpan, ...]) -> Verdict:
        """Of a file begun after `before`: a frame of the latest run in there, and all that follow are of it too."""
        found = self._by_time(before, possible)
        if isinstance(found, Owner) and found.run != possible[-1].run:
            names = " or ".join(run.label for run in possible)
            return Unknown(f"it may be of {names}: it follows {before.file.name}, which is of an earlier one.")
        if isinstance(found, Owner):
            return Owner(found.run, f"it came after {before.file.name}: {found.proof}")
        return found


def _is_read(frames: Frames | None) -> bool:
    return frames is not None and (frames.whole or frames == UNREADABLE)


def _read(file: Staged | Filed) -> Frames:
    return file.frames or UNREADABLE
