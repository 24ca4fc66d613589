"""Who may do what: an observer looks, a shifter takes runs, an expert sets up and restarts, an admin manages users."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin

from attpcdaq.runcontrol.views import ActionView, Snapshot

OBSERVER = "observer"
# Each may what those before it may; a group of the same name has the permission (migration 0002).
PERMISSIONS = {"shifter": "runcontrol.operate", "expert": "runcontrol.expert", "admin": "runcontrol.administer"}
ROLES = (OBSERVER, *PERMISSIONS)
OBSERVER_REASON = "You are logged in as an observer: ask an administrator for the right to operate the detector."
EXPERT_REASON = "This needs the role expert: ask an expert to do it, or an administrator for the role."
ADMIN_REASON = "This needs the role admin."

Person: TypeAlias = AbstractBaseUser | PermissionsMixin | AnonymousUser


def role_of(user: Person) -> str:
    """The highest of ROLES whose permission the user has."""
    return next((role for role in reversed(ROLES) if role != OBSERVER and _has(user, PERMISSIONS[role])), OBSERVER)


def may_operate(user: Person) -> bool:
    """Whether the user may send commands to the detector."""
    return _has(user, PERMISSIONS["shifter"])


def may_expert(user: Person) -> bool:
    """Whether the user may change the set-up and restart its parts."""
    return _has(user, PERMISSIONS["expert"])


def may_administer(user: Person) -> bool:
    """Whether the user may manage users and tokens."""
    return _has(user, PERMISSIONS["admin"])


def _has(user: Person, permission: str) -> bool:
    return isinstance(user, PermissionsMixin) and user.has_perm(permission)


def as_seen_by(user: Person, status: Snapshot) -> Snapshot:
    """The status with every action refused that the user may not take."""
    if not may_expert(user):
        status = _without_restarts(status)
    return status if may_operate(user) else _looked_at(status)


def _without_restarts(status: Snapshot) -> Snapshot:
    refused = ActionView(allowed=False, reasons=(EXPERT_REASON,))
    servers = tuple(replace(server, restart=refused) for server in status.ecc_servers)
    return replace(
        status, ecc_servers=servers, routers=tuple(replace(router, restart=refused) for router in status.routers)
    )


def _looked_at(status: Snapshot) -> Snapshot:
    refused = ActionView(allowed=False, reasons=(OBSERVER_REASON,))
    return replace(
        status,
        actions=_refused(status.actions),
        ecc_servers=tuple(replace(server, actions=_refused(server.actions)) for server in status.ecc_servers),
        stray=False,
        loose=replace(status.loose, adopt=refused) if status.loose else None,
        command=replace(status.command, retry=refused) if status.command else None,
    )


def _refused(actions: Mapping[str, ActionView]) -> dict[str, ActionView]:
    return {name: ActionView(allowed=False, reasons=(OBSERVER_REASON,)) for name in actions}
