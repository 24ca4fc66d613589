"""Accounts and tokens."""

import click

from attpcdaq_client.areas.accounts import Token, User
from attpcdaq_client.commands.framework import DaqGroup, Session, pass_session
from attpcdaq_client.commands.text import clean, table

ROLES = ("observer", "shifter", "expert", "admin")
role_choice = click.argument("role", type=click.Choice(ROLES))


@click.group(cls=DaqGroup)
def users() -> None:
    """Accounts; for administrators."""


@users.command("list")
@pass_session
def _users(session: Session) -> None:
    """Everybody, with role and last log-in."""
    found = session.client.accounts.users()
    rows = [(one.name, one.role, one.active, one.last_login, one.tokens) for one in found]
    session.show(found, lambda: table(("user", "role", "active", "last log-in", "tokens"), rows))


@users.command("add")
@click.argument("name")
@role_choice
@pass_session
def _add(session: Session, name: str, role: str) -> None:
    """A new account; prints its one-time password."""
    made = session.client.accounts.add(name, role)
    session.did(made, made.password)
    session.tell(f"One-time password of {clean(made.name)}: it is shown only now.")


@users.command("role")
@click.argument("name")
@role_choice
@pass_session
def _role(session: Session, name: str, role: str) -> None:
    """Give an account another role."""
    _told(session, session.client.accounts.change(name, role=role))


@users.command("deactivate")
@click.argument("name")
@pass_session
def _deactivate(session: Session, name: str) -> None:
    """Nobody logs in with it any more, and its tokens open nothing; what it did stays on record."""
    _told(session, session.client.accounts.change(name, active=False))


@users.command("activate")
@click.argument("name")
@pass_session
def _activate(session: Session, name: str) -> None:
    """Take it back into use."""
    _told(session, session.client.accounts.change(name, active=True))


@users.command("password")
@click.argument("name")
@pass_session
def _password(session: Session, name: str) -> None:
    """A one-time password for who forgot the own; ends what is logged in under the name."""
    given = session.client.accounts.one_time_password(name)
    session.did(given, given.password)
    session.tell(f"One-time password of {clean(given.name)}: it is shown only now.")


def _told(session: Session, user: User) -> None:
    session.did(user, f"{clean(user.name)}: {user.role}, {'active' if user.active else 'not active'}")


@click.group(cls=DaqGroup)
def tokens() -> None:
    """API tokens, which open the DAQ to programs in your name."""


@tokens.command("list")
@click.option("--all", "everybody", is_flag=True, help="Of everybody; for administrators.")
@pass_session
def _tokens(session: Session, everybody: bool) -> None:
    """Names and last use."""
    found = session.client.accounts.tokens(everybody=everybody)
    session.show(found, lambda: table(("token", "user", "made", "last used"), map(_row, found), "No tokens."))


def _row(token: Token) -> tuple[object, ...]:
    return token.name, token.user, token.created_at, token.last_used_at or "never"


@tokens.command("make")
@click.argument("name")
@click.option("--user", default=None, help="Of somebody else; for administrators.")
@pass_session
def _make(session: Session, name: str, user: str | None) -> None:
    """A new token; prints it, once."""
    made = session.client.accounts.make_token(name, user=user)
    session.did(made, made.text)
    session.tell("It is shown only now. Whoever has it may do what its user may.")


@tokens.command("revoke")
@click.argument("name")
@pass_session
def _revoke(session: Session, name: str) -> None:
    """Make a token useless."""
    session.client.accounts.revoke_token(name)
    session.did(None, f"The token {name} opens nothing any more.")
