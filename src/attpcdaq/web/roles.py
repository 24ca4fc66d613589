"""Who may do what. Looking needs a log-in; operating the detector needs the permission `runcontrol.operate`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin

from attpcdaq.runcontrol.views import ActionView, Snapshot

OBSERVER_REASON = "You are logged in as an observer: ask an administrator for the right to operate the detector."

Person: TypeAlias = AbstractBaseUser | PermissionsMixin | AnonymousUser


def may_operate(user: Person) -> bool:
    """Whether the user may send commands to the detector."""
    return isinstance(user, PermissionsMixin) and user.has_perm("runcontrol.operate")


def as_seen_by(user: Person, status: Snapshot) -> Snapshot:
    """The status with every action refused to somebody who may only look."""
    if may_operate(user):
        return status
    servers = tuple(replace(server, actions=_refused(server.actions)) for server in status.ecc_servers)
    return replace(status, actions=_refused(status.actions), ecc_servers=servers, stray=False)


def _refused(actions: Mapping[str, ActionView]) -> dict[str, ActionView]:
    return {name: ActionView(allowed=False, reasons=(OBSERVER_REASON,)) for name in actions}
