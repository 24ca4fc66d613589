"""`manage.py role` lists accounts; `manage.py role NAME ROLE [--create]` gives one a role."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from attpcdaq.audit.people import at_the_console
from attpcdaq.web import accounts
from attpcdaq.web.accounts import AccountRefusedError
from attpcdaq.web.roles import ROLES, role_of


class Command(BaseCommand):
    help = "Who may do what: observer, shifter, expert or admin. Without arguments, the accounts and their roles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="user name")
        parser.add_argument("role", nargs="?", choices=ROLES)
        parser.add_argument("--create", action="store_true", help="make the account and print its password, once")

    def handle(self, *args: Any, name: str | None, role: str | None, create: bool, **options: Any) -> None:
        if name is None:
            self._list()
        elif role is None:
            raise CommandError(f"Say which role {name} shall have: {', '.join(ROLES)}.")
        else:
            self._give(name, role, create=create)

    def _list(self) -> None:
        for user in User.objects.order_by("username"):
            self.stdout.write(f"{user.get_username()}\t{role_of(user) if user.is_active else 'not active'}")

    def _give(self, name: str, role: str, *, create: bool) -> None:
        by = at_the_console("manage.py role")
        user = User.objects.filter(username=name).first()
        try:
            if create:
                self.stdout.write(accounts.create(name, role, by))
            elif user is None:
                raise AccountRefusedError(f"There is no user {name!r}; --create makes one.")
            else:
                self.stderr.write(f"{name}: {accounts.set_role(user, role, by)} -> {role}")
        except AccountRefusedError as error:
            raise CommandError(str(error)) from None
