"""Everybody who has an account, with role and tokens, in a few questions to the database whatever their number."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from attpcdaq.web import tokens
from attpcdaq.web.accounts import with_permission
from attpcdaq.web.models import ApiToken, OneTimePassword
from attpcdaq.web.roles import OBSERVER, PERMISSIONS


@dataclass(frozen=True, slots=True)
class Person:
    """An account; `one_time`: its password was made by somebody else and not yet replaced."""

    name: str
    role: str
    active: bool
    last_login: datetime | None
    one_time: bool
    tokens: tuple[ApiToken, ...]


def everybody() -> list[Person]:
    """All accounts by name."""
    return _people(list(User.objects.order_by("username")))


def person(user: User) -> Person:
    """One of them."""
    return _people([user])[0]


def _people(users: list[User]) -> list[Person]:
    ids = [user.pk for user in users]
    once = set(OneTimePassword.objects.filter(pk__in=ids).values_list("pk", flat=True))
    roles = _roles(ids)
    owned: dict[int, list[ApiToken]] = defaultdict(list)
    for token in tokens.of(None).filter(user__in=ids):
        owned[token.user_id].append(token)
    return [
        Person(
            name=user.get_username(),
            role=roles.get(user.pk, OBSERVER),
            active=user.is_active,
            last_login=user.last_login and timezone.localtime(user.last_login),
            one_time=user.pk in once,
            tokens=tuple(owned[user.pk]),
        )
        for user in users
    ]


def _roles(ids: list[int]) -> dict[int, str]:
    """Account -> the highest role it has; without observers."""
    found = {}
    for role, permission in PERMISSIONS.items():  # from the lowest: a higher one replaces it
        found.update(dict.fromkeys(with_permission(permission).filter(pk__in=ids).values_list("pk", flat=True), role))
    return found
