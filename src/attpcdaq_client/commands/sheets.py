"""Run sheets and measurements."""

import click

from attpcdaq_client.areas.runs import RunFilter
from attpcdaq_client.areas.sheets import Measurements, Sheet, Value
from attpcdaq_client.commands.framework import DaqCommand, DaqGroup, Session, pass_session
from attpcdaq_client.commands.run_filter import experiment, filtered, number
from attpcdaq_client.commands.text import clean, pairs, table


@click.group(cls=DaqGroup)
def sheet() -> None:
    """Run sheets: show, write, same-as-previous, history."""


@sheet.command("show")
@number
@experiment
@pass_session
def _show(session: Session, number: int, experiment: str | None) -> None:
    """What the crew wrote of a run."""
    found = session.client.sheets.one(number, experiment=experiment)
    session.show(found, lambda: _in_words(found))


def _in_words(found: Sheet) -> list[str]:
    head = [
        ("run", f"{found.run} of {found.experiment}"),
        ("title", found.title),
        ("class", found.run_class),
        ("notes", found.notes),
        ("missing", found.missing),
    ]
    rows = [
        (one.name, "" if one.value is None else str(one.value), one.unit, _limits(one.minimum, one.maximum))
        for one in found.measurements
    ]
    return [*pairs(head), "", *table(("observable", "value", "unit", "limits"), rows, "No observables.")]


def _limits(minimum: float | None, maximum: float | None) -> str:
    low, high = ("" if limit is None else f"{limit:g}" for limit in (minimum, maximum))
    return f"{low}..{high}" if low or high else ""


@sheet.command("write")
@number
@experiment
@click.option("--title", default=None)
@click.option("--class", "run_class", default=None, metavar="CLASS")
@click.option("--notes", default=None)
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="May be repeated; NAME= takes it away.")
@pass_session
def _write(
    session: Session,
    number: int,
    experiment: str | None,
    title: str | None,
    run_class: str | None,
    notes: str | None,
    values: tuple[str, ...],
) -> None:
    """Write on the sheet of a run: all of it, or nothing."""
    measurements = dict(map(_pair, values))
    found = session.client.sheets.write(
        number, title=title, run_class=run_class, notes=notes, measurements=measurements, experiment=experiment
    )
    session.show(found, lambda: _in_words(found))


def _pair(text: str) -> tuple[str, Value | None]:
    """The API reads a value as it would be typed."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise click.UsageError(f"--set {text!r}: give it as NAME=VALUE.")
    return name.strip(), value.strip() or None


@sheet.command("same-as-previous")
@number
@click.argument("observables", nargs=-1)
@experiment
@pass_session
def _same(session: Session, number: int, observables: tuple[str, ...], experiment: str | None) -> None:
    """Take the values of the run before: of all that have none, or of the OBSERVABLES named."""
    done = session.client.sheets.same_as_previous(number, observables or None, experiment=experiment)
    source = f" from run {done.run}" if done.run else ""
    session.did(done, f"{clean(', '.join(done.filled)) or 'Nothing'} filled in{source}.")


@sheet.command("history")
@number
@experiment
@pass_session
def _history(session: Session, number: int, experiment: str | None) -> None:
    """Who wrote what on it, newest first."""
    found = session.client.sheets.history(number, experiment=experiment, limit=1000)
    rows = [(one.at, one.who, one.field, one.was, one.now, one.late) for one in found]
    session.show(found, lambda: table(("at", "who", "field", "was", "is", "after the run"), rows, "No changes."))


@click.command(cls=DaqCommand)
@filtered
@click.option("--retired", is_flag=True, help="Retired observables too.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0, show_default=True)
@pass_session
def measurements(session: Session, wanted: RunFilter, retired: bool, limit: int, offset: int) -> None:
    """Values of all observables, by run."""
    found = session.client.sheets.measurements(wanted, retired=retired, limit=limit, offset=offset)
    session.show(found, lambda: _table(found))


def _table(found: Measurements) -> list[str]:
    head = [f"{one.name} [{one.unit}]" if one.unit else one.name for one in found.observables]
    rows = [(run.number, *(run.values.get(one.name) for one in found.observables)) for run in found.runs]
    return table(("run", *map(clean, head)), rows, "No runs.")
