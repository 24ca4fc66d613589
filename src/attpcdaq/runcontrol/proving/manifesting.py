"""The manifest of a run: its files are read where they lie, and what they hold is judged and written down there."""

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial

from asgiref.sync import async_to_sync, sync_to_async
from django.db import InterfaceError, OperationalError
from structlog.contextvars import bound_contextvars

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.ports import NodeAddress
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.doing.beating import beating
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runcontrol.planning.completeness import Judgement
from attpcdaq.runcontrol.planning.completeness_checks import judge
from attpcdaq.runcontrol.proving.manifest_facts import checked_files, run_facts
from attpcdaq.runcontrol.proving.manifest_reading import read_files
from attpcdaq.runlog import manifests
from attpcdaq.runlog.manifest_file import FILE_NAME, directories, document, source_rows
from attpcdaq.runlog.models import Manifest
from attpcdaq.topology.models import Node
from attpcdaq.topology.wiring import node_address

logger = logging.getLogger(__name__)
WRITE_TIMEOUT = 20.0
Verdict = Manifest.Verdict
SEVERITIES = {Verdict.INCOMPLETE: "error", Verdict.NOT_PROVEN: "warning"}


def check_files(run_id: int, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Read what is still unread of a run's files for a while, and judge when nothing is left; False when it is not due.

    Each file's result is stored at once: whoever takes it up again goes on where this one stopped.
    """
    return async_to_sync(carry_out)(run_id, make_outside)


async def carry_out(run_id: int, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        manifest = await sync_to_async(manifests.claim)(run_id, outside.now())
        if manifest is None:
            return False
        try:
            with bound_contextvars(run=str(manifest.run)):
                async with beating(partial(manifests.still_working, run_id), outside):
                    made = await _in_words(manifest, outside)
        finally:
            await sync_to_async(manifests.release)(run_id)
        if not made:
            publish.publish_check_files(run_id)
        return True
    finally:
        await outside.close()


async def _in_words(manifest: Manifest, outside: Outside) -> bool:
    """Whether it is made; a fault of ours is said, or the run would be being checked for ever."""
    try:
        return await read_files(manifest.run_id, outside) and await _make(manifest, outside)
    except (OperationalError, InterfaceError):
        raise  # the database is away: it is all done again when it is back
    except Exception as error:  # whatever it is, it is said in the verdict
        logger.exception("check of %s", manifest.run)
        reasons = [{"level": "not_proven", "text": f"Internal error {error!r}: its files could not be judged."}]
        now, again = outside.now(), manifests.again_at(manifest, outside.now())
        settle = partial(manifests.settle, verdict=Verdict.NOT_PROVEN, reasons=reasons, again_at=again)
        return await sync_to_async(settle)(manifest, now)


async def _make(manifest: Manifest, outside: Outside) -> bool:
    judgement = await sync_to_async(_judge)(manifest)
    if not await sync_to_async(_settle)(manifest, judgement, outside):
        return False
    written = await _write_everywhere(manifest, outside)
    await sync_to_async(_note_written)(manifest, written, outside)
    return True


def _judge(manifest: Manifest) -> Judgement:
    manifest.run.refresh_from_db()
    return judge(checked_files(manifest.run), run_facts(manifest.run))


def _settle(manifest: Manifest, judgement: Judgement, outside: Outside) -> bool:
    """Store the verdict, and say it where it is news. To be tried again until its files are written, too."""
    now = outside.now()
    reasons = [{"level": str(reason.level), "text": reason.text} for reason in judgement.reasons]
    made = {"verdict": judgement.verdict, "reasons": reasons, "sources": source_rows(judgement.sources)}
    if not manifests.settle(manifest, now, **made, again_at=now + manifests.AGAIN_AFTER):
        return False
    text = f"The data of run {manifest.run.number} are {Verdict(judgement.verdict).label.lower()}"
    text += f": {reasons[0]['text']}" if reasons else ""
    severity = SEVERITIES.get(Verdict(judgement.verdict), "info")
    said = "" if manifest.verdict == judgement.verdict else text
    add_event(manifests.TOPIC, said, subject=str(manifest.run), severity=severity, at=now)
    return True


async def _write_everywhere(manifest: Manifest, outside: Outside) -> dict[str, dict[str, object]]:
    """Node -> where the JSON file lies now, or why it does not."""
    whole, places = await sync_to_async(_to_write)(manifest)
    data = json.dumps(whole, indent=1).encode()
    written = await asyncio.gather(*(_write(node, paths, data, outside) for node, paths in places))
    return {node.name: said for (node, _), said in zip(places, written, strict=True)}


def _to_write(manifest: Manifest) -> tuple[dict[str, object], list[tuple[NodeAddress, list[str]]]]:
    by_node = directories(manifest.run)
    nodes = Node.objects.filter(name__in=by_node).prefetch_related("host_keys")
    return document(manifest.run), [(node_address(node), by_node[node.name]) for node in nodes]


async def _write(node: NodeAddress, paths: list[str], data: bytes, outside: Outside) -> dict[str, object]:
    try:
        for directory in paths:
            await outside.nodes.write_file(node, f"{directory}/{FILE_NAME}", data, WRITE_TIMEOUT)
    except GatewayError as error:
        return {"paths": [], "problem": str(error)}
    return {"paths": [f"{directory}/{FILE_NAME}" for directory in paths], "problem": ""}


def _note_written(manifest: Manifest, written: dict[str, dict[str, object]], outside: Outside) -> None:
    """Tried again while a node was away: for its files, or to write there."""
    now = outside.now()
    away = any(said["problem"] for said in written.values()) or manifests.unread(manifest.run_id).exists()
    manifests.settle(manifest, now, written=written, again_at=manifests.again_at(manifest, now) if away else None)
    add_event(manifests.TOPIC, subject=str(manifest.run), at=now)
