"""What lies in staging directories while no run is open: attached to the run it belongs to, or quarantined."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from asgiref.sync import async_to_sync, sync_to_async
from django.db import InterfaceError, OperationalError, transaction

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.live.models import Event
from attpcdaq.live.store import add_event, record_emptied
from attpcdaq.runcontrol.asking import gate
from attpcdaq.runcontrol.closing.catalogue import left_over
from attpcdaq.runcontrol.closing.filing import Filed, file_away, in_words, named, settle
from attpcdaq.runcontrol.closing.staging import Staging, quiet_files, staging_directories
from attpcdaq.runcontrol.doing.beating import beating
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runlog import manifests
from attpcdaq.runlog.lifecycle import add_verdict
from attpcdaq.runlog.models import Run

logger = logging.getLogger(__name__)
TURNS = 3


def gather(make_outside: Callable[[], Outside] = real_outside) -> None:
    """Judge every file in the staging directories, if that was asked for, and move it; nothing is ever deleted."""
    async_to_sync(carry_out)(make_outside)


async def carry_out(make_outside: Callable[[], Outside] = real_outside) -> None:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        refused = await sync_to_async(gate.claim_set_aside)(outside.now())
        if refused == gate.NOT_ASKED:
            return  # the same message twice: what came of it was said the first time
        if refused:
            text = f"Files left in staging were not looked through. {refused}"
            await sync_to_async(add_event)("run", text, subject="staging", severity="warning", at=outside.now())
            return
        places = await sync_to_async(staging_directories)()
        try:
            async with beating(gate.still_setting_aside, outside):
                work = (in_any_case(_gather_one(place, outside), place.owner) for place in places)
                for place, words in zip(places, await asyncio.gather(*work), strict=True):
                    if words:
                        await sync_to_async(_say_once)(place, words, outside.now())
        finally:
            await sync_to_async(gate.end_set_aside)()
    finally:
        await outside.close()


async def in_any_case(work: Awaitable[str], owner: str) -> str:
    """What `work` says; a fault of ours at one place is said too, and keeps no other place from its end."""
    try:
        return await work
    except (OperationalError, InterfaceError):
        raise  # the database is away: it is all done again when it is back
    except Exception as error:  # whatever it is, the others go on
        logger.exception("files of %s", owner)
        return f"{owner}: internal error {error!r}; look where its files are."


async def _gather_one(place: Staging, outside: Outside) -> str:
    """Look through one staging directory; what stood in the way."""

    def is_ours() -> bool:
        return gate.is_setting_aside(outside.now())

    try:
        if not outside.nodes.abilities(place.node).files:
            return await left_over(place, outside)
        await sync_to_async(tell_others)(place, await settle(place, outside), outside.now())
        for _ in range(TURNS):
            files = await quiet_files(place, outside, {})
            looked = outside.monotonic()
            if not files:
                await sync_to_async(record_emptied)(place.node_id, place.directory, outside.now())
            if not files or not await sync_to_async(is_ours)():
                break
            filed = await file_away(place, files, looked, is_ours, outside)
            if filed is not None:
                await sync_to_async(tell_others)(place, filed, outside.now())
    except GatewayError as error:
        return str(error)
    return ""


def _say_once(place: Staging, text: str, now: datetime) -> None:
    """It is tried again and again; the same words twice in a row tell nothing."""
    last = Event.objects.filter(topic="router", subject=place.owner).exclude(text="").first()
    if last is None or last.text != text:
        add_event("router", text, subject=place.owner, severity="error", at=now)


def tell_others(place: Staging, filed: Filed, now: datetime, of: Run | None = None) -> None:
    """Say in the runs which they belong to that files were attached, and in the event log what is quarantined.

    `of` is the run which is just being closed: it says for itself what came of its files.
    """
    for run, rows in filed.runs.items():
        if run != of:
            _attached(place, run, named([row.path.rpartition("/")[2] for row in rows]), now)
    if filed.quarantined:
        text = in_words(place, Filed(quarantined=filed.quarantined))
        add_event("router", text, subject=place.owner, severity="warning", at=now)


@transaction.atomic
def _attached(place: Staging, run: Run, what: str, now: datetime) -> None:
    text = f"{place.owner}: attached after the run was closed: {what}."
    add_verdict(run.pk, text)
    manifests.ask(run.pk, now)
    add_event("run", f"Run {run.number}: {text}", subject=str(run), at=now)
