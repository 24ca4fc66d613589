"""The looks that `judge` takes at a run's data: its files one by one, its boards, its sources against each other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from attpcdaq.runcontrol.planning import event_ranges
from attpcdaq.runcontrol.planning.completeness import (
    MUTANT,
    SPAN_MARGIN,
    TICKS,
    Board,
    CheckedFile,
    Finding,
    Judgement,
    Level,
    RunFacts,
    Source,
    data_sources,
    gather_sources,
    in_sentences,
    verdict_of,
)
from attpcdaq.runcontrol.planning.event_ranges import Range
from get_protocol.graw_scan import Summary

INCOMPLETE, NOT_PROVEN, REMARK = Level.INCOMPLETE, Level.NOT_PROVEN, Level.REMARK
END_EVENTS = 10
"""Events missing at the very end, up to so many, were on their way when the boards were stopped: a remark."""
LEAST_BOARDS = 3
"""Of which one may be seen to differ from the others."""
STUTTER = 10
"""Event numbers sent twice, up to so many, are no counter that began again."""
CLOCKS_APART = 1.0
"""Seconds between the time stamps that two boards give the same event."""


def judge(files: Sequence[CheckedFile], facts: RunFacts) -> Judgement:
    """Everything that is to be said of a run's data, and what it comes to."""
    sources = gather_sources(files)
    findings = [
        *facts.known,
        *(finding for file in files for finding in _file(file)),
        *_unread(files),
        *_boards(files, sources, facts),
        *_events(sources, facts),
        *(finding for source in sources for finding in _source(source, facts)),
    ]
    reasons = in_sentences(findings)
    return Judgement(verdict_of(reasons), reasons, sources)


def _file(file: CheckedFile) -> Iterator[Finding]:
    if file.late:
        yield Finding(REMARK, file.name, f"came late and was attached to this run. {file.proof}".strip(), "late")
    if file.gone:
        yield Finding(INCOMPLETE, f"{file.node}: {file.name}", "is not where it was put", "gone")
    if file.summary is not None:
        yield from _contents(file, file.summary)


def _unread(files: Sequence[CheckedFile]) -> Iterator[Finding]:
    """Files that nobody could read, by node and reason."""
    found = Counter((file.node, file.problem) for file in files if file.summary is None and not file.gone)
    for (node, problem), number in found.items():
        text = f"{number} file{'s' if number > 1 else ''} could not be read: {problem or 'nobody tried yet'}"
        yield Finding(NOT_PROVEN, node, text, "unread")


def _contents(file: CheckedFile, scan: Summary) -> Iterator[Finding]:
    if scan.size != file.size:
        text = f"has {scan.size} bytes and had {file.size} when it was put there"
        yield Finding(INCOMPLETE, file.name, text, "size")
    if scan.tail:
        yield Finding(INCOMPLETE, file.name, f"{scan.tail} {scan.tail_text}".strip(), "tail")
    if len(data_sources(scan)) > 1:
        yield Finding(INCOMPLETE, file.name, f"holds frames of {' and '.join(data_sources(scan))}", "mixed")
    if scan.times_back:
        text = "time stamps go back inside it: frames of another run may be in it"
        yield Finding(INCOMPLETE, file.name, text, "times back")
    if scan.ranges_dropped:
        text = f"has {scan.ranges_dropped} more gaps in its event numbers than are kept"
        yield Finding(INCOMPLETE, file.name, text, "dropped")
    if scan.numbers_back:
        yield Finding(REMARK, file.name, f"{scan.numbers_back} frames out of order", "order")


def _boards(files: Sequence[CheckedFile], sources: Sequence[Source], facts: RunFacts) -> Iterator[Finding]:
    """Boards and AsAds of which there is no frame."""
    if facts.boards and not sources and all(file.summary is not None for file in files):
        yield Finding(INCOMPLETE, "", "No frame belongs to this run: no event was taken, or nothing arrived.")
        return
    for board in facts.boards:
        found = {source.name for source in sources if board.sends(source.name)}
        if not any(file.summary is None and _may_be_of(file, board) for file in files):
            yield from _missing_sources(board, found)
    yield from _fewer_asads(sources, facts)


def _may_be_of(file: CheckedFile, board: Board) -> bool:
    """Several routers may share a directory: then a file's owner names them all, or only says how many."""
    return board.router in file.owner.split(", ") or file.owner.endswith(" routers")


def _missing_sources(board: Board, found: set[str]) -> Iterator[Finding]:
    level = REMARK if board.excluded else INCOMPLETE
    if not found:
        text = board.excluded or f"there is no frame of it (data router {board.router})"
        yield Finding(level, board.sender, text, "no board")
    elif board.asads is not None:
        absent = [f"CoBo{board.cobo}_AsAd{asad}" for asad in sorted(board.asads)]
        text = "there is no frame of it, and the configuration has it active"
        yield from (Finding(level, name, text, "no source") for name in absent if name not in found)


def _fewer_asads(sources: Sequence[Source], facts: RunFacts) -> Iterator[Finding]:
    """A CoBo with fewer AsAds than the others, where no configuration says how many there should be."""
    unknown = [board for board in facts.boards if board.asads is None and not board.mutant]
    counts = {board.sender: sum(board.sends(source.name) for source in sources) for board in unknown}
    most = max(counts.values(), default=0)
    for sender, number in counts.items():
        if 0 < number < most:
            yield Finding(REMARK, sender, f"has frames of {number} AsAds, other CoBos of {most}", "asads")


def _events(sources: Sequence[Source], facts: RunFacts) -> Iterator[Finding]:
    """Which events are missing: of those that others have, and of those that nobody has."""
    for group in _groups(sources, facts):
        yield from _align_mutant(group)
        end = ((0, _common_end(group)),)
        yield from _went_on(group, end)
        everyone = event_ranges.merged(each for source in group for each in event_ranges.within(source.compared, end))
        for source in group:
            missing = event_ranges.without(everyone, source.compared)
            last = source.compared[-1][1] if source.own else -1
            source.behind = tuple(each for each in missing if each[0] > last)
            source.lacks = missing[: len(missing) - len(source.behind)]
        yield from _holes(group, everyone)
        yield from _clocks(group)


def _common_end(group: Sequence[Source]) -> int:
    """The last event of the run: behind it a board that was not stopped with the others may have gone on by itself.

    That is believed where the MuTAnT's triggers had ended, or of a single CoBo when most ended at the same event.
    """
    lasts: dict[str, int] = {}
    for source in group:
        board = source.name.split("_")[0]
        lasts[board] = max([lasts.get(board, 0), *(last for _, last in source.compared)])
    falling = sorted(lasts.values(), reverse=True)
    if MUTANT in lasts:
        half = falling[(len(falling) - 1) // 2]
        return half if lasts[MUTANT] <= half else falling[0]
    agree = len(falling) >= LEAST_BOARDS and falling.count(falling[1]) > len(falling) // 2
    return falling[1] if agree else falling[0]


def _went_on(group: Sequence[Source], end: tuple[Range, ...]) -> Iterator[Finding]:
    for source in group:
        number = event_ranges.count(event_ranges.without(source.compared, end))
        if number:
            text = (
                f"goes on for {number} event{'s' if number > 1 else ''} after the others: it was not stopped with them"
            )
            yield Finding(REMARK, source.name, text, "went on")


def _groups(sources: Sequence[Source], facts: RunFacts) -> list[list[Source]]:
    """Sources that count the same events: all of them, or those of one CoBo where each runs free."""
    groups: dict[str, list[Source]] = {}
    for source in sources:
        groups.setdefault("" if facts.synchronous else source.name.split("_")[0], []).append(source)
    return list(groups.values())


def _align_mutant(group: Sequence[Source]) -> Iterator[Finding]:
    """The MuTAnT's counter may not begin anew at Start (domain): then all its numbers are as much ahead."""
    others = event_ranges.merged(each for source in group if source.name != MUTANT for each in source.own)
    for mutant in group:
        if mutant.name != MUTANT or not others or not mutant.own:
            continue
        by = others[0][0] - mutant.own[0][0]
        if by and _unlike(event_ranges.shifted(mutant.own, by), others) < _unlike(mutant.own, others):
            mutant.shift = by
            words = f"{abs(by)} {'above' if by < 0 else 'below'} the CoBos'"
            yield Finding(REMARK, MUTANT, f"its event numbers are {words}: they were compared with that taken off")


def _unlike(some: tuple[Range, ...], others: tuple[Range, ...]) -> int:
    """How many numbers only one of them has."""
    return sum(event_ranges.count(event_ranges.without(*pair)) for pair in ((some, others), (others, some)))


def _holes(group: Sequence[Source], everyone: tuple[Range, ...]) -> Iterator[Finding]:
    holes = event_ranges.without(event_ranges.span(everyone), everyone)
    if not holes:
        return
    subject = group[0].name if len(group) == 1 else ""
    text = "no file has" if subject else "No file has"
    yield Finding(INCOMPLETE, subject, f"{text} {event_ranges.named(holes)}", "holes")


def _clocks(group: Sequence[Source]) -> Iterator[Finding]:
    """Sources whose first event is the same, and whose time stamps for it are not."""
    first: dict[int, dict[str, int]] = {}
    for source in group:
        if source.times and source.own:
            first.setdefault(source.own[0][0], {})[source.name] = source.times[0]
    for stamps in first.values():
        middle = median(stamps.values())
        for name, stamp in stamps.items():
            if abs(apart := (stamp - middle) / TICKS) > CLOCKS_APART:
                text = f"its time stamps are {apart:+.1f} s apart from the others': its clock was not reset with theirs"
                yield Finding(REMARK, name, text, "clock")


def _source(source: Source, facts: RunFacts) -> Iterator[Finding]:
    excluded = next((board.excluded for board in facts.boards if board.excluded and board.sends(source.name)), "")
    level = REMARK if excluded else INCOMPLETE
    if source.lacks:
        text = f"without {event_ranges.named(source.lacks)}, which others have"
        yield Finding(level, source.name, f"{text}: {excluded}" if excluded else text, "lacks")
    if source.behind:
        number = event_ranges.count(source.behind)
        text = f"ends {number} event{'s' if number > 1 else ''} before the others"
        few = Finding(REMARK, source.name, f"{text}: cut off at the Stop", "end")
        many = Finding(level, source.name, f"{text}: {excluded}" if excluded else text, "behind")
        yield few if number <= END_EVENTS and not excluded else many
    if source.twice:
        yield _twice(source)
    yield from _span(source, facts.seconds)


def _twice(source: Source) -> Finding:
    goes_on = all(_later(after, before) for before, after in pairwise(source.scans))
    if source.twice <= STUTTER and goes_on:
        return Finding(REMARK, source.name, f"{_numbers(source.twice)} twice", "stutter")
    text = f"{_numbers(source.twice)} twice: its counter began again, or frames of another run are in it"
    return Finding(INCOMPLETE, source.name, text, "twice")


def _numbers(number: int) -> str:
    return f"{number} event number is there" if number == 1 else f"{number} event numbers are there"


def _later(after: Summary, before: Summary) -> bool:
    return after.first_time is None or before.last_time is None or after.first_time >= before.last_time


def _span(source: Source, seconds: float | None) -> Iterator[Finding]:
    times = source.times
    took = (times[1] - times[0]) / TICKS if times else 0.0
    if seconds is not None and took > seconds + SPAN_MARGIN:
        text = f"time stamps span {took:.0f} s and the run at most {seconds:.0f} s: frames of another run are in it"
        yield Finding(INCOMPLETE, source.name, text, "span")
