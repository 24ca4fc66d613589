"""How the crew wants its runs to be started."""

from datetime import datetime

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.audited import deciding
from attpcdaq.runcontrol.models import Preferences

ROW = 1
WHAT = "preferences"
RECONFIGURE = "re-configure the MuTAnT before each run"


def reconfigures_mutant() -> bool:
    """Whether each Start begins with Breakup and Configure of the MuTAnT."""
    return Preferences.objects.filter(pk=ROW, reconfigure_mutant=True).exists()


def set_reconfigure_mutant(on: bool, by: Requester, now: datetime) -> bool:
    """Say whether the MuTAnT is configured anew before each Start; whether that is a change. It holds from the next."""
    with deciding(by, WHAT, RECONFIGURE, now):
        row, _ = Preferences.objects.get_or_create(pk=ROW)
        if row.reconfigure_mutant == on:
            return False
        Preferences.objects.filter(pk=ROW).update(reconfigure_mutant=on)
        add_event("setup", f"{by.name}: {RECONFIGURE}: {_word(on)}", subject="preferences", at=now)
        record(by, WHAT, Outcome.DONE, subject=RECONFIGURE, text=f"{_word(not on)} -> {_word(on)}", at=now)
    return True


def _word(on: bool) -> str:
    return "on" if on else "off"
