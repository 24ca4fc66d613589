"""Observables and experiments."""

from collections.abc import Callable
from typing import Any

import click

from attpcdaq_client.areas.sheets import Experiment, Observable, ObservableChange
from attpcdaq_client.commands.framework import DaqGroup, Session, pass_session
from attpcdaq_client.commands.run_filter import experiment
from attpcdaq_client.commands.text import clean, table

HEAD = ("id", "name", "type", "unit", "required", "minimum", "maximum", "retired", "comment")
known = click.argument("name", metavar="OBSERVABLE")


def _fields(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how an observable is."""
    options = (
        click.option("--type", metavar="TYPE", default=None, help="integer, number or text."),
        click.option("--unit", default=None),
        click.option("--comment", default=None),
        click.option("--required/--not-required", default=None, help="A sheet without it is called incomplete."),
        click.option("--min", "minimum", metavar="NUMBER", default=None, help="Smallest allowed; or none."),
        click.option("--max", "maximum", metavar="NUMBER", default=None, help="Largest allowed; or none."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _given(words: dict[str, Any]) -> ObservableChange:
    """What was said, with limits as numbers."""
    given = {name: value for name, value in words.items() if value is not None}
    for name in ("minimum", "maximum"):
        if name in given:
            given[name] = _limit(name, given[name])
    return given  # type: ignore[return-value]  # the options above


def _limit(name: str, text: str) -> float | None:
    if text.lower() == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{name} {text!r}: give a number, or none.") from None


@click.group(cls=DaqGroup)
def observables() -> None:
    """What is recorded for each run: list, add, change, order, retire, bring-back, remove, copy."""


@observables.command("list")
@experiment
@click.option("--retired", is_flag=True, help="Those not asked for any more, too.")
@pass_session
def _list(session: Session, experiment: str | None, retired: bool) -> None:
    """In the order of the sheet."""
    found = session.client.observables.all(experiment=experiment, retired=retired)
    session.show(found, lambda: table(HEAD, map(_row, found), "No observables."))


def _row(one: Observable) -> tuple[object, ...]:
    fields = ("id", "name", "type", "unit", "required", "minimum", "maximum", "retired_at", "comment")
    return tuple(getattr(one, field) for field in fields)


def _shown(session: Session, one: Observable) -> None:
    session.show(one, lambda: table(HEAD, [_row(one)]))


def _find(session: Session, name: str, experiment: str | None) -> int:
    """The id of this observable. UsageError names the known ones."""
    found = session.client.observables.all(experiment=experiment, retired=True)
    ids = {one.name: one.id for one in found}
    if name not in ids:
        raise click.UsageError(f"There is no observable {name!r}; known: {clean(', '.join(ids)) or 'none'}.")
    return ids[name]


@observables.command("add")
@click.argument("name")
@_fields
@experiment
@pass_session
def _add(session: Session, /, name: str, experiment: str | None, **words: Any) -> None:
    """Record one more, at the end of the sheet."""
    wish = _given({"name": name, **words})
    _shown(session, session.client.observables.add(wish, experiment=experiment))


@observables.command("change")
@known
@click.option("--name", "new_name", default=None, help="Another name.")
@_fields
@experiment
@pass_session
def _change(session: Session, /, name: str, new_name: str | None, experiment: str | None, **words: Any) -> None:
    """Change one; what is not given stays."""
    changes = _given({"name": new_name, **words})
    _shown(session, session.client.observables.change(_find(session, name, experiment), changes))


@observables.command("order")
@click.argument("names", nargs=-1, required=True)
@experiment
@pass_session
def _order(session: Session, names: tuple[str, ...], experiment: str | None) -> None:
    """Put them in this order; name all that are asked for."""
    ids = [_find(session, name, experiment) for name in names]
    found = session.client.observables.order(ids, experiment=experiment)
    session.show(found, lambda: table(HEAD, map(_row, found)))


@observables.command("retire")
@known
@experiment
@pass_session
def _retire(session: Session, name: str, experiment: str | None) -> None:
    """Ask for it no more; its values stay."""
    _shown(session, session.client.observables.retire(_find(session, name, experiment)))


@observables.command("bring-back")
@known
@experiment
@pass_session
def _bring_back(session: Session, name: str, experiment: str | None) -> None:
    """Ask for it again."""
    _shown(session, session.client.observables.bring_back(_find(session, name, experiment)))


@observables.command("remove")
@known
@experiment
@pass_session
def _remove(session: Session, name: str, experiment: str | None) -> None:
    """Remove one that no run has a value of."""
    session.client.observables.remove(_find(session, name, experiment))
    session.did(None, f"{name} is removed.")


@observables.command("copy")
@click.argument("source")
@experiment
@pass_session
def _copy(session: Session, source: str, experiment: str | None) -> None:
    """Add those of the experiment SOURCE."""
    done = session.client.observables.copy(source, experiment=experiment)
    there = f"; there already: {clean(', '.join(done.there_already))}" if done.there_already else ""
    session.did(done, f"Added: {clean(', '.join(done.copied)) or 'none'}{there}.")


@click.group(cls=DaqGroup)
def experiments() -> None:
    """Experiments: list, new, rename, activate."""


@experiments.command("list")
@pass_session
def _experiments(session: Session) -> None:
    """All of them, newest first."""
    found = session.client.experiments.all()
    rows = [(one.name, one.active, one.runs, one.directory, one.created_at) for one in found]
    session.show(found, lambda: table(("experiment", "active", "runs", "directory", "made"), rows, "No experiments."))


@experiments.command("new")
@click.argument("name")
@click.option("--activate", is_flag=True, help="New runs belong to it from now on.")
@pass_session
def _new(session: Session, name: str, activate: bool) -> None:
    """Make an experiment."""
    made = session.client.experiments.make(name)
    _told(session, session.client.experiments.activate(name) if activate else made)


@experiments.command("rename")
@click.argument("name")
@click.argument("new_name")
@pass_session
def _rename(session: Session, name: str, new_name: str) -> None:
    """Give it another name; the directory of its data stays, from the first run on."""
    _told(session, session.client.experiments.rename(name, new_name))


@experiments.command("activate")
@click.argument("name")
@pass_session
def _activate(session: Session, name: str) -> None:
    """New runs belong to it from now on."""
    _told(session, session.client.experiments.activate(name))


def _told(session: Session, one: Experiment) -> None:
    active = "active" if one.active else "not active"
    session.did(one, f"{clean(one.name)}: {active}, {one.runs} runs, data in {clean(one.directory)}/")
