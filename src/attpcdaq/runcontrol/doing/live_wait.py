"""The end of a command waits a moment for the back arrow, so that what it did is what everybody sees next."""

from collections.abc import Callable, Mapping, Sequence

from asgiref.sync import sync_to_async

from attpcdaq.live import lease
from attpcdaq.live.models import ECCState, RouterState
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.doing.step import Outcome
from attpcdaq.runcontrol.models import Step
from attpcdaq.runcontrol.seeing.gather import MONITOR_TOO_OLD
from attpcdaq.runcontrol.seeing.moments import is_about_now
from get_protocol.state_machine import State, Transition

# A node is read every 2 s (monitor/poller).
AT_MOST = 2.5
LOOK_EVERY = 0.05


async def live_shows(steps: Sequence[Step], outcomes: Mapping[int, Outcome], outside: Outside) -> None:
    """Return when the live state agrees with what was read back, when the monitor is away, or after 2.5 s."""
    wanted = {
        step.ecc_server_id: int(outcome.state)
        for step in steps
        if (outcome := outcomes.get(step.pk)) and outcome.state is not None and step.ecc_server_id is not None
    }
    await _until(lambda: _agrees(wanted), outside)


async def shown_clean(outside: Outside) -> None:
    """The same after files were moved: who sees a run closed may start the next one."""
    included = RouterState.objects.filter(data_router__data_source__ecc_server__exclusion=None)
    await _until(lambda: not included.filter(files__gt=0).exists(), outside)


async def idle_shown(server_id: int, outside: Outside) -> None:
    """The same after an ECC server was restarted: who sees that done may go to Ready."""
    idle = ECCState.objects.filter(pk=server_id, state=State.IDLE, transition=Transition.NONE, problem="")
    await _until(idle.exists, outside)


async def process_shown(router_id: int, pid: int, outside: Outside) -> None:
    """The same for a data router, which is another process now."""
    await _until(RouterState.objects.filter(pk=router_id, online=True, pid=pid, problem="").exists, outside)


async def _until(shown: Callable[[], bool], outside: Outside) -> None:
    deadline = outside.monotonic() + AT_MOST
    while outside.monotonic() < deadline:
        if await sync_to_async(shown)() or not await sync_to_async(_monitor_lives)(outside):
            return
        await outside.sleep(LOOK_EVERY)


def _agrees(wanted: Mapping[int, int]) -> bool:
    rows = ECCState.objects.filter(pk__in=wanted).values_list("pk", "state", "transition")
    seen = {pk: state for pk, state, transition in rows if transition == Transition.NONE}
    return seen == wanted


def _monitor_lives(outside: Outside) -> bool:
    beat = lease.written_at()
    return beat is not None and is_about_now(beat, outside.now(), MONITOR_TOO_OLD)
