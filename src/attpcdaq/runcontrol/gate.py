"""The one row that who decides holds; it also says whether stray files are being set aside."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from attpcdaq.runcontrol.models import Gate
from attpcdaq.runlog.models import OPEN_STATES, Run

ROW = 1
SET_ASIDE_EXPIRES_AFTER = timedelta(seconds=15)
# Longer than the looks and the move of close_out may take; only a worker that died leaves it standing.
SET_ASIDE_LIMIT = timedelta(seconds=150)


def hold_gate() -> Gate:
    """Nobody else decides until this transaction ends."""
    return Gate.objects.select_for_update().get_or_create(pk=ROW)[0]


def set_aside_is_under_way(now: datetime) -> bool:
    """Whether stray files are being set aside, or are just about to be: no run may start meanwhile."""
    asked = Q(set_aside_asked_at__gt=now - SET_ASIDE_EXPIRES_AFTER)
    return Gate.objects.filter(asked | Q(set_aside_until__gt=now)).exists()


def ask_set_aside(now: datetime) -> None:
    """Note that stray files shall be set aside; call it while the gate is held."""
    Gate.objects.filter(pk=ROW).update(set_aside_asked_at=now)


@transaction.atomic
def claim_set_aside(now: datetime) -> str:
    """Take what was asked for, once; why it must not be done, otherwise. No Start is decided on until it ends."""
    gate = hold_gate()
    asked = gate.set_aside_asked_at
    Gate.objects.filter(pk=ROW).update(set_aside_asked_at=None)
    if asked is None:
        return "Nobody asked for it (any more)."
    if now - asked > SET_ASIDE_EXPIRES_AFTER:
        return "No worker took it in time. Is the Celery worker running?"
    if Run.objects.filter(state__in=OPEN_STATES).exists():
        return "A run is open: its files are moved when it is stopped."
    Gate.objects.filter(pk=ROW).update(set_aside_until=now + SET_ASIDE_LIMIT)
    return ""


def end_set_aside() -> None:
    """Runs may start again."""
    Gate.objects.filter(pk=ROW).update(set_aside_until=None)
