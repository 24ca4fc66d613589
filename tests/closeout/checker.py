"""The checker: reads every frame on every disk, and compares with what was taken, written, and recorded.

It knows nothing of how files are attributed: a frame tells by its own bytes in which run it was taken.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.closeout.evidence import Evidence, OnDisk, RunRow
from tests.closeout.frames import Tag, read_tags, whole_frames
from tests.closeout.router import Written

KINDS = ("misfiled", "lost", "overwritten")
OTHERS = ("unproven", "stuck")
"""Counted apart: a manifest that says what is not so, and what did not come to an end."""
QUARANTINE = "/_quarantine/"
COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something broken: its kind, how many frames it concerns, and what happened."""

    kind: str
    frames: int
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class Reading:
    """Everything on the disks, read once."""

    evidence: Evidence
    tags: dict[OnDisk, list[Tag]] = field(default_factory=dict)
    places: dict[int, list[OnDisk]] = field(default_factory=dict)
    """Number of a frame -> where it lies."""
    runs_of_directories: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for file in self.evidence.on_disk:
            self.tags[file] = read_tags(file.data)
            for tag in self.tags[file]:
                self.places.setdefault(tag.serial, []).append(file)
        self.runs_of_directories = {run.directory: run.number for run in self.evidence.runs}

    def run_of(self, file: OnDisk) -> int | None:
        """The run in whose directory it lies."""
        inside = f"{file.directory}/"
        found = (number for name, number in self.runs_of_directories.items() if f"/{name}/" in inside)
        return next(found, None)


def check(evidence: Evidence) -> list[Finding]:
    """Every breach in one block."""
    reading = Reading(evidence)
    rules: tuple[Callable[[Reading], Iterator[Finding]], ...] = (
        frames_lie_in_their_own_run,
        frames_lie_in_one_place,
        files_are_as_they_were_written,
        files_can_be_found,
        rows_tell_the_truth,
        complete_means_complete,
        what_nothing_happened_to_is_complete,
        everything_comes_to_an_end,
    )
    return [finding for rule in rules for finding in rule(reading)]


def frames_lie_in_their_own_run(reading: Reading) -> Iterator[Finding]:
    """A frame in a run's directory was taken in that run."""
    for file, tags in reading.tags.items():
        number = reading.run_of(file)
        if number is None:
            continue
        for run, count in sorted(Counter(tag.run for tag in tags if tag.run != number).items()):
            yield Finding("misfiled", count, f"{count} of {len(tags)} frames in {file} are of run {run or 'none'}")


def frames_lie_in_one_place(reading: Reading) -> Iterator[Finding]:
    """No frame lies in two places."""
    twice = Counter(tuple(sorted({str(file) for file in files})) for files in reading.places.values() if len(files) > 1)
    for places, count in twice.items():
        yield Finding("misfiled", count, f"{count} frames lie in {' and in '.join(places)}")


def files_are_as_they_were_written(reading: Reading) -> Iterator[Finding]:
    """Every byte that reached a disk is still there, in the file it was written to."""
    for written in reading.evidence.written:
        tags = read_tags(written.data)
        if not tags:
            continue
        places = {file for tag in tags for file in reading.places.get(tag.serial, ())}
        if not places:
            yield from _gone(written, len(tags), reading)
        elif all(file.data != written.data for file in places):
            yield Finding("overwritten", len(tags), f"{_named(written)} is not as it was written: {_list(places)}")


def _gone(written: Written, count: int, reading: Reading) -> Iterator[Finding]:
    mine = {None, *(tag.run for tag in read_tags(written.data))}
    others = [
        file
        for file in reading.evidence.on_disk
        if (file.node, file.name) == (written.node, written.name) and reading.run_of(file) in mine
    ]
    if others:
        yield Finding("overwritten", count, f"{_named(written)} is gone; under its name there is {_list(others)}")
    else:
        yield Finding("lost", count, f"{_named(written)} is gone with its {count} frames")


def files_can_be_found(reading: Reading) -> Iterator[Finding]:
    """A file lies in a run's directory, and the run lists it; or in quarantine, and the quarantine lists it."""
    listed = {(row.run, row.node, row.path) for row in reading.evidence.files}
    kept = {(row.node, row.path) for row in reading.evidence.quarantined}
    for file, tags in reading.tags.items():
        number = reading.run_of(file)
        if number is not None:
            found = (number, file.node, file.path) in listed
        else:
            found = QUARANTINE in f"{file.directory}/" and (file.node, file.path) in kept
        if not found and tags:
            yield Finding("lost", len(tags), f"nobody knows of {file} with its {len(tags)} frames")


def rows_tell_the_truth(reading: Reading) -> Iterator[Finding]:
    """What is listed is there, as large as listed."""
    there = {(file.node, file.path): len(file.data) for file in reading.evidence.on_disk}
    for row in reading.evidence.files:
        size = there.get((row.node, row.path))
        if row.planned:
            yield Finding("stuck", 0, f"run {row.run} still means to move {row.node}:{row.path}")
        elif size is None:
            yield Finding("lost", 1, f"run {row.run} lists {row.node}:{row.path}, which is not there")
        elif size != row.size:
            yield Finding("unproven", 0, f"run {row.run}: {row.node}:{row.path} is {size} bytes, listed {row.size}")
    for kept in reading.evidence.quarantined:
        if kept.planned:
            yield Finding("stuck", 0, f"the quarantine still means to move {kept.node}:{kept.path}")
        elif (kept.node, kept.path) not in there:
            yield Finding("lost", 1, f"the quarantine lists {kept.node}:{kept.path}, which is not there")


def complete_means_complete(reading: Reading) -> Iterator[Finding]:
    """A run whose manifest says "complete" has every frame that its boards took, in whole files."""
    for run in _closed(reading):
        missing, broken = missing_frames(reading, run.number), broken_files(reading, run.number)
        if run.proof == COMPLETE and (missing or broken):
            said = f"{missing} frames are not in its directory; broken: {', '.join(broken) or 'none'}"
            yield Finding("unproven", missing, f"run {run.number} is called complete: {said}")


def what_nothing_happened_to_is_complete(reading: Reading) -> Iterator[Finding]:
    """A run in which nothing struck, nor in the one before, is called complete."""
    for run in _closed(reading):
        untouched = not reading.evidence.struck.get(run.number)
        whole = not missing_frames(reading, run.number) and not broken_files(reading, run.number)
        if untouched and whole and run.proof != COMPLETE:
            said = "; ".join((run.proof or "no manifest", *run.reasons, run.verdict))
            yield Finding("unproven", 0, f"run {run.number} is whole, and nothing happened to it; its manifest: {said}")


def everything_comes_to_an_end(reading: Reading) -> Iterator[Finding]:
    """Runs are closed, and everybody could go on."""
    for run in reading.evidence.runs:
        if run.state not in ("closed", "failed"):
            yield Finding("stuck", 0, f"run {run.number} is left {run.state}")
        elif run.state == "closed" and not run.proof:
            yield Finding("stuck", 0, f"the manifest of run {run.number} was never made")
    for problem in reading.evidence.problems:
        yield Finding("stuck", 0, problem)


def missing_frames(reading: Reading, run: int) -> int:
    """How many of the frames that its boards took do not lie in its directory."""
    there = {tag.serial for file, tags in reading.tags.items() if reading.run_of(file) == run for tag in tags}
    return len(reading.evidence.taken.get(run, set()) - there)


def broken_files(reading: Reading, run: int) -> list[str]:
    """Files in its directory in which something else lies between or behind the frames."""
    return [str(f) for f in reading.tags if reading.run_of(f) == run and whole_frames(f.data) != len(f.data)]


def quarantined(evidence: Evidence) -> tuple[int, int, int]:
    """Files in quarantine, frames in them, and how many of the files hold frames of one run only."""
    tags = [read_tags(file.data) for file in evidence.on_disk if QUARANTINE in f"{file.directory}/"]
    of_one = sum(1 for one in tags if len({tag.run for tag in one} - {0}) == 1)
    return len(tags), sum(map(len, tags)), of_one


def _closed(reading: Reading) -> list[RunRow]:
    return [run for run in reading.evidence.runs if run.state == "closed"]


def _named(written: Written) -> str:
    return f"{written.node}:{written.staging}/{written.name} (begun at {written.at:.2f})"


def _list(files: Iterable[OnDisk]) -> str:
    return ", ".join(sorted(map(str, files)))


def counted(findings: Iterable[Finding]) -> Mapping[str, int]:
    """Frames by kind of finding; a finding counts once at the least."""
    count: Counter[str] = Counter()
    for finding in findings:
        count[finding.kind] += max(finding.frames, 1)
    return count
