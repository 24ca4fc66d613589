"""`manage.py role`: accounts; `role NAME ROLE [--create]` gives one a role, `role NAME --one-time` a new password."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from attpcdaq.audit.people import at_the_console
from attpcdaq.web import accounts
from attpcdaq.web.accounts import AccountRefusedError
from attpcdaq.web.roles import ROLES, role_of


class Command(BaseCommand):
    help = "Who may do what: observer, shifter, expert or admin. Without arguments, the accounts and their roles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="user name")
        parser.add_argument("role", nargs="?", choices=ROLES)
        parser.add_argument("--create", action="store_true", help="make the account and print its one-time password")
        parser.add_argument("--one-time", action="store_true", help="print a one-time password for who forgot the own")

    def handle(self, *args: Any, name: str | None, role: str | None, **options: Any) -> None:
        if name is None:
            return self._list()
        if role is None and (options["create"] or not options["one_time"]):
            raise CommandError(f"Say which role {name} shall have: {', '.join(ROLES)}.")
        try:
            self._give(name, role, create=options["create"], one_time=options["one_time"])
        except AccountRefusedError as error:
            raise CommandError(str(error)) from None

    def _list(self) -> None:
        for user in User.objects.order_by("username"):
            self.stdout.write(f"{user.get_username()}\t{role_of(user) if user.is_active else 'not active'}")

    @transaction.atomic
    def _give(self, name: str, role: str | None, *, create: bool, one_time: bool) -> None:
        by = at_the_console("manage.py role")
        if create and role:
            self.stdout.write(accounts.create(name, role, by))
            return
        user = User.objects.filter(username=name).first()
        if user is None:
            raise AccountRefusedError(f"There is no user {name!r}; --create makes one.")
        if role:
            self.stderr.write(f"{name}: {accounts.set_role(user, role, by)} -> {role}")
        if one_time:
            self.stdout.write(accounts.new_password(user, by))
