"""Closing where a node's HTTP agent moves the files: it is asked once, and believed when nothing lies there any more.

An agent sleeps 30 s before it moves everything in its data path, and does so though nobody waits for the answer any
more. Nobody but it sees the files, so what it did is never proven.
"""

from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import GatewayError, Refused, Unreachable
from attpcdaq.gateways.ports import RouterQuery
from attpcdaq.runcontrol.closing.staging import QUIET_LIMIT, Staging
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.limits import LOOK_COUNTS_FOR
from attpcdaq.runlog.models import OPEN_STATES, Run

READ_TIMEOUT = 10.0
CATALOG_TIMEOUT = 120.0
# What was written is told only once, to whoever asks first: the monitor's looks hide some of it from ours. Looks that
# come oftener than the monitor's, and go on for longer than one of its rounds, miss little.
LOOK_EVERY = 0.25
QUIET_LOOKS = 10
# Seconds after a lost answer in which the agent may still be asleep or at work.
DONE_WITHIN = 60.0
# Seconds in which it may be silent before it is asked: nobody comes back for its files later.
AWAY_FOR = 20.0
CLEAN = (0, 0)
NOT_PROVEN = "so it is not proven what came of this run's files there"


async def catalogue(run: Run, place: Staging, outside: Outside) -> str:
    """Have the files of a run that has stopped moved by the agent; what there is to say of it, for the verdict.

    Never more than one run's: while another run is open nothing is asked. May be called again, as after an
    interruption: what was moved is gone, and an agent refuses a directory that exists.
    """
    try:
        if await _quiet(run, place, outside) == CLEAN:
            return f"{place.owner}: its node's agent shows no file, {NOT_PROVEN}."
        return await _ask(run, place, outside)
    except GatewayError as error:
        return f"{place.owner}: {error}; nothing was moved there, {NOT_PROVEN}."


async def counts(place: Staging, outside: Outside, timeout: float = READ_TIMEOUT) -> tuple[int, int]:
    """Files in the data path, and bytes as far as they were told; two equal counts: nothing came. GatewayError."""
    query = RouterQuery(place.owner, "", 0, place.directory)
    reading = (await outside.nodes.read_routers(place.node, [query], timeout))[place.owner]
    if isinstance(reading, GatewayError):
        raise reading
    if reading.counted is None:
        raise Refused(f"node {place.node.name} does not count files")
    return reading.counted


async def left_over(place: Staging, outside: Outside) -> str:
    """What is to be said of files that lie there while no run is open; empty when there are none. GatewayError."""
    lying = await counts(place, outside)
    return "" if lying == CLEAN else _by_hand(place, lying)


async def _quiet(run: Run, place: Staging, outside: Outside) -> tuple[int, int]:
    """The counts once nothing more is written, no other run being open. GatewayError when it goes on."""
    deadline = outside.monotonic() + (0.0 if place.excluded else QUIET_LIMIT)
    before, equal = await _seen(place, outside), 1
    while True:
        await outside.sleep(LOOK_EVERY)
        now = await _seen(place, outside)
        looked = outside.monotonic()
        before, equal = now, equal + 1 if now == before else 1
        if equal >= QUIET_LOOKS:
            if await sync_to_async(_another_is_open)(run):
                raise Refused("another run is open by now")
            if outside.monotonic() - looked <= LOOK_COUNTS_FOR:
                return now
        elif looked >= deadline and equal == 1:
            raise Refused(f"the files in {place.directory} still grow")


async def _seen(place: Staging, outside: Outside) -> tuple[int, int]:
    """The counts, after some patience with a node that is away for a moment."""
    deadline = outside.monotonic() + (0.0 if place.excluded else AWAY_FOR)
    while True:
        try:
            return await counts(place, outside)
        except GatewayError:
            if outside.monotonic() >= deadline:
                raise
        await outside.sleep(LOOK_EVERY)


def _another_is_open(run: Run) -> bool:
    return Run.objects.filter(state__in=OPEN_STATES).exclude(pk=run.pk).exists()


async def _ask(run: Run, place: Staging, outside: Outside) -> str:
    try:
        reading = await outside.nodes.catalog(place.node, run.experiment.data_directory, run.number, CATALOG_TIMEOUT)
    except Unreachable:
        raise
    except GatewayError as error:
        left = await _left(place, outside, 0.0 if isinstance(error, Refused) else DONE_WITHIN)
        return _said(place, left, f"{error}; ")
    return _said(place, reading.counted or CLEAN, "")


async def _left(place: Staging, outside: Outside, patience: float) -> tuple[int, int] | GatewayError:
    """What lies there once it is nothing, or when patience is at an end."""
    deadline = outside.monotonic() + patience
    while True:
        try:
            left: tuple[int, int] | GatewayError = await counts(place, outside)
        except GatewayError as error:
            left = error
        if left == CLEAN or outside.monotonic() >= deadline:
            return left
        await outside.sleep(LOOK_EVERY)


def _said(place: Staging, left: tuple[int, int] | GatewayError, before: str) -> str:
    if isinstance(left, GatewayError):
        return f"{place.owner}: {before}whether its files were moved could not be seen ({left}), {NOT_PROVEN}."
    if left == CLEAN:
        gone = "nothing lies in its data path any more" if before else "its node's agent moved the files"
        return f"{place.owner}: {before}{gone}, {NOT_PROVEN}."
    return f"{place.owner}: {before}{_by_hand(place, left)}, {NOT_PROVEN}."


def _by_hand(place: Staging, lying: tuple[int, int]) -> str:
    files = "a file is" if lying[0] == 1 else f"{lying[0]} files are"
    return (
        f"{files} still in {place.directory}, and its agent cannot tell whose: "
        f"move them away by hand on node {place.node.name}"
    )
