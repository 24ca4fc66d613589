"""Files that lie in staging while no run is open are looked through without anybody's click."""

from datetime import datetime

from django.db import transaction

from attpcdaq.live.models import RouterState
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking.gate import ask_set_aside, hold_gate, set_aside_is_under_way
from attpcdaq.runcontrol.models import ACTIVE_STATES, Command
from attpcdaq.runcontrol.seeing.gather import exclusion_of, live_state
from attpcdaq.runcontrol.watching.eyes import Eyes
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.topology.models import ECCServer
from get_protocol.state_machine import State, Transition

QUIET_FOR = 2.0
# What could not be moved (a node that is away, a full disk) is tried again so often.
AGAIN = 20.0
LEFT_ALONE = (State.RUNNING, State.PAUSED)


def look_after(now: datetime, eyes: Eyes) -> None:
    """Ask for it once files have lain there unchanged for 2 s, with no run open and no board that may send more."""
    included = RouterState.objects.filter(
        files__gt=0, data_router__data_source__isnull=False, data_router__data_source__ecc_server__exclusion=None
    )
    lying = tuple(included.order_by("pk").values_list("pk", "files", "bytes", "problem"))
    if not lying or open_run() is not None or not _at_rest(now):
        return
    waited = eyes.same_for("left over", lying)
    turn = int((waited - QUIET_FOR) // AGAIN)
    new_turn = eyes.same_for("left over, turn", (lying, turn)) == 0
    if turn >= 0 and new_turn:
        _ask(now)


def _at_rest(now: datetime) -> bool:
    """Whether every included board is known not to take data; boards that run without a run are adopted instead."""
    if Command.objects.filter(state__in=ACTIVE_STATES).exists():
        return False
    for server in ECCServer.objects.select_related("live", "exclusion"):
        state, transition, _ = live_state(server, now)
        if exclusion_of(server) is None and (state is None or state in LEFT_ALONE or transition is not Transition.NONE):
            return False
    return True


@transaction.atomic
def _ask(now: datetime) -> None:
    hold_gate()
    if open_run() is None and not set_aside_is_under_way(now):
        ask_set_aside(now)
        transaction.on_commit(publish.publish_set_aside)
