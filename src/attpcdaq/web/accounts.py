"""Accounts and their roles. A password made here is for one log-in: who made it knows it."""

import secrets

from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol.asking import control
from attpcdaq.web.models import OneTimePassword
from attpcdaq.web.roles import PERMISSIONS, ROLES, may_operate, role_of

NAME_LENGTH = 150
PASSWORD_PARTS = 4
FIRST_ADMIN = "admin"


class AccountRefusedError(Exception):
    """An account that may not be made so, or is not there; the text says why and what is allowed."""


@transaction.atomic
def create(name: str, role: str, by: Requester) -> str:
    """A new account with this role; its one-time password, which is shown once and not kept."""
    _check_role(role)
    try:
        User.username_validator(name)
        fits = len(name) <= NAME_LENGTH
    except ValidationError:
        fits = False
    if not fits:
        raise AccountRefusedError(
            f"User name {name[:80]!r}: use 1 to {NAME_LENGTH} letters, digits and any of @ . + - _ in it."
        )
    if User.objects.filter(username__iexact=name).exists():
        raise AccountRefusedError(f"There is a user {name} already.")
    password = _random()
    try:
        with transaction.atomic():
            user = User.objects.create_user(name, password=password)
    except IntegrityError:  # somebody else made it at the same moment
        raise AccountRefusedError(f"There is a user {name} already.") from None
    OneTimePassword.objects.create(user=user)
    record(by, "create user", Outcome.DONE, subject=name)
    set_role(user, role, by)
    return password


def first_admin(by: Requester) -> str | None:
    """The account of a new system: its one-time password, or None where there is any account already."""
    if User.objects.exists():
        return None
    try:
        return create(FIRST_ADMIN, "admin", by)
    except AccountRefusedError:  # somebody else made it at the same moment
        return None


@transaction.atomic
def new_password(user: User, by: Requester) -> str:
    """A one-time password instead of one that was forgotten; whoever is logged in as the user is so no more."""
    password = _random()
    user.set_password(password)
    user.save(update_fields=["password"])
    OneTimePassword.objects.get_or_create(user=user)
    record(by, "one-time password", Outcome.DONE, subject=user.get_username())
    return password


def _random() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(PASSWORD_PARTS))


@transaction.atomic
def set_role(user: User, role: str, by: Requester) -> str:
    """Make `role` the only one the user has, and return the one before; an observer is not in charge any more."""
    _check_role(role)
    before = role_of(user)
    for group in Group.objects.filter(name__in=PERMISSIONS):
        user.groups.remove(group)
    user.user_permissions.remove(*_permissions())
    user.is_superuser = user.is_superuser and role == "admin"
    user.save(update_fields=["is_superuser"])
    if role in PERMISSIONS:
        user.groups.add(_group(role))
    fresh = User.objects.get(pk=user.pk)  # permissions are remembered by the object
    record(by, "role", Outcome.DONE, subject=user.get_username(), text=f"{before} -> {role_of(fresh)}")
    if not may_operate(fresh):
        control.drop(user.get_username(), by, timezone.now())
    return before


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AccountRefusedError(f"Role {role[:80]!r} is not one of {', '.join(ROLES)}.")


def _permissions() -> list[Permission]:
    names = [permission.partition(".")[2] for permission in PERMISSIONS.values()]
    return list(Permission.objects.filter(content_type__app_label="runcontrol", codename__in=names))


def _group(role: str) -> Group:
    """The role's group, with the permissions of this role and of those below it."""
    group, _ = Group.objects.get_or_create(name=role)
    below = list(PERMISSIONS)[: list(PERMISSIONS).index(role) + 1]
    names = [PERMISSIONS[each].partition(".")[2] for each in below]
    group.permissions.set(Permission.objects.filter(content_type__app_label="runcontrol", codename__in=names))
    return group
