"""The end of a run: files that have stopped growing are moved to its directory, and never over another."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from asgiref.sync import async_to_sync, sync_to_async
from django.db.models import Q

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.ports import GrawFile, NodeAddress
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.config_backup import backup_configs
from attpcdaq.runcontrol.outside import Outside, real_outside
from attpcdaq.runlog.lifecycle import add_verdict, advance
from attpcdaq.runlog.models import Run, RunFile, RunState
from attpcdaq.topology.models import DataRouter
from attpcdaq.topology.wiring import node_address

LIST_TIMEOUT = 10.0
MOVE_TIMEOUT = 60.0
LOOK_EVERY = 0.5
# A board that still sends after Stop must not hold the next run up for ever.
QUIET_LIMIT = timedelta(seconds=60)
MOVER_SILENT = timedelta(seconds=240)
LATE_TURNS = 3


@dataclass(frozen=True, slots=True)
class Staging:
    """One staging directory and the routers that write into it."""

    node: NodeAddress
    directory: str
    owner: str


def close_out(run_id: int, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Move the files of a run that has stopped and close it; False when it is not in that state. Repeatable."""
    return async_to_sync(_close_out)(run_id, make_outside)


async def _close_out(run_id: int, make_outside: Callable[[], Outside]) -> bool:
    outside = make_outside()
    try:
        run = await sync_to_async(_claim)(run_id, outside.now())
        if run is None:
            return False
        places = await sync_to_async(staging_directories)()
        moves = (_move_away(run, place, outside) for place in places)
        problems = await asyncio.gather(*moves, backup_configs(run, outside))
        for problem in filter(None, problems):
            await sync_to_async(add_verdict)(run.pk, problem)
        return await sync_to_async(advance)(run.pk, RunState.CLOSED, outside.now())
    finally:
        await outside.close()


def not_being_moved(now: datetime) -> Q:
    """Runs whose files nobody is moving: not begun, or begun so long ago that the worker must have died."""
    return Q(files_begun_at__isnull=True) | Q(files_begun_at__lte=now - MOVER_SILENT)


def _claim(run_id: int, now: datetime) -> Run | None:
    closing = Run.objects.filter(not_being_moved(now), pk=run_id, state=RunState.CLOSING)
    claimed = closing.update(files_begun_at=now)
    return Run.objects.select_related("experiment").get(pk=run_id) if claimed else None


def staging_directories() -> list[Staging]:
    """Every staging directory once, even when several routers share it."""
    places: dict[tuple[int, str], Staging] = {}
    for router in DataRouter.objects.select_related("node"):
        place = Staging(node_address(router.node), router.staging_dir, router.name)
        places.setdefault((router.node_id, router.staging_dir), place)
    return list(places.values())


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
    names = [file.name for file in await _quiet_files(place, outside)]
    if names:
        await outside.nodes.move_files(place.node, place.directory, names, destination, MOVE_TIMEOUT)
        there = await outside.nodes.list_graw(place.node, destination, LIST_TIMEOUT)
        await sync_to_async(_note)(run.pk, place, destination, there)
    return len(names)


async def _quiet_files(place: Staging, outside: Outside) -> tuple[GrawFile, ...]:
    """The files once two looks in a row saw the same names and sizes (facts 4: sizes on disk are current)."""
    deadline = outside.now() + QUIET_LIMIT
    before = await outside.nodes.list_graw(place.node, place.directory, LIST_TIMEOUT)
    while True:
        await outside.sleep(LOOK_EVERY)
        files = await outside.nodes.list_graw(place.node, place.directory, LIST_TIMEOUT)
        if [(f.name, f.size) for f in files] == [(f.name, f.size) for f in before]:
            return files
        if outside.now() >= deadline:
            raise GatewayError(f"its files in {place.directory} still grow: nothing was moved.")
        before = files


def _note(run_id: int, place: Staging, directory: str, files: Sequence[GrawFile]) -> None:
    for file in files:
        RunFile.objects.update_or_create(
            run_id=run_id,
            node=place.node.name,
            path=f"{directory}/{file.name}",
            defaults={"kind": RunFile.Kind.DATA, "owner": place.owner, "size": file.size},
        )


def set_aside(make_outside: Callable[[], Outside] = real_outside) -> None:
    """Move what was left in staging directories to `<staging>/_stray/<time>/`: kept, but in nobody's run."""
    async_to_sync(_set_aside)(make_outside)


async def _set_aside(make_outside: Callable[[], Outside]) -> None:
    outside = make_outside()
    try:
        places = await sync_to_async(staging_directories)()
        await asyncio.gather(*(_set_one_aside(place, outside.now(), outside) for place in places))
    finally:
        await outside.close()


async def _set_one_aside(place: Staging, now: datetime, outside: Outside) -> None:
    # No experiment's name begins with an underscore, so this is never a run's directory.
    destination = f"{place.directory}/_stray/{now:%Y-%m-%dT%H-%M-%S}"
    try:
        names = [file.name for file in await _quiet_files(place, outside)]
        if not names:
            return
        await outside.nodes.move_files(place.node, place.directory, names, destination, MOVE_TIMEOUT)
        text, severity = f"{len(names)} files set aside in {destination}", "info"
    except GatewayError as error:
        text, severity = str(error), "error"
    await sync_to_async(add_event)("router", text, subject=place.owner, severity=severity, at=now)
