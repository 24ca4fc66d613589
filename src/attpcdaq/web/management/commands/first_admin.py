"""`manage.py first_admin`: the account with which a new system begins."""

from typing import Any

from django.core.management.base import BaseCommand

from attpcdaq.audit.people import at_the_console
from attpcdaq.web import accounts


class Command(BaseCommand):
    help = "Make the account `admin` where there is none at all, and print its one-time password; else do nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        password = accounts.first_admin(at_the_console("manage.py first_admin"))
        if password is None:
            self.stdout.write("There are accounts already: none was made. New password: manage.py role NAME --one-time")
        else:
            self.stdout.write(f"user {accounts.FIRST_ADMIN}, one-time password {password}")
