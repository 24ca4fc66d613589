"""The end of a run: files that have stopped growing are moved where they belong, and never over another."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from structlog.contextvars import bound_contextvars

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.live.store import record_emptied
from attpcdaq.runcontrol.asking.opening import out_throughout
from attpcdaq.runcontrol.closing.catalogue import catalogue
from attpcdaq.runcontrol.closing.config_backup import backup_configs
from attpcdaq.runcontrol.closing.filing import Filed, destination_of, file_away, in_words, note_there, settle
from attpcdaq.runcontrol.closing.gathering import in_any_case, tell_others
from attpcdaq.runcontrol.closing.staging import Staging, listed, places_of, quiet_files
from attpcdaq.runcontrol.doing.beating import beating
from attpcdaq.runcontrol.doing.live_wait import shown_clean
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runlog import manifests
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import Run, RunState

logger = logging.getLogger(__name__)
# What comes later still is gathered when the run is closed.
TURNS = 4


def close_out(run_id: int, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Move the files of a run that has stopped and close it; False when it is not in that state. Repeatable."""
    return async_to_sync(carry_out)(run_id, make_outside)


async def carry_out(run_id: int, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        run = await sync_to_async(_claim)(run_id, outside.now())
        if run is None:
            return False
        with bound_contextvars(run=str(run)):
            return await _carry_out(run, outside)
    finally:
        await outside.close()


async def _carry_out(run: Run, outside: Outside) -> bool:
    logger.info("closing: its files are moved")
    async with beating(partial(_still_moving, run.pk), outside):
        places = await sync_to_async(places_of)(run)
        moves = (in_any_case(_move_away(run, place, outside), place.owner) for place in places)
        backup = in_any_case(backup_configs(run, outside, out_throughout(run)), "config files")
        for problem in filter(None, await asyncio.gather(*moves, backup)):
            await sync_to_async(add_verdict)(run.pk, problem)
        await shown_clean(outside)
    closed = await sync_to_async(_closed)(run.pk, outside.now())
    logger.info("closed" if closed else "closing: somebody else has ended it")
    return closed


def _claim(run_id: int, now: datetime) -> Run | None:
    """The run, when nobody is moving its files; the sweeper takes it from whoever has fallen silent."""
    closing = Run.objects.filter(pk=run_id, state=RunState.CLOSING, files_moving_at=None)
    claimed = closing.update(files_moving_at=now)
    return Run.objects.select_related("experiment").get(pk=run_id) if claimed else None


def _still_moving(run_id: int, now: datetime) -> None:
    Run.objects.filter(pk=run_id, state=RunState.CLOSING).update(files_moving_at=now)


def _is_closing(run_id: int) -> bool:
    return Run.objects.filter(pk=run_id, state=RunState.CLOSING).exists()


@transaction.atomic
def _closed(run_id: int, now: datetime) -> bool:
    closed = advance(run_id, RunState.CLOSED, now)
    if closed:
        manifests.ask(run_id, now)
    return closed


async def _move_away(run: Run, place: Staging, outside: Outside) -> str:
    """Empty one staging directory; what is worth saying of it, for the run's verdict."""
    if not outside.nodes.abilities(place.node).files:
        return await catalogue(run, place, outside)
    said: list[str] = []
    moved = False
    try:
        await _tell(run, place, await settle(place, outside), said, outside)
        for _ in range(TURNS):
            files = await quiet_files(place, outside, run.quiet.get(place.key, {}))
            looked = outside.monotonic()
            if not files:
                await sync_to_async(record_emptied)(place.node_id, place.directory, outside.now())
            if not files or not await sync_to_async(_is_closing)(run.pk):
                break
            filed = await file_away(place, files, looked, partial(_is_closing, run.pk), outside)
            if filed is not None:
                moved = moved or run in filed.runs
                await _tell(run, place, filed, said, outside)
        if not moved:  # somebody may have moved files without noting them; who moves some looks for others first
            there = await listed(place, destination_of(place, run), outside)
            await sync_to_async(note_there)(place, run, there)
    except GatewayError as error:
        said.append(f"{place.owner}: {error}")
    return " ".join(said)


async def _tell(run: Run, place: Staging, filed: Filed, said: list[str], outside: Outside) -> None:
    if words := in_words(place, filed, run):
        said.append(words)
    await sync_to_async(tell_others)(place, filed, outside.now(), of=run)
