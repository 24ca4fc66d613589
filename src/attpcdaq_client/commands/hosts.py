"""Host keys of the nodes."""

import click

from attpcdaq_client.areas.hosts import NodeKeys
from attpcdaq_client.commands.framework import DaqGroup, Session, pass_session
from attpcdaq_client.commands.text import clean, table

HEAD = ("node", "address", "standing", "trusted", "shown", "remark")


@click.group(cls=DaqGroup)
def hosts() -> None:
    """Host keys of the nodes: which are trusted."""


@hosts.command("keys")
@pass_session
def _keys(session: Session) -> None:
    """Of every node."""
    found = session.client.hosts.keys()
    session.show(found, lambda: table(HEAD, map(_row, found)))


def _row(node: NodeKeys) -> tuple[object, ...]:
    remark = "being read" if node.reading else node.problem
    return node.name, node.address, node.standing, [key.fingerprint for key in node.trusted], node.shown, remark


def _told(session: Session, node: NodeKeys) -> None:
    session.did(node, f"{clean(node.name)}: {clean(node.standing)}")


@hosts.command("read")
@click.argument("node")
@pass_session
def _read(session: Session, node: str) -> None:
    """Ask for the key that a node shows; `hosts keys` has it soon after. For experts."""
    _told(session, session.client.hosts.read(node))


@hosts.command("pin")
@click.argument("node")
@click.argument("fingerprint")
@click.option("--reason", default="", help="Needed where another key is pinned.")
@pass_session
def _pin(session: Session, node: str, fingerprint: str, reason: str) -> None:
    """Trust a key that you compared with the node's own. For experts."""
    _told(session, session.client.hosts.pin(node, fingerprint, reason=reason))


@hosts.command("unpin")
@click.argument("node")
@click.argument("fingerprint")
@pass_session
def _unpin(session: Session, node: str, fingerprint: str) -> None:
    """Trust a key no longer. For experts."""
    _told(session, session.client.hosts.unpin(node, fingerprint))
