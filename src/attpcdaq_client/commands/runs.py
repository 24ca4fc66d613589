"""Runs, and what is known of their data."""

import click

from attpcdaq_client.areas.runs import Manifest, RunDetail
from attpcdaq_client.commands.framework import DaqGroup, Session, pass_session
from attpcdaq_client.commands.text import clean, lasting, pairs, size, table, when

experiment = click.option("--experiment", metavar="NAME", default=None, help="Another one than the active one.")
number = click.argument("number", type=click.IntRange(min=1))


@click.group(cls=DaqGroup)
def runs() -> None:
    """Runs: list, show, check, manifest, configuration, rates."""


@runs.command("list")
@experiment
@pass_session
def _list(session: Session, experiment: str | None) -> None:
    """Runs of an experiment, newest first."""
    found = session.client.runs.all(experiment=experiment)
    head = ("run", "state", "class", "started", "duration", "title", "verdict")
    rows = [
        (run.number, run.state, run.run_class, run.started_at, lasting(run.duration), run.title, run.verdict)
        for run in found
    ]
    session.show(found, lambda: table(head, rows, "No runs."))


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
            ("verdict", run.verdict),
            ("directory", run.directory),
            ("without", [f"{name} ({why.get('reason', '')})" for name, why in run.excluded.items()]),
            ("notes", run.notes),
        ]
    )
    measured = table(("observable", "value", "unit"), [(one.name, one.value, one.unit) for one in run.measurements])
    rows = [(file.kind, file.node, size(file.size), file.path) for file in run.files]
    return [*head, "", *measured, "", *table(("kind", "node", "size", "path"), rows, "No files.")]


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
