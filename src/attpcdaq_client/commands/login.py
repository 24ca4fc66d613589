"""`attpcdaq login`: address and token are kept for the next commands."""

import os

import click

from attpcdaq_client.commands import settings
from attpcdaq_client.commands.framework import DaqCommand, Session, pass_session
from attpcdaq_client.commands.settings import Settings
from attpcdaq_client.commands.text import clean


@click.command(cls=DaqCommand)
@pass_session
def login(session: Session) -> None:
    """Keep address and token in ~/.config/attpcdaq.toml, once the DAQ has accepted them.

    A token is made on the page "Your account". What --url, --token and --ca do not say is asked for.
    """
    given = settings.found(session.options, os.environ)
    url = session.options.url or click.prompt("Address of the DAQ", default=given.url or "http://127.0.0.1:8080")
    token = session.options.token or click.prompt("API token (not shown)", hide_input=True)
    chosen = Settings(url.strip().rstrip("/"), token.strip(), given.ca)
    account = session.connected(chosen).accounts.mine()
    file = settings.path(os.environ)
    try:
        settings.keep(chosen, file)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error}") from None
    session.did(account, f"{chosen.url} knows you as {clean(account.name)}, {clean(account.role)}. Kept in {file}.")


@click.command(cls=DaqCommand)
@pass_session
def whoami(session: Session) -> None:
    """Whose token this is, and what it may do."""
    account = session.client.accounts.mine()
    session.did(account, f"{clean(account.name)}, {clean(account.role)} (token {clean(account.token)})")
