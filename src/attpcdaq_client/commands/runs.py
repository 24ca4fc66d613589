"""Runs, and what is known of their data."""

import sys
from pathlib import Path

import click

from attpcdaq_client.areas.runs import Manifest, Run, RunDetail, RunFilter
from attpcdaq_client.commands.files import output, write
from attpcdaq_client.commands.framework import DaqGroup, Session, pass_session
from attpcdaq_client.commands.run_filter import experiment, filtered, number
from attpcdaq_client.commands.text import clean, lasting, pairs, size, table, when

FORMATS = ("csv", "xlsx", "json")


@click.group(cls=DaqGroup)
def runs() -> None:
    """Runs: list, show, export, and what is known of their data."""


@runs.command("list")
@filtered
@click.option("--limit", type=click.IntRange(1, 1000), default=1000, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True)
@pass_session
def _list(session: Session, wanted: RunFilter, limit: int, offset: int) -> None:
    """Runs of an experiment, newest first."""
    found = session.client.runs.all(wanted, limit=limit, offset=offset)
    head = ("run", "state", "class", "started", "duration", "data", "verdict", "title", "problem")
    session.show(found, lambda: table(head, map(_row, found), "No runs."))


def _row(run: Run) -> tuple[object, ...]:
    return (
        run.number,
        run.state,
        run.run_class,
        run.started_at,
        lasting(run.duration),
        size(run.data_bytes),
        run.data_verdict,
        run.title,
        run.verdict,
    )


@runs.command("export")
@click.option("--format", "kind", type=click.Choice(FORMATS), default=None, help="Default: as FILE ends, else csv.")
@output
@filtered
@pass_session
def _export(session: Session, wanted: RunFilter, kind: str | None, output: Path | None) -> None:
    """A table of runs with their sheets, for other programs: CSV, Excel or JSON."""
    ending = output.suffix.removeprefix(".").lower() if output else ""
    chosen = kind or (ending if ending in FORMATS else "csv")
    if chosen == "xlsx" and output is None and sys.stdout.isatty():
        raise click.UsageError("A workbook is nothing for a terminal: give --output FILE.")
    write(session.client.runs.export(chosen, wanted), output)  # type: ignore[arg-type]  # one of FORMATS


@runs.command("show")
@number
@experiment
@pass_session
def _show(session: Session, number: int, experiment: str | None) -> None:
    """A run with its files and its sheet."""
    run = session.client.runs.one(number, experiment=experiment)
    session.show(run, lambda: _run_in_words(run))


def _run_in_words(run: RunDetail) -> list[str]:
    head = pairs(
        [
            ("run", f"{run.number} of {run.experiment}"),
            ("title", run.title),
            ("class", run.run_class),
            ("state", run.state),
            ("started", when(run.started_at)),
            ("stopped", when(run.stopped_at)),
            ("duration", lasting(run.duration)),
            ("operator", run.operator),
            ("problem", run.verdict),
            ("data", f"{run.data_files} files, {size(run.data_bytes)}, {run.data_verdict or 'not checked'}"),
            ("directory", run.directory),
            ("without", [f"{name} ({why.get('reason', '')})" for name, why in run.excluded.items()]),
            ("notes", run.notes),
        ]
    )
    values = [(one.name, one.value, one.unit) for one in run.measurements]
    measured = table(("observable", "value", "unit"), values, "Nothing was measured.")
    rows = [(file.kind, file.node, size(file.size), file.path) for file in run.files]
    files = table(("kind", "node", "size", "path"), rows, "No files.")
    return [*head, "", *measured, "", *files, "", *_timeline(run)]


def _timeline(run: RunDetail) -> list[str]:
    """What was ordered in its time."""
    orders = run.timeline.orders if run.timeline else []
    rows = [
        (one.requested_at, one.label or one.kind, one.by, one.state, lasting(one.seconds), one.message)
        for one in orders
    ]
    return table(("at", "command", "by", "state", "took", "message"), rows, "No commands.")


@runs.command("check")
@number
@experiment
@pass_session
def _check(session: Session, number: int, experiment: str | None) -> None:
    """Have all files of a run read and judged once more."""
    session.client.runs.check(number, experiment=experiment)
    session.did(None, f"The files of run {number} are being checked once more.")


@runs.command("manifest")
@number
@experiment
@pass_session
def _manifest(session: Session, number: int, experiment: str | None) -> None:
    """Whether a run's data are complete, and why not."""
    found = session.client.runs.manifest(_named(session, experiment), number)
    session.show(found, lambda: _manifest_in_words(found))


def _manifest_in_words(found: Manifest) -> list[str]:
    progress = found.progress
    far = f"{progress.files} of {progress.of_files} files" if progress and not found.verdict else ""
    head = [f"Run {found.run} of {found.experiment}: {found.verdict or f'being checked, {far} read'}"]
    reasons = [f"  - {clean(reason.text)}" for reason in found.reasons]
    rows = [
        (one.source, one.files, size(one.bytes), one.frames, one.events, one.first_event, one.last_event, one.missing)
        for one in found.sources
    ]
    columns = ("source", "files", "size", "frames", "events", "first", "last", "missing")
    return [*head, *reasons, "", *table(columns, rows, "No data.")]


@runs.command("configuration")
@number
@experiment
@pass_session
def _configuration(session: Session, number: int, experiment: str | None) -> None:
    """What every ECC server of a run was set up with."""
    found = session.client.runs.configuration(_named(session, experiment), number)
    rows = [
        (one.ecc_server, one.kind, one.source, one.name, one.loaded_is, (one.sha256 or "")[:12], one.problem)
        for one in found
    ]
    session.show(found, lambda: table(("ecc server", "kind", "from", "name", "loaded is", "sha-256", "remark"), rows))


@runs.command("rates")
@number
@experiment
@click.option("--step", type=click.IntRange(2, 86400), default=60, show_default=True, metavar="SECONDS")
@pass_session
def _rates(session: Session, number: int, experiment: str | None, step: int) -> None:
    """Rates, events and disks while a run was on."""
    found = session.client.runs.samples(_named(session, experiment), number, step=step)
    rows = [
        (router.data_router, one.at, size(one.rate, "/s"), round(one.event_rate, 1), one.event, size(one.disk_free))
        for router in found.data_routers
        for one in router.samples
    ]
    head = ("data router", "until", "rate", "events/s", "event", "disk free")
    session.show(found, lambda: table(head, rows, "No samples."))


def _named(session: Session, experiment: str | None) -> str:
    """The experiment asked for, or the active one. UsageError when there is none."""
    name = experiment or session.client.status.now().experiment
    if name is None:
        raise click.UsageError("No experiment is active: give --experiment.")
    return name
