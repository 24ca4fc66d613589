"""How the whole detector was over time: one row for each spell in which nothing changed; the one writer of Spell."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from attpcdaq.live.models import Spell
from attpcdaq.live.store import add_event

UNSEEN = timedelta(seconds=15)
"""What lies between two looks is taken as seen when they are not farther apart; else nobody watched."""
SLIGHTLY = timedelta(seconds=2)
"""A clock that is set back by so little is being corrected, and did not jump."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A trouble of that moment: its class, which parts have it, and whether data of the open run were missing by it."""

    key: str
    title: str
    parts: tuple[str, ...] = ()
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How the detector was at one moment; `level` and `title` as the bar of the status page says them."""

    level: str
    title: str
    causes: tuple[Cause, ...] = ()
    run_id: int | None = None


@transaction.atomic
def note(look: Look, at: datetime) -> int:
    """Put down how it is at `at`; call it every few seconds. Returns the row of the spell that it belongs to.

    A clock that was set back leaves spells that overlap: the one written later counts.
    """
    spell = Spell.objects.select_for_update().filter(ended_at=None).first()
    if spell is not None and is_watched_on(spell.seen_at, at) and _same(spell, look):
        Spell.objects.filter(pk=spell.pk, seen_at__lt=at).update(seen_at=at)
        return spell.pk
    if spell is not None:
        end = max(at, spell.began_at) if is_watched_on(spell.seen_at, at) else spell.seen_at
        Spell.objects.filter(pk=spell.pk).update(ended_at=end)
    # What changes because time passes has left no event yet.
    add_event("run", at=at)
    return Spell.objects.create(began_at=at, seen_at=at, **_fields(look)).pk


def go_on(spell_id: int, at: datetime) -> bool:
    """It is still as it was a moment ago, in one statement; False when it has to be noted in full."""
    same = Spell.objects.filter(pk=spell_id, ended_at=None, seen_at__lte=at, seen_at__gte=at - UNSEEN)
    return bool(same.update(seen_at=at))


def is_watched_on(seen_at: datetime, at: datetime) -> bool:
    """Whether somebody who looked at `seen_at` and again at `at` has watched meanwhile."""
    return -SLIGHTLY <= at - seen_at <= UNSEEN


def _fields(look: Look) -> dict[str, object]:
    causes = [asdict(cause) | {"parts": list(cause.parts)} for cause in look.causes]
    return {"level": look.level, "title": look.title[:200], "causes": causes, "run_id": look.run_id}


def _same(spell: Spell, look: Look) -> bool:
    return all(getattr(spell, name) == value for name, value in _fields(look).items())
