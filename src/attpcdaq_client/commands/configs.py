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


@configs.command("choices")
@click.option("--server", default=None, metavar="NAME", help="Only what fits this ECC server.")
@pass_session
def _choices(session: Session, server: str | None) -> None:
    """Which configurations fit each ECC server, who else uses them, and in which run last."""
    found = session.client.configs.choices(server)
    head = ("ecc server", "chosen", "describe", "prepare", "configure", "listed", "also used by", "runs", "last run")
    rows = [
        (
            one.ecc_server,
            each.chosen,
            each.describe,
            each.prepare,
            each.configure,
            each.listed,
            each.others,
            each.runs,
            f"{each.last_experiment}/{each.last_run}" if each.last_run else "",
        )
        for one in found
        for each in one.choices
    ]
    session.show(found, lambda: table(head, rows, "No configurations."))


@configs.command("choose")
@click.argument("prepare")
@click.argument("configure")
@click.option("--server", default=None, metavar="NAME", help="Only this ECC server; needs --describe.")
@click.option("--describe", default=None, metavar="NAME", help="With --server: the name for Describe.")
@pass_session
def _choose(session: Session, prepare: str, configure: str, server: str | None, describe: str | None) -> None:
    """Choose a configuration, for all ECC servers that offer it or for one."""
    done = session.client.configs.choose(prepare, configure, ecc_server=server, describe=describe)
    without = f" It does not fit {clean(', '.join(done.without))}." if done.without else ""
    session.did(done, f"Chosen; {done.changed} changed.{without}")


@configs.command("fetch")
@click.argument("servers", nargs=-1)
@pass_session
def _fetch(session: Session, servers: tuple[str, ...]) -> None:
    """Ask ECC servers anew which configurations they list; all of them, or those named."""
    found = session.client.configs.fetch(servers or None)
    session.did(found, "Asked; `configs choices` has what they list soon after.")
