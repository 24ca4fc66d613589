"""Reading a run's files for its manifest: a batch at a time, and never while a command is at work."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from asgiref.sync import sync_to_async

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.ports import FileScan, NodeAddress
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.models import ACTIVE_STATES, Command
from attpcdaq.runlog import manifests
from attpcdaq.runlog.models import Run, RunFile, RunState
from attpcdaq.topology.models import Node
from attpcdaq.topology.wiring import node_address

WORK_FOR = 10.0
"""Seconds after which the worker is given back: it may be told to end, or others may wait."""
BATCH_BYTES, BATCH_FILES = 1 << 28, 100
SCAN_TIMEOUT = 30.0
LOOK_EVERY = 0.5
NOT_IN_SETUP = "its node is not in the setup any more"


async def read_files(run_id: int, outside: Outside) -> bool:
    """Read what is still unread of a run, all nodes at once; False when something is left to go on with."""
    until = outside.monotonic() + WORK_FOR
    places = await sync_to_async(_by_node)(run_id, outside)
    return all(await asyncio.gather(*(_read_node(node, files, until, outside) for node, files in places)))


def _by_node(run_id: int, outside: Outside) -> list[tuple[NodeAddress, list[RunFile]]]:
    by_name: dict[str, list[RunFile]] = {}
    for file in manifests.unread(run_id).order_by("node", "path"):
        by_name.setdefault(file.node, []).append(file)
    nodes = {
        node.name: node_address(node) for node in Node.objects.filter(name__in=by_name).prefetch_related("host_keys")
    }
    for name in by_name.keys() - nodes.keys():
        for file in by_name[name]:
            file.scan_problem, file.scanned_at = NOT_IN_SETUP, outside.now()
        manifests.note_read(by_name[name], outside.now())
    return [(node, by_name[name]) for name, node in nodes.items()]


async def _read_node(node: NodeAddress, files: Sequence[RunFile], until: float, outside: Outside) -> bool:
    """One node's part; a node that is away ends it, and is tried again another time."""
    for batch in _batches(files):
        if not await _may_go_on(until, outside):
            return False
        directory = _directory(batch[0])
        names = [_name(file) for file in batch]
        try:
            found = await outside.nodes.scan_files(node, directory, names, SCAN_TIMEOUT)
        except GatewayError as error:
            found = dict.fromkeys(names, error)
        if not await sync_to_async(_store)(batch, found, outside):
            return True
    return True


def _batches(files: Sequence[RunFile]) -> Iterator[list[RunFile]]:
    """Files of one directory, not too many bytes at once."""
    batch: list[RunFile] = []
    size = 0
    for file in files:
        full = size + file.size > BATCH_BYTES or len(batch) >= BATCH_FILES
        if batch and (full or _directory(file) != _directory(batch[0])):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


async def _may_go_on(until: float, outside: Outside) -> bool:
    """Once no command is at work and no files are moved; False when the time is over."""
    while outside.monotonic() < until:
        if not await sync_to_async(_busy)():
            return True
        await outside.sleep(LOOK_EVERY)
    return False


def _busy() -> bool:
    return (
        Command.objects.filter(state__in=ACTIVE_STATES).exists() or Run.objects.filter(state=RunState.CLOSING).exists()
    )


def _store(batch: Sequence[RunFile], found: Mapping[str, FileScan | GatewayError], outside: Outside) -> bool:
    """Store what was read; False when the node is away."""
    missing = GatewayError("the node did not say what is in it")
    results = [found.get(_name(file), missing) for file in batch]
    for file, result in zip(batch, results, strict=True):
        if isinstance(result, FileScan):
            _read(file, result)
        else:
            _unread(file, result)
    read = [file for file, result in zip(batch, results, strict=True) if isinstance(result, FileScan | Refused)]
    for file in read:
        file.scanned_at = outside.now()
    manifests.note_read(batch, outside.now())
    return len(read) == len(batch)


def _read(file: RunFile, found: FileScan) -> None:
    summary = found.summary
    file.sha256, file.frames, file.scan, file.scan_problem = found.sha256, summary.frames, summary.to_json(), ""
    file.first_event, file.last_event = summary.first_event, summary.last_event
    file.first_time, file.last_time = summary.first_time, summary.last_time


def _unread(file: RunFile, error: GatewayError) -> None:
    gone = isinstance(error, Refused) and error.code == Refused.MISSING
    file.scan_problem = manifests.GONE if gone else str(error)


def _directory(file: RunFile) -> str:
    return file.path.rpartition("/")[0]


def _name(file: RunFile) -> str:
    return file.path.rpartition("/")[2]
