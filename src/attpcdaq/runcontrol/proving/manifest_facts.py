"""What the tables know of a run's data, as values that can be judged."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Min
from django.utils import timezone

from attpcdaq.live.clocks import offset_words
from attpcdaq.live.models import Event, NodeState, RouterSample, RouterState
from attpcdaq.runcontrol.asking.opening import MEANWHILE, out_throughout
from attpcdaq.runcontrol.models import Action
from attpcdaq.runcontrol.planning.completeness import Board, CheckedFile, Finding, Level, RunFacts
from attpcdaq.runcontrol.planning.whose_facts import parsed
from attpcdaq.runcontrol.proving.manifest_configs import ReadOut, read_outs
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Quarantined, Run, RunFile
from attpcdaq.runlog.quarantine import may_be_of
from attpcdaq.topology.models import Access, DataRouter, DataSource, Role
from get_protocol.graw_scan import Summary

DISK_FULL = 100_000_000
"""Bytes; a data router drops frames without a word when its disk has no room for one (facts 4)."""
LEFT_RUNNING = "Running -> "
NUMBER = re.compile(r"\[(\d+)\]")
NAME_AFTER = timedelta(seconds=60)
"""A file that began so long after a run's end is not of it."""


def run_facts(run: Run) -> RunFacts:
    """What is known beside the files."""
    sources = _sources_of(run)
    nodes = {router.node.name for source in sources if (router := source.data_router) is not None}
    unlike = _blind_nodes(sources)
    known = [*_of_nodes(run, nodes, unlike), *_of_routers(run, sources), *_of_boards(run), *_of_quarantine(run, nodes)]
    known += _of_setup(run)
    if run.verdict:
        known.append(Finding(Level.REMARK, "When it ended", run.verdict))
    return RunFacts(
        boards=tuple(_boards(run, [source for source in sources if _node(source) not in unlike])),
        synchronous=any(role == Role.MUTANT for _, role in _roles(run)),
        seconds=_longest(run),
        known=tuple(known),
    )


def checked_files(run: Run) -> tuple[CheckedFile, ...]:
    """What was read of its files."""
    return tuple(_checked(file) for file in manifests.data_files(run.pk).order_by("node", "path"))


def _checked(file: RunFile) -> CheckedFile:
    name = file.path.rsplit("/", 1)[-1]
    return CheckedFile(
        file.node,
        file.owner,
        name,
        file.size,
        summary=Summary.from_json(file.scan) if file.scan else None,
        problem=file.scan_problem,
        gone=file.scan_problem == manifests.GONE,
        late=bool(file.name) and file.name != name,
        proof=file.proof,
    )


def _roles(run: Run) -> Iterator[tuple[str, str]]:
    """Data sender ids and roles of the boards that the run began with."""
    out = out_throughout(run)
    for server, recorded in run.configuration.items():
        if server not in out:
            yield from recorded["boards"].items()


def _sources_of(run: Run) -> list[DataSource]:
    rows = DataSource.objects.select_related("data_router__node", "ecc_server").exclude(data_router=None)
    return list(rows.filter(sender_id__in=[sender for sender, _ in _roles(run)]).order_by("id"))


def _node(source: DataSource) -> str:
    return source.data_router.node.name if source.data_router else ""


def _blind_nodes(sources: list[DataSource]) -> set[str]:
    """Nodes whose files nobody can read."""
    routers = [source.data_router for source in sources if source.data_router is not None]
    return {router.node.name for router in routers if router.node.access == Access.AGENT}


def _boards(run: Run, sources: list[DataSource]) -> Iterator[Board]:
    configured = read_outs(run)
    for source in sources:
        read_out = configured.get(source.sender_id, ReadOut())
        mutant = source.role == Role.MUTANT
        if not read_out.active or (mutant and read_out.mutant_read is False):
            continue
        number = NUMBER.search(source.sender_id)
        cobo = read_out.cobo if read_out.cobo is not None else int(number[1]) if number else None
        router = source.data_router.name if source.data_router else ""
        yield Board(source.sender_id, router, mutant, cobo, read_out.asads, _excluded(run, source.ecc_server.name))


def _excluded(run: Run, server: str) -> str:
    """That the crew went on without it from some moment on."""
    out = run.excluded.get(server)
    if not out or (MEANWHILE not in out and "included_at" not in out):
        return ""
    since = f" at {_clock(datetime.fromisoformat(out['at']))}" if MEANWHILE in out else ""
    return f"{server} was excluded{since} ({out['reason']})"


def _longest(run: Run) -> float | None:
    """Seconds from the earliest moment a frame may have been taken; unknown for boards that ran before."""
    end = run.stopped_at or run.closed_at
    return None if run.adopted or end is None else (end - run.requested_at).total_seconds()


def _of_nodes(run: Run, nodes: set[str], unlike: set[str]) -> Iterator[Finding]:
    for name in sorted(unlike):
        text = "is reached through its HTTP agent, which cannot read files: nothing is proven of what lies there"
        yield Finding(Level.NOT_PROVEN, name, text, "agent")
    for state in NodeState.objects.filter(node__name__in=nodes, clock_off=True).select_related("node"):
        text = f"its clock is {offset_words(state.clock_offset or 0.0)}: the times in its file names are off too"
        yield Finding(Level.REMARK, state.node.name, text, "node clock")
    samples = RouterSample.objects.filter(run_id=run.pk, node__in=nodes, disk_free__isnull=False)
    for row in samples.values("node").annotate(least=Min("disk_free")).order_by("node"):
        if row["least"] < DISK_FULL:
            free = f"{row['least'] / 1e6:.0f} MB"
            text = f"its disk was full ({free} free): a data router drops frames then, and says nothing"
            yield Finding(Level.INCOMPLETE, row["node"], text, "disk")


def _of_routers(run: Run, sources: list[DataSource]) -> Iterator[Finding]:
    routers = DataRouter.objects.filter(data_source__in=sources)
    for state in RouterState.objects.filter(data_router__in=routers).select_related("data_router"):
        if state.restarted_at and run.requested_at <= state.restarted_at <= _end(run):
            text = f"was restarted at {_clock(state.restarted_at)}, during the run"
            yield Finding(Level.REMARK, state.data_router.name, text, "restarted")


def _of_setup(run: Run) -> Iterator[Finding]:
    """Boards that nobody can look for any more, as where the setup was changed before a run was checked again."""
    senders = [sender for sender, _ in _roles(run)]
    there = set(DataSource.objects.filter(sender_id__in=senders).values_list("sender_id", flat=True))
    for sender in senders:
        if sender not in there:
            text = "is not in the setup any more: whether all of its data are there cannot be told"
            yield Finding(Level.NOT_PROVEN, sender, text, "setup")


def _of_boards(run: Run) -> Iterator[Finding]:
    """Boards that were seen to leave Running before anybody ended the run; of one that was excluded it is no news."""
    if run.started_at is None:
        return
    ending = run.commands.exclude(action=Action.START).filter(targets__isnull=True, requested_at__gt=run.started_at)
    end = ending.order_by("requested_at").values_list("requested_at", flat=True).first() or _end(run)
    servers = [server for server in run.configuration if server not in out_throughout(run)]
    events = Event.objects.filter(topic="ecc", subject__in=servers, at__gt=run.started_at, at__lt=min(end, _end(run)))
    for event in events.filter(text__startswith=LEFT_RUNNING).order_by("id"):
        text = f"was {event.text.removeprefix(LEFT_RUNNING)} at {_clock(event.at)}, while the run went on"
        level = Level.REMARK if _excluded(run, event.subject) else Level.INCOMPLETE
        yield Finding(level, event.subject, text, "left running")


def _of_quarantine(run: Run, nodes: set[str]) -> Iterator[Finding]:
    """Files kept apart since the run began that may be of it, unless the name says that it was over."""
    for kept in Quarantined.objects.filter(node__in=nodes, at__gte=run.requested_at).order_by("id"):
        name = parsed(kept.name)
        if run.pk not in may_be_of(kept.why, kept.at):
            continue
        if name is None:
            text = f"is in quarantine, and no data router gives such a name. {kept.why}"
            yield Finding(Level.REMARK, f"{kept.node}: {kept.name}", text, "quarantine")
        elif not _is_after(run, kept.node, name.timestamp):
            text = f"is in quarantine and may belong to this run. {kept.why}"
            yield Finding(Level.INCOMPLETE, f"{kept.node}: {kept.name}", text, "quarantine")


def _is_after(run: Run, node: str, began: datetime) -> bool:
    """Whether a file that began then, in its node's local time (facts 4), began after the run."""
    ahead = NodeState.objects.filter(node__name=node).values_list("utc_offset", flat=True).first()
    if ahead is None:
        return False
    return began.replace(tzinfo=timezone.get_fixed_timezone(ahead)) > _end(run) + NAME_AFTER


def _end(run: Run) -> datetime:
    return run.stopped_at or run.closed_at or timezone.now()


def _clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M:%S}"
