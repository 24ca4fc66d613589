"""How often the sweeper looks: while all rests every other round is left out, for nothing is in a hurry then."""

from collections.abc import Callable
from datetime import datetime

from attpcdaq.runcontrol.models import ACTIVE_STATES, Command
from attpcdaq.runcontrol.watching.sweep import sweep
from attpcdaq.runlog.lifecycle import open_run_id


class Rounds:
    """Call it as often as `sweep`; half of the questions of an idle system are not asked."""

    def __init__(self, look: Callable[[datetime], None] = sweep) -> None:
        self._look = look
        self._rested = False

    def __call__(self, now: datetime) -> None:
        self._rested = not self._rested and is_quiet()
        if not self._rested:
            self._look(now)


def is_quiet() -> bool:
    """Whether no command is at work and no run is open."""
    # Without the models' order, which costs more than the answer.
    return not Command.objects.filter(state__in=ACTIVE_STATES).order_by().exists() and open_run_id() is None
