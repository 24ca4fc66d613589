"""How the crew wants its runs to be started."""

import math
from datetime import datetime

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.audited import deciding
from attpcdaq.runcontrol.asking.refusals import BadCommand
from attpcdaq.runcontrol.models import Preferences

ROW = 1
WHAT = "preferences"
RECONFIGURE = "re-configure the MuTAnT before each run"
MIN_FREE = "free space that a run needs to start"
MOST_GB = 10**6
ALLOWED_GB = f"use a number of GB from 0 (no limit) to {MOST_GB}."


def preferences() -> Preferences:
    """What holds now."""
    return Preferences.objects.filter(pk=ROW).first() or Preferences()


def set_preferences(
    by: Requester, now: datetime, *, reconfigure_mutant: bool | None = None, min_free_gb: float | None = None
) -> list[str]:
    """Change what is given, all of it or nothing; what was changed, in words. It holds from the next Start on.

    `min_free_gb`: 10^9 bytes that must be free on every disk that data go to. BadCommand names what is allowed.
    """
    wanted = {RECONFIGURE: reconfigure_mutant, MIN_FREE: min_free_gb}
    with deciding(by, WHAT, ", ".join(name for name, value in wanted.items() if value is not None), now):
        row, _ = Preferences.objects.get_or_create(pk=ROW)
        was = {RECONFIGURE: row.reconfigure_mutant, MIN_FREE: row.min_free_gb}
        if reconfigure_mutant is not None:
            row.reconfigure_mutant = reconfigure_mutant
        if min_free_gb is not None:
            row.min_free_gb = _checked(min_free_gb)
        row.save(update_fields=["reconfigure_mutant", "min_free_gb"])
        is_now = {RECONFIGURE: row.reconfigure_mutant, MIN_FREE: row.min_free_gb}
        changed = [name for name in wanted if was[name] != is_now[name]]
        for name in changed:
            add_event("setup", f"{by.name}: {name}: {_word(is_now[name])}", subject="preferences", at=now)
            text = f"{_word(was[name])} -> {_word(is_now[name])}"
            record(by, WHAT, Outcome.DONE, subject=name, text=text, at=now)
    return [f"{name}: {_word(is_now[name])}" for name in changed]


def min_free_of(text: str) -> float:
    """A limit in GB as somebody wrote it; BadCommand names what is allowed."""
    try:
        gigabytes = float(text)
    except ValueError:
        raise BadCommand("min_free_gb", f"{text[:40]!r} is no number: {ALLOWED_GB}") from None
    return _checked(gigabytes)


def _checked(gigabytes: float) -> float:
    if not math.isfinite(gigabytes) or not 0 <= gigabytes <= MOST_GB:
        raise BadCommand("min_free_gb", f"{gigabytes:g} cannot be used: {ALLOWED_GB}")
    return gigabytes


def _word(value: bool | float) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g} GB"
