"""The status, once or followed."""

import click

from attpcdaq_client.commands.framework import DaqCommand, Session, pass_session
from attpcdaq_client.commands.status_words import in_words
from attpcdaq_client.commands.watching import watch


@click.command(cls=DaqCommand)
@click.option("--watch", "followed", is_flag=True, help="Again each second until Ctrl-C; says when it is out of touch.")
@pass_session
def status(session: Session, followed: bool) -> None:
    """The whole status: what is wrong, the run, every ECC server and data router."""
    if followed:
        watch(session)
    else:
        now = session.client.status.now()
        session.show(now, lambda: in_words(now))
