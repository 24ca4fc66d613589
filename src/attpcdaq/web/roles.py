"""Who may do what: an observer looks, a shifter takes runs, an expert sets up and restarts, an admin manages users."""

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin

from attpcdaq.runcontrol.seeing.views import ActionView, Snapshot

OBSERVER = "observer"
# Each may what those before it may; a group of the same name has the permission (migration 0002).
PERMISSIONS = {"shifter": "runcontrol.operate", "expert": "runcontrol.expert", "admin": "runcontrol.administer"}
ROLES = (OBSERVER, *PERMISSIONS)
OBSERVER_REASON = "You are logged in as an observer: ask an administrator for the right to operate the detector."
EXPERT_REASON = "This needs the role expert: ask an expert to do it, or an administrator for the role."
ADMIN_REASON = "This needs the role admin: ask an administrator."
REASONS = {"shifter": OBSERVER_REASON, "expert": EXPERT_REASON, "admin": ADMIN_REASON}
IN_CHARGE = "{} is in charge: ask for control, or take it with a reason."

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


def why_not(user: Person, role: str) -> str:
    """Why the user may not do what needs this role (any but observer); empty when he may."""
    return "" if _has(user, PERMISSIONS[role]) else REASONS[role]


def _has(user: Person, permission: str) -> bool:
    return isinstance(user, PermissionsMixin) and user.has_perm(permission)


def as_seen_by(user: Person, status: Snapshot) -> Snapshot:
    """The status with every action refused that the user may not take, or that is for who is in charge."""
    if not may_operate(user):
        return replace(_refused(status, OBSERVER_REASON), stray=False)
    holder = status.control.holder
    if holder and isinstance(user, AbstractBaseUser) and holder != user.get_username():
        return _refused(status, IN_CHARGE.format(holder), but=("stop",))
    return status if may_expert(user) else _without_restarts(status, EXPERT_REASON)


def _refused(status: Snapshot, reason: str, but: Container[str] = ()) -> Snapshot:
    """No action of the status may be taken for this reason, those in `but` excepted."""
    refused = ActionView(allowed=False, reasons=(reason,))

    def without(actions: Mapping[str, ActionView]) -> dict[str, ActionView]:
        return {name: actions[name] if name in but else refused for name in actions}

    status = _without_restarts(status, reason)
    command = status.command
    if command is not None and command.action not in but:
        command = replace(command, retry=refused)
    return replace(
        status,
        actions=without(status.actions),
        ecc_servers=tuple(replace(server, actions=without(server.actions)) for server in status.ecc_servers),
        loose=replace(status.loose, adopt=refused) if status.loose else None,
        command=command,
    )


def _without_restarts(status: Snapshot, reason: str) -> Snapshot:
    refused = ActionView(allowed=False, reasons=(reason,))
    return replace(
        status,
        ecc_servers=tuple(replace(server, restart=refused) for server in status.ecc_servers),
        routers=tuple(replace(router, restart=refused) for router in status.routers),
    )
