"""The setup: its file, its rows, Easy setup, connection tests."""

import shlex
import tomllib
from pathlib import Path
from typing import Any, Literal

import click
import tomli_w

from attpcdaq_client.areas.setup import Changes, Kind
from attpcdaq_client.commands.following import done_or_exit, follow
from attpcdaq_client.commands.framework import DaqGroup, Session, pass_session
from attpcdaq_client.commands.text import clean

KINDS = ("node", "ecc_server", "data_router", "data_source")
dry_run = click.option("--dry-run", is_flag=True, help="Only say what would change.")
file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
kind_of_row = click.argument("kind", type=click.Choice(KINDS))
keys_of_row = click.argument("keys", nargs=-1, metavar="[KEY=VALUE]...")
TEST_WITHIN = 30.0


@click.group(cls=DaqGroup)
def setup() -> None:
    """The setup: show, preview, load, easy, add, change, remove, test."""


@setup.command("show")
@pass_session
def _show(session: Session) -> None:
    """The setup as its file: save it, edit it, load it."""
    found = session.client.setup.now()
    if session.as_json:
        session.did(found.document(), "")
    else:
        click.echo(tomli_w.dumps(found.document()), nl=False)


@setup.command("load")
@file
@dry_run
@pass_session
def _load(session: Session, file: Path, dry_run: bool) -> None:
    """Load a whole setup from a FILE; what is not in it goes. For experts."""
    _told(session, session.client.setup.load(_read(file), dry_run=dry_run))


@setup.command("preview")
@file
@pass_session
def _preview(session: Session, file: Path) -> None:
    """What loading a FILE would change."""
    _told(session, session.client.setup.load(_read(file), dry_run=True))


@setup.command("easy")
@click.option("--cobos", type=click.IntRange(1), default=None)
@click.option("--numbers", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None, metavar="FILE")
@click.option("--set", "keys", multiple=True, metavar="KEY=VALUE", help="Such as mutant=readout or ecc.port=8083.")
@dry_run
@pass_session
def _easy(session: Session, cobos: int | None, numbers: Path | None, keys: tuple[str, ...], dry_run: bool) -> None:
    """Load a regular detector made from a few numbers, of a TOML FILE or --set. For experts."""
    wish = (_read(numbers) if numbers else {}) | _keys(keys) | ({"cobos": cobos} if cobos else {})
    _told(session, session.client.setup.easy(wish, dry_run=dry_run))


@setup.command("add")
@kind_of_row
@click.argument("name")
@keys_of_row
@click.option("--also", multiple=True, metavar="'KIND NAME KEY=VALUE ...'", help="Another row that it needs beside it.")
@pass_session
def _add(session: Session, kind: Kind, name: str, keys: tuple[str, ...], also: tuple[str, ...]) -> None:
    """Add a row, with what it needs beside it. For experts."""
    _told(session, session.client.setup.add(kind, name, {**_keys(keys), "also": [_beside(each) for each in also]}))


@setup.command("change")
@kind_of_row
@click.argument("name")
@keys_of_row
@pass_session
def _change(session: Session, kind: Kind, name: str, keys: tuple[str, ...]) -> None:
    """Change a row; name=NEW renames it. For experts."""
    _told(session, session.client.setup.change(kind, name, _keys(keys)))


@setup.command("remove")
@kind_of_row
@click.argument("name")
@dry_run
@pass_session
def _remove(session: Session, kind: Kind, name: str, dry_run: bool) -> None:
    """Remove a row, with what cannot be without it: --dry-run says what. For experts."""
    _told(session, session.client.setup.remove(kind, name, dry_run=dry_run))


@setup.command("test")
@click.argument("kind", type=click.Choice(["ecc", "router", "node"]))
@click.argument("name")
@click.option("--set", "keys", multiple=True, metavar="KEY=VALUE", help="Of a row that is not saved yet.")
@pass_session
def _test(session: Session, kind: Literal["ecc", "router", "node"], name: str, keys: tuple[str, ...]) -> None:
    """Try the connection to an ECC server, a data router or a node. For experts."""
    client = session.client.setup
    test = client.test(kind, name, _keys(keys) or None)
    ended = follow(session, lambda: client.tested(test.id), lambda seen: seen.over, TEST_WITHIN, "The test")
    session.show(ended, lambda: [f"{each.level:4}  {clean(each.text)}" for each in ended.findings])
    done_or_exit(session, ended.state, f"The connection to {name} does not work ({ended.state}).")


def _told(session: Session, found: Changes) -> None:
    session.show(found, lambda: _in_words(found))


def _in_words(found: Changes) -> list[str]:
    lines = []
    for change in found.changes:
        lines.append(clean(f"{change.verb} {change.kind} {change.name}"))
        lines += [
            clean(f"    {each.key}: {each.new if each.old is None else f'{each.old} -> {each.new}'}")
            for each in change.differences
        ]
    return [*lines, "Done." if found.loaded else "Nothing was changed."]


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.UsageError(f"{file}: {error}") from None


def _keys(words: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """KEY=VALUE, KEY.PART=VALUE; a number is one, everything else is text."""
    found: dict[str, Any] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise click.UsageError(f"{word!r}: give it as KEY=VALUE.")
        place, *parts = key.split(".")
        if not parts:
            found[place] = _value(value)
        elif isinstance(table := found.setdefault(place, {}), dict):
            table[".".join(parts)] = _value(value)
        else:
            raise click.UsageError(f"{word!r}: {place} has a value already: give it, or its parts.")
    return found


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _beside(text: str) -> dict[str, Any]:
    try:
        kind, name, *keys = shlex.split(text)
    except ValueError:
        raise click.UsageError(f"--also {text!r}: give it as 'KIND NAME KEY=VALUE ...'.") from None
    return {"kind": kind, "name": name, **_keys(keys)}
