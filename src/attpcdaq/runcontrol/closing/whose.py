"""Whose the files of a staging directory are: the rows and readings for planning/whose_file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from asgiref.sync import sync_to_async
from django.db.models import Count, Max, Min, Q

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.ports import FileScan, GrawFile
from attpcdaq.live.clocks import JUMPED_BY, has_jumped
from attpcdaq.live.models import ECCState, NodeState
from attpcdaq.runcontrol.asking.opening import out_throughout
from attpcdaq.runcontrol.closing.staging import Staging, places_of
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.models import Step
from attpcdaq.runcontrol.planning.whose_facts import (
    LATE,
    UNREADABLE,
    Clock,
    Filed,
    Frames,
    Needs,
    Owner,
    Place,
    RunSpan,
    Staged,
    Unknown,
)
from attpcdaq.runcontrol.planning.whose_file import judge
from attpcdaq.runlog.models import Quarantined, Run, RunFile, RunState
from attpcdaq.topology.models import DataSource, Role
from get_protocol.errors import FrameError
from get_protocol.graw import read_header
from get_protocol.state_machine import State, Transition

CLOCK_TIMEOUT = 5.0
HEADS_TIMEOUT = 20.0
SCAN_TIMEOUT = 30.0
SETS_UP = (Transition.DESCRIBE, Transition.PREPARE, Transition.CONFIGURE)
# Runs looked back at; a name that is older than them all is nobody's.
RUNS = 50
# Where more than one run comes into question every file of them is looked at, and of so many at the least.
NEAR = 5
# Each round reads what the one before asked for: first frames, whole files, files of earlier runs.
ROUNDS = 5


async def judged(
    place: Staging, files: Sequence[GrawFile], outside: Outside
) -> tuple[dict[str, Owner | Unknown], dict[int, Run]]:
    """By name whose each file is, and the runs that they may be of, by key. GatewayError when the node is away."""
    runs, spans = await sync_to_async(_spans)(place, [file.name for file in files])
    ran_until = await sync_to_async(_ran_until)(place)
    read_anew = _several(spans)
    known = replace(await _known(place, spans, outside, anew=read_anew), ran_until=ran_until)
    staged = {file.name: Staged(file.name, file.size, file.mtime) for file in files}
    done: dict[str, Owner | Unknown] = {}
    for _ in range(ROUNDS):
        verdicts = judge(list(staged.values()), known)
        if not read_anew and any(isinstance(verdict, Unknown) for verdict in verdicts.values()):
            # The node's clock may have been set since the monitor read it.
            read_anew, known = True, replace(await _known(place, spans, outside, anew=True), ran_until=ran_until)
            continue
        done = {name: verdict for name, verdict in verdicts.items() if not isinstance(verdict, Needs)}
        needs = [verdict for verdict in verdicts.values() if isinstance(verdict, Needs)]
        if not needs:
            break
        staged |= await _read_staged(place, staged, needs, outside)
        known = replace(known, runs=await _read_filed(place, known.runs, needs, outside))
    unread = Unknown("it could not be found out: too much of it had to be read.")
    return {name: done.get(name, unread) for name in staged}, runs


def _spans(place: Staging, names: Sequence[str]) -> tuple[dict[int, Run], tuple[RunSpan, ...]]:
    recent = Run.objects.select_related("experiment").exclude(state=RunState.FAILED).order_by("-id")[:RUNS]
    runs = {run.pk: run for run in reversed(recent) if place.servers - out_throughout(run) or not place.servers}
    starts = {
        row["command__run"]: row
        for row in Step.objects.filter(
            command__run__in=runs, transition=Transition.START, sent_at__isnull=False, server_name__in=place.servers
        )
        .values("command__run")
        .annotate(told=Min("sent_at"), count=Count("id"), servers=Count("server_name", distinct=True))
    }
    spans: list[RunSpan] = []
    for run in runs.values():
        spans.append(_span(run, starts.get(run.pk), spans[-1] if spans else None))
    near = _near(spans)
    files = _files(place, names, [span.run for span in spans], near)
    nothing = _took_nothing([runs[run] for run in near])
    return runs, tuple(
        replace(span, files=tuple(files.get(span.run, ())), took_nothing=span.run in nothing) for span in spans
    )


def _took_nothing(runs: Sequence[Run]) -> set[int]:
    """Runs that have stopped without a file at any of several nodes, and none was quarantined since."""
    some = set(RunFile.objects.filter(kind=RunFile.Kind.DATA, run__in=runs).order_by().values_list("run", flat=True))
    empty = [run for run in runs if run.state == RunState.CLOSED and not run.adopted and run.pk not in some]
    return {
        run.pk
        for run in empty
        if not Quarantined.objects.filter(at__gte=run.requested_at).exists()
        and len({place.node.name for place in places_of(run) if place.node.access != "agent"}) > 1
    }


def _span(run: Run, started: Mapping[str, object] | None, before: RunSpan | None) -> RunSpan:
    asked = run.requested_at.timestamp()
    told = getattr(started["told"], "timestamp", lambda: asked)() if started else asked
    if run.adopted:
        # Its boards were started by nobody knows whom, after the run before it.
        told = before.stopped if before else 0.0
    ended = run.stopped_at or run.closed_at or run.started_at or run.requested_at
    count, servers = (int(str(started[key])) for key in ("count", "servers")) if started else (1, 1)
    return RunSpan(
        run.pk,
        f"run {run.number}",
        asked,
        told,
        max(ended.timestamp(), told),
        clean=not run.adopted,
        starts=count - servers + 1,
    )


def _files(place: Staging, names: Sequence[str], runs: Sequence[int], near: Sequence[int]) -> dict[int, list[Filed]]:
    """What these runs have of these names, and everything that the `near` ones among them have."""
    rows = RunFile.objects.filter(
        kind=RunFile.Kind.DATA, node=place.node.name, staging=place.directory, planned=False
    ).order_by("id")
    found: dict[int, list[Filed]] = {}
    ranges = [rows.filter(run__in=near), rows.filter(run__in=runs).exclude(run__in=near)]
    fields = ("run_id", "name", "path", "first_event", "first_time", "last_event", "last_time", "scanned_at", "frames")
    for query in (ranges[0], *(ranges[1].filter(name__in=part) for part in _parts(names))):
        for run_id, name, path, e1, t1, e2, t2, scanned, frames in query.values_list(*fields):
            read = Frames(e1, t1, e2, t2, whole=True, empty=frames == 0) if scanned and frames is not None else None
            found.setdefault(run_id, []).append(Filed(name, path, read))
    return found


def _several(spans: Sequence[RunSpan]) -> bool:
    """Whether frames of another run than the last may still have come since that was asked for."""
    return len(spans) > 1 and not (spans[-1].clean and spans[-2].stopped + LATE + CLOCK_TIMEOUT < spans[-1].asked)


def _near(spans: Sequence[RunSpan]) -> list[int]:
    """The runs of which frames may still have come, however quickly they followed each other; none if only the last."""
    if not _several(spans):
        return []
    clean = [span.asked for span in spans if span.clean]
    since = clean[-1] - LATE - CLOCK_TIMEOUT if clean else float("-inf")
    last = {span.run for span in spans[-NEAR:]}
    return [span.run for span in spans if span.run in last or span.stopped >= since]


def _parts(names: Sequence[str], most: int = 500) -> Iterable[Sequence[str]]:
    return (names[at : at + most] for at in range(0, len(names), most))


def _ran_until(place: Staging) -> float:
    """When a board of it was last seen Running, seconds since the epoch."""
    rows = ECCState.objects.filter(ecc_server__name__in=place.servers).values_list("state", "seen_at", "ran_until")
    seen = (seen_at if state == State.RUNNING else ran_until for state, seen_at, ran_until in rows)
    return max((at.timestamp() for at in seen if at is not None), default=0.0)


async def _known(place: Staging, spans: tuple[RunSpan, ...], outside: Outside, *, anew: bool) -> Place:
    """The runs, and what the node's clock is worth.

    Read `anew` where several runs come into question: times count only while it goes as the monitor saw it go.
    """
    row = await NodeState.objects.filter(node_id=place.node_id).afirst()
    seen = _clock(row)
    stepped = row.stepped_at.timestamp() if row is not None and row.stepped_at else 0.0
    if seen is not None and not anew:
        return Place(spans, seen, stepped=stepped)
    try:
        read = await outside.nodes.read_clock(place.node, CLOCK_TIMEOUT, JUMPED_BY / 4)
    except GatewayError:
        return Place(spans, seen, stepped=stepped) if not _several(spans) else Place(spans, None, stepped=float("inf"))
    now = Clock(read.offset, read.error, read.utc_offset)
    if row is None or seen is None or has_jumped(row, read):
        stepped = outside.now().timestamp()
    return Place(spans, now, stepped=stepped, set_up=await sync_to_async(_set_up)(place))


def _clock(row: NodeState | None) -> Clock | None:
    if row is None or row.clock_offset is None or row.utc_offset is None:
        return None
    return Clock(row.clock_offset, row.clock_error or 0.0, row.utc_offset)


def _set_up(place: Staging) -> float:
    """When the boards of a place, or the MuTAnT, which sets all clocks, were last set up."""
    mutants = DataSource.objects.filter(role=Role.MUTANT).values("ecc_server__name")
    steps = Step.objects.filter(
        Q(server_name__in=place.servers) | Q(server_name__in=mutants), transition__in=SETS_UP, sent_at__isnull=False
    )
    last = steps.aggregate(at=Max("sent_at"))["at"]
    return last.timestamp() if last else 0.0


async def _read_staged(
    place: Staging, staged: Mapping[str, Staged], needs: Sequence[Needs], outside: Outside
) -> dict[str, Staged]:
    scans = {name for need in needs for name in need.scans}
    heads = {name for need in needs for name in need.heads} - scans
    frames = await _first_frames(place, sorted(heads), outside)
    frames |= await _scan(place, place.directory, sorted(scans), outside)
    return {name: Staged(name, staged[name].size, staged[name].modified, found) for name, found in frames.items()}


async def _first_frames(place: Staging, names: Sequence[str], outside: Outside) -> dict[str, Frames]:
    """Their beginnings alone: a run's files have gigabytes, and its close-out waits for this."""
    if not names:
        return {}
    found = await outside.nodes.read_heads(place.node, place.directory, names, HEADS_TIMEOUT)
    return {name: _beginning(found.get(name)) for name in names}


def _beginning(head: bytes | None) -> Frames:
    if head == b"":
        return Frames(whole=True, empty=True)
    try:
        first = read_header(head or b"")
    except FrameError:
        return UNREADABLE
    return Frames(first.event_idx, first.event_time)


async def _read_filed(
    place: Staging, spans: Sequence[RunSpan], needs: Sequence[Needs], outside: Outside
) -> tuple[RunSpan, ...]:
    wanted: dict[str, list[str]] = {}
    for path in sorted({path for need in needs for path in need.filed}):
        directory, _, base = path.rpartition("/")
        wanted.setdefault(directory, []).append(base)
    read: dict[str, Frames] = {}
    for directory, names in wanted.items():
        found = await _scan(place, directory, names, outside)
        read |= {f"{directory}/{name}": frames for name, frames in found.items()}
    return tuple(
        replace(span, files=tuple(replace(file, frames=read.get(file.path, file.frames)) for file in span.files))
        for span in spans
    )


async def _scan(place: Staging, directory: str, names: Sequence[str], outside: Outside) -> dict[str, Frames]:
    if not names:
        return {}
    found = await outside.nodes.scan_files(place.node, directory, names, SCAN_TIMEOUT, checksum=False)
    return {name: _frames(found.get(name)) for name in names}


def _frames(scan: FileScan | GatewayError | None) -> Frames:
    if not isinstance(scan, FileScan):
        return UNREADABLE
    seen = scan.summary
    if seen.tail == "garbage":
        return UNREADABLE
    return Frames(
        seen.first_event,
        seen.first_time,
        seen.last_event,
        seen.last_time,
        whole=True,
        empty=scan.size == 0,
        times_back=seen.times_back,
        largest_step=seen.largest_step,
    )
