"""Configurations of the boards."""

from pathlib import Path

import click

from attpcdaq_client.areas.configs import Pair
from attpcdaq_client.commands.files import output, write
from attpcdaq_client.commands.framework import DaqGroup, Session, pass_session
from attpcdaq_client.commands.text import clean, table


@click.group(cls=DaqGroup)
def configs() -> None:
    """Configurations: compare them, choose them, fetch them."""


@configs.command("diff")
@click.argument("a")
@click.argument("b")
@pass_session
def _diff(session: Session, a: str, b: str) -> None:
    """Compare two: each EXPERIMENT/NUMBER, EXPERIMENT/NUMBER/loaded, or now."""
    found = session.client.configs.diff(a, b)
    session.show(found, lambda: [line for pair in found for line in _pair(pair)] or ["Nothing to compare."])


def _pair(pair: Pair) -> list[str]:
    names = f"{pair.old_name or 'none'} -> {pair.new_name or 'none'}"
    head = clean(f"{pair.kind} of {', '.join(pair.ecc_servers)}: {names}: {pair.likeness} {pair.problem}").rstrip()
    if not pair.differences:
        return [head]
    rows = [(one.group, one.parameter, one.old, one.new) for one in pair.differences]
    more = pair.count - len(rows)
    return [head, *table(("where", "parameter", "old", "new"), rows), *([f"... and {more} more"] if more > 0 else [])]


@configs.command("file")
@click.argument("sha256")
@output
@pass_session
def _file(session: Session, sha256: str, output: Path | None) -> None:
    """The exact bytes of a configuration, by its SHA-256."""
    write(session.client.configs.content(sha256), output)
