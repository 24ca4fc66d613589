"""`manage.py token create NAME [--user USER]`, `token list`, `token revoke NAME`."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from attpcdaq.audit.people import Requester, at_the_console
from attpcdaq.web import tokens
from attpcdaq.web.models import ApiToken


class Command(BaseCommand):
    help = "Tokens for the HTTP API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a token and print it, once")
        create.add_argument("name", help="what it is for")
        create.add_argument(
            "--user", help=f"whose rights it has (default: a user {tokens.DEFAULT_USER!r} who may operate)"
        )
        verbs.add_parser("list", help="names, users and last use")
        verbs.add_parser("revoke", help="make a token useless").add_argument("name")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        by = at_the_console("manage.py token")
        try:
            if verb == "create":
                self.stdout.write(tokens.create(options["name"], _user(options["user"], by), by))
            elif verb == "revoke":
                tokens.revoke(options["name"], by)
            else:
                self._list()
        except tokens.TokenRefusedError as error:
            raise CommandError(str(error)) from None

    def _list(self) -> None:
        for token in ApiToken.objects.select_related("user").order_by("name"):
            used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never"
            self.stdout.write(f"{token.name}\tuser {token.user.get_username()}\tlast used {used}")


def _user(name: str | None, by: Requester) -> User:
    if name is None:
        return tokens.api_user(by)
    user = User.objects.filter(username=name).first()
    if user is None:
        known = ", ".join(User.objects.order_by("username").values_list("username", flat=True)) or "none"
        raise CommandError(f"There is no user {name!r}; known: {known}.")
    return user
