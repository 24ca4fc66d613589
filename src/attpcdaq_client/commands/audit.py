"""The audit trail."""

import click

from attpcdaq_client.commands.framework import DaqCommand, Session, pass_session
from attpcdaq_client.commands.text import table

limit = click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)


@click.command(cls=DaqCommand)
@click.option("--who", default="")
@click.option("--what", default="")
@click.option("--outcome", type=click.Choice(["accepted", "refused", "done", "failed"]), default=None)
@click.option("--text", default="", help="In subject, text, origin or request ID.")
@click.option("--command", "command_id", default=None, metavar="ID", help="What belongs to this command.")
@click.option("--before", type=click.IntRange(min=1), default=None, metavar="ID", help="Older than this line.")
@limit
@pass_session
def audit(
    session: Session,
    who: str,
    what: str,
    outcome: str | None,
    text: str,
    command_id: str | None,
    before: int | None,
    limit: int,
) -> None:
    """Who did what, newest first."""
    found = session.client.audit.lines(
        who=who, what=what, outcome=outcome or "", text=text, command=command_id, before=before, limit=limit
    )
    head = ("id", "at", "who", "role", "what", "subject", "outcome", "text")
    rows = [(one.id, one.at, one.who, one.role, one.what, one.subject, one.outcome, one.text) for one in found]
    session.show(found, lambda: table(head, rows, "No lines."))
