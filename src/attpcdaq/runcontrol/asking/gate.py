"""The one row that who decides holds; it also says whether stray files are being set aside."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from attpcdaq.runcontrol.limits import EXPIRES_AFTER
from attpcdaq.runcontrol.models import Gate
from attpcdaq.runlog.lifecycle import open_run

ROW = 1
# Said again twice a second while it goes on: only a worker that died leaves it standing.
SET_ASIDE_LIMIT = timedelta(seconds=6)
NOT_ASKED = "Nobody asked for it (any more)."
NOT_TAKEN = "No worker took it in time. Is the Celery worker running?"


def hold_gate() -> Gate:
    """Nobody else decides until this transaction ends."""
    return Gate.objects.select_for_update().get_or_create(pk=ROW)[0]


def set_aside_is_under_way(now: datetime) -> bool:
    """Whether stray files are being set aside, or are just about to be: no run may start meanwhile."""
    begin, end = now - EXPIRES_AFTER, now + EXPIRES_AFTER
    asked = Q(set_aside_asked_at__gt=begin, set_aside_asked_at__lte=end)
    return Gate.objects.filter(asked | _moving(now)).exists()


def is_setting_aside(now: datetime) -> bool:
    """Whether somebody is at it just now."""
    return Gate.objects.filter(_moving(now)).exists()


def _moving(now: datetime) -> Q:
    """What ends far ahead was written before the clock was set back."""
    return Q(set_aside_until__gt=now, set_aside_until__lte=now + 2 * SET_ASIDE_LIMIT)


def still_setting_aside(now: datetime) -> None:
    """Say that whoever does it lives; who stood still for too long has lost it, for a run may have begun since."""
    Gate.objects.filter(_moving(now), pk=ROW).update(set_aside_until=now + SET_ASIDE_LIMIT)


def ask_set_aside(now: datetime) -> None:
    """Note that stray files shall be set aside; call it while the gate is held."""
    Gate.objects.filter(pk=ROW).update(set_aside_asked_at=now)


def set_aside_asked_at() -> datetime | None:
    """Since when stray files wait for a worker to set them aside."""
    return Gate.objects.filter(pk=ROW).values_list("set_aside_asked_at", flat=True).first()


def drop_set_aside(asked: datetime) -> bool:
    """Nobody took what was asked for then; False when somebody has."""
    return bool(Gate.objects.filter(pk=ROW, set_aside_asked_at=asked).update(set_aside_asked_at=None))


@transaction.atomic
def claim_set_aside(now: datetime) -> str:
    """Take what was asked for, once; why it must not be done, otherwise. No Start is decided on until it ends."""
    gate = hold_gate()
    asked = gate.set_aside_asked_at
    Gate.objects.filter(pk=ROW).update(set_aside_asked_at=None)
    if asked is None:
        return NOT_ASKED
    if is_setting_aside(now):
        return "It is being done already."
    if now - asked > EXPIRES_AFTER:
        return NOT_TAKEN
    if open_run() is not None:
        return "A run is open: its files are moved when it is stopped."
    Gate.objects.filter(pk=ROW).update(set_aside_until=now + SET_ASIDE_LIMIT)
    return ""


def end_set_aside() -> None:
    """Runs may start again."""
    Gate.objects.filter(pk=ROW).update(set_aside_until=None)
