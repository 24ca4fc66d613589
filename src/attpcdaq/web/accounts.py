"""Accounts and their roles. A password made here is for one log-in: who made it knows it."""

import secrets
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.runcontrol.asking import control
from attpcdaq.web.models import OneTimePassword
from attpcdaq.web.roles import OBSERVER, PERMISSIONS, ROLES, may_operate

NAME_LENGTH = 150
PASSWORD_PARTS = 4
FIRST_ADMIN = "admin"


class AccountRefusedError(Exception):
    """What may not be done with an account; the text says why and what is allowed. `field`: the input that is wrong."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class NoSuchUserError(AccountRefusedError):
    """There is no account of this name."""


def find(name: str) -> User:
    """The account of this name. NoSuchUserError."""
    user = User.objects.filter(username=name).first() if name.isprintable() else None
    if user is None:
        raise NoSuchUserError(f"There is no user {name[:80]!r}.", "name")
    return user


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
            f"User name {name[:80]!r}: use 1 to {NAME_LENGTH} letters, digits and any of @ . + - _ in it.", "name"
        )
    _lock()
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
    """A one-time password instead of one that was forgotten; whoever is logged in as the user is so no more.

    AccountRefusedError for one's own (it is changed, not replaced) and for an account that nobody may use.
    """
    if user.get_username() == by.name and not by.itself:
        raise AccountRefusedError("Change your own password on the page /password/.")
    if not user.is_active:
        raise AccountRefusedError(f"{user.get_username()} is not active: activate the account first.")
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
    """Make `role` the only one the user has, and return the one before; an observer is not in charge any more.

    The last administrator stays one: AccountRefusedError.
    """
    _check_role(role)
    _lock()
    user.refresh_from_db(fields=["is_active", "is_superuser"])
    before = _role_given(user)
    if role != "admin":
        _keep_an_admin(user, before)
    for group in Group.objects.filter(name__in=PERMISSIONS):
        user.groups.remove(group)
    user.user_permissions.remove(*_permissions())
    user.is_superuser = user.is_superuser and role == "admin"
    user.save(update_fields=["is_superuser"])
    if role in PERMISSIONS:
        user.groups.add(_group(role))
    fresh = User.objects.get(pk=user.pk)  # permissions are remembered by the object
    record(by, "role", Outcome.DONE, subject=user.get_username(), text=f"{before} -> {role}")
    if not may_operate(fresh):
        control.drop(user.get_username(), by, timezone.now())
    return before


@transaction.atomic
def set_active(user: User, active: bool, by: Requester) -> None:
    """Whether anybody may use the account; who may not is logged out, and in charge of nothing. AccountRefusedError."""
    _lock()
    user.refresh_from_db(fields=["is_active"])
    if not active:
        if user.get_username() == by.name and not by.itself:
            raise AccountRefusedError("You would lock yourself out: another administrator must do that.")
        _keep_an_admin(user, _role_given(user))
    changed = User.objects.filter(pk=user.pk, is_active=not active).update(is_active=active)
    if not changed:
        raise AccountRefusedError(f"{user.get_username()} is {'' if active else 'not '}active already.")
    user.is_active = active
    text = "not active -> active" if active else "active -> not active"
    record(by, "account", Outcome.DONE, subject=user.get_username(), text=text)
    if not active:
        control.drop(user.get_username(), by, timezone.now())


@transaction.atomic
def change(user: User, by: Requester, *, role: str | None = None, active: bool | None = None) -> User:
    """Both in one step, what is None stays; the account as it is then. AccountRefusedError."""
    if role is not None and user.get_username() == by.name and role != "admin" and not by.itself:
        raise AccountRefusedError("You would lose the role admin yourself: another administrator must do that.")
    if role is not None:
        set_role(user, role, by)
    if active is not None:
        set_active(user, active, by)
    return User.objects.get(pk=user.pk)


def _lock() -> None:
    """Whoever makes accounts or takes roles does so one after the other (until the transaction ends)."""
    list(User.objects.select_for_update().filter(is_active=True).order_by("pk").values_list("pk"))


def _keep_an_admin(user: User, role: str) -> None:
    """AccountRefusedError where nobody else could give roles any more."""
    if role != "admin" or not user.is_active:
        return
    others = with_permission(PERMISSIONS["admin"]).filter(is_active=True).exclude(pk=user.pk)
    if not others.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists():
        raise AccountRefusedError(f"{user.get_username()} is the only administrator: make another one first.")


def with_permission(permission: str) -> QuerySet[User]:
    """The accounts that have it, also those that are not active."""
    everybody: Any = None  # Django's own word for it, which its stubs do not know
    return User.objects.with_perm(permission, is_active=everybody, backend="django.contrib.auth.backends.ModelBackend")


def _role_given(user: User) -> str:
    """Its role, also while it is not active."""
    having = (role for role in reversed(PERMISSIONS) if with_permission(PERMISSIONS[role]).filter(pk=user.pk).exists())
    return next(having, OBSERVER)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise AccountRefusedError(f"Role {role[:80]!r} is not one of {', '.join(ROLES)}.", "role")


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
