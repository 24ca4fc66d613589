"""The status as lines of text."""

from collections.abc import Iterator
from datetime import datetime

from attpcdaq_client.areas.status import DataRouter, EccServer, RunNow, Status
from attpcdaq_client.commands.text import cell, clean, lasting, size, table, when, yes


def in_words(now: Status) -> Iterator[str]:
    """A page of lines."""
    yield f"{clean(now.overall.title)}  [{now.overall.level}]  {when(now.at)}"
    yield from (f"  - {clean(reason)}" for reason in now.overall.reasons)
    yield ""
    yield from _run(now)
    if now.control and now.control.holder:
        yield f"In charge: {clean(now.control.holder)}"
    if now.command and not now.command.over:
        yield f"Command: {now.command.action} {now.command.state}, by {clean(now.command.requested_by)}"
    yield ""
    yield from table(("ecc server", "state", "age", "configuration", "remark"), map(_server, now.ecc_servers))
    yield ""
    head = ("data router", "online", "files", "bytes", "rate", "events", "events/s", "disk free", "age", "remark")
    yield from table(head, map(_router, now.data_routers))


def _run(now: Status) -> Iterator[str]:
    if now.run:
        yield f"Run {_named(now.run)}, {clean(now.run.state)} {lasting(_seconds(now.run, now.at))}"
    else:
        number = now.next_run_number
        yield f"No run is open; the next one is {cell(number)} of {cell(now.experiment)}."
    if now.last_run and not now.run:
        last = now.last_run
        verdict = f": {clean(last.verdict)}" if last.verdict else ""
        yield f"Last run {_named(last)}, {clean(last.state)} {when(last.stopped_at)}{verdict}"


def _named(run: RunNow) -> str:
    title = f' "{clean(run.title)}"' if run.title else ""
    return f"{run.number} of {clean(run.experiment)} ({clean(run.run_class)}){title}"


def _seconds(run: RunNow, now: datetime) -> float | None:
    return (now - run.started_at).total_seconds() if run.started_at and not run.stopped_at else None


def _server(server: EccServer) -> tuple[object, ...]:
    state = f"{server.state} -> {server.going_to}" if server.going_to else server.state
    excluded = f"excluded: {server.excluded.reason}" if server.excluded else ""
    trouble = server.trouble.title if server.trouble else ""
    remarks = [excluded, trouble, server.problem, server.progress, *server.drifts]
    return server.name, state, _age(server.age), server.config, "; ".join(filter(None, remarks))


def _router(router: DataRouter) -> tuple[object, ...]:
    trouble = router.trouble.title if router.trouble else ""
    remarks = ["excluded" if router.excluded else "", trouble, router.problem]
    return (
        router.name,
        yes(router.online),
        router.files,
        size(router.bytes),
        size(router.rate, "/s"),
        router.last_event,
        round(router.event_rate, 1),
        size(router.disk_free),
        _age(router.age),
        "; ".join(filter(None, remarks)),
    )


def _age(seconds: float | None) -> str:
    return "never seen" if seconds is None else f"{seconds:.0f} s"
