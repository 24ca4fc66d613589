"""The end of a run: files that have stopped growing are moved to its directory, and never over another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath

from asgiref.sync import async_to_sync, sync_to_async
from django.db import InterfaceError, OperationalError

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.ports import GrawFile, NodeAddress
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking import gate
from attpcdaq.runcontrol.asking.opening import out_throughout
from attpcdaq.runcontrol.doing.beating import beating
from attpcdaq.runcontrol.doing.config_backup import backup_configs
from attpcdaq.runcontrol.doing.live_wait import shown_clean
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runcontrol.limits import LOOK_COUNTS_FOR
from attpcdaq.runcontrol.seeing.gather import is_excluded
from attpcdaq.runlog import run_files
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import Run, RunFile, RunState
from attpcdaq.topology.models import DataRouter
from attpcdaq.topology.wiring import node_address

logger = logging.getLogger(__name__)
LIST_TIMEOUT = 10.0
MOVE_TIMEOUT = 60.0
LOOK_EVERY = 0.5
# A board that still sends after Stop must not hold the next run up for ever.
QUIET_LIMIT = 60.0
OWNER_LENGTH = 63
LATE_TURNS = 3


@dataclass(frozen=True, slots=True)
class Staging:
    """One staging directory and the routers that write into it."""

    node: NodeAddress
    directory: str
    owner: str
    excluded: bool = False
    """All its routers are excluded by now: what is quiet is moved, and nothing is waited for."""


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
        async with beating(partial(_still_moving, run_id), outside):
            places = await sync_to_async(_places_of)(run)
            moves = (_in_words(_move_away(run, place, outside), place.owner) for place in places)
            backup = _in_words(backup_configs(run, outside, out_throughout(run)), "config files")
            for problem in filter(None, await asyncio.gather(*moves, backup)):
                await sync_to_async(add_verdict)(run.pk, problem)
            await shown_clean(outside)
        return await sync_to_async(advance)(run.pk, RunState.CLOSED, outside.now())
    finally:
        await outside.close()


async def _in_words(work: Awaitable[str], owner: str) -> str:
    """What `work` says; a fault of ours is said too, or the run would be closing for ever."""
    try:
        return await work
    except (OperationalError, InterfaceError):
        raise  # the database is away: it is all done again when it is back
    except Exception as error:  # whatever it is, the run is closed in words
        logger.exception("close-out: %s", owner)
        return f"{owner}: internal error {error!r}; look where its files are."


def _claim(run_id: int, now: datetime) -> Run | None:
    """The run, when nobody is moving its files; the sweeper takes it from whoever has fallen silent."""
    closing = Run.objects.filter(pk=run_id, state=RunState.CLOSING, files_moving_at=None)
    claimed = closing.update(files_moving_at=now)
    return Run.objects.select_related("experiment").get(pk=run_id) if claimed else None


def _still_moving(run_id: int, now: datetime) -> None:
    Run.objects.filter(pk=run_id, state=RunState.CLOSING).update(files_moving_at=now)


def staging_directories() -> list[Staging]:
    """Every staging directory once, even when routers share it; not where only excluded ones write."""
    return [place for place in _all_places() if not place.excluded]


def _places_of(run: Run) -> list[Staging]:
    """Where files of a run may lie: who was excluded from beginning to end took none."""
    return _all_places(without=out_throughout(run))


def _all_places(without: Container[str] = ()) -> list[Staging]:
    sharing: dict[tuple[int, str], list[DataRouter]] = {}
    for router in DataRouter.objects.select_related("node", "data_source__ecc_server__exclusion"):
        sharing.setdefault((router.node_id, router.staging_dir), []).append(router)
    shared = (routers for routers in sharing.values() if not all(_drives(router) in without for router in routers))
    return [
        Staging(
            node_address(routers[0].node),
            routers[0].staging_dir,
            _owner([router.name for router in routers]),
            excluded=all(is_excluded(router) for router in routers),
        )
        for routers in shared
    ]


def _drives(router: DataRouter) -> str:
    """The ECC server of its board; empty for a router without one."""
    source = getattr(router, "data_source", None)
    return source.ecc_server.name if source else ""


def _owner(names: Sequence[str]) -> str:
    """Whose files they are, as far as the name of a directory can tell."""
    together = ", ".join(names)
    return together if len(together) <= OWNER_LENGTH else f"{len(names)} routers"


async def _move_away(run: Run, place: Staging, outside: Outside) -> str:
    """Move what lies in one staging directory; what is worth saying of it, for the run's verdict."""
    destination = str(PurePosixPath(place.directory) / run.directory)
    said = ""
    try:
        await _move_quiet(run, place, destination, outside)
        for turn in range(1, LATE_TURNS + 1):
            late = await _move_quiet(run, place, f"{destination}/late_{turn}", outside)
            if not late:
                break
            said = f"{place.owner}: frames came after the files were moved; they are in late_{turn}/."
    except GatewayError as error:
        return f"{said} {place.owner}: {error}".strip()
    return said


async def _move_quiet(run: Run, place: Staging, destination: str, outside: Outside) -> int:
    """Move the files once they are quiet, and note what lies at the destination; how many were moved."""
    names = await _names_to_move(place, outside, partial(_is_closing, run.pk))
    if names:
        await outside.nodes.move_files(
            place.node, place.directory, {name: name for name in names}, destination, MOVE_TIMEOUT
        )
    try:
        there = await outside.nodes.list_graw(place.node, destination, LIST_TIMEOUT)
    except Refused:  # no such directory: no file was ever moved there
        there = ()
    # Even when nothing was moved now: a worker that died may have moved files without noting them.
    await sync_to_async(_note)(run.pk, place, destination, there)
    return len(names)


async def _quiet_files(place: Staging, outside: Outside) -> tuple[GrawFile, ...]:
    """The files once two looks in a row saw the same names and sizes (facts 4: sizes on disk are current)."""
    patience = 0.0 if place.excluded else QUIET_LIMIT
    deadline = outside.monotonic() + patience
    before = await outside.nodes.list_graw(place.node, place.directory, LIST_TIMEOUT)
    while True:
        await outside.sleep(LOOK_EVERY)
        files = await outside.nodes.list_graw(place.node, place.directory, LIST_TIMEOUT)
        if [(f.name, f.size) for f in files] == [(f.name, f.size) for f in before]:
            return files
        if outside.monotonic() >= deadline:
            raise GatewayError(f"its files in {place.directory} still grow: nothing was moved.")
        before = files


async def _names_to_move(place: Staging, outside: Outside, is_ours: Callable[[], bool]) -> list[str]:
    """The quiet files, while they are still ours to move.

    Somebody else may have gone on for a mover that stood still: what lies there then belongs to the next run.
    """
    while True:
        names = [file.name for file in await _quiet_files(place, outside)]
        looked = outside.monotonic()
        if not await sync_to_async(is_ours)():
            return []
        if outside.monotonic() - looked <= LOOK_COUNTS_FOR:
            return names


def _is_closing(run_id: int) -> bool:
    return Run.objects.filter(pk=run_id, state=RunState.CLOSING).exists()


def _note(run_id: int, place: Staging, directory: str, files: Sequence[GrawFile]) -> None:
    found = ((f"{directory}/{file.name}", file.size) for file in files)
    run_files.note(run_id, place.node.name, place.owner, RunFile.Kind.DATA, found)


def set_aside(make_outside: Callable[[], Outside] = real_outside) -> None:
    """Move what was left in staging directories to `<staging>/_stray/<time>/`: kept, but in nobody's run."""
    async_to_sync(carry_aside)(make_outside)


async def carry_aside(make_outside: Callable[[], Outside] = real_outside) -> None:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        refused = await sync_to_async(gate.claim_set_aside)(outside.now())
        if refused == gate.NOT_ASKED:
            return  # the same message twice: what came of it was said the first time
        if refused:
            text = f"Stray files were not set aside. {refused}"
            await sync_to_async(add_event)("run", text, subject="staging", severity="warning", at=outside.now())
            return
        places = await sync_to_async(staging_directories)()
        try:
            async with beating(gate.still_setting_aside, outside):
                await asyncio.gather(*(_set_one_aside(place, outside.now(), outside) for place in places))
        finally:
            await sync_to_async(gate.end_set_aside)()
    finally:
        await outside.close()


async def _set_one_aside(place: Staging, now: datetime, outside: Outside) -> None:
    # No experiment's name begins with an underscore, so this is never a run's directory.
    destination = f"{place.directory}/_stray/{now:%Y-%m-%dT%H-%M-%S}"
    try:
        names = await _names_to_move(place, outside, lambda: gate.is_setting_aside(outside.now()))
        if not names:
            return
        await outside.nodes.move_files(
            place.node, place.directory, {name: name for name in names}, destination, MOVE_TIMEOUT
        )
        text, severity = f"{len(names)} files set aside in {destination}", "info"
    except GatewayError as error:
        text, severity = str(error), "error"
    await sync_to_async(add_event)("router", text, subject=place.owner, severity=severity, at=now)
