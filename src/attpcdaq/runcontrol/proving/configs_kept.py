"""Keeping the configurations as they were: the files that a transition read, and what the ECC server says it loaded."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby

from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.ports import FileStat, NodePort
from attpcdaq.live import config_store
from attpcdaq.live.config_store import KIND_OF, Loaded, Part
from attpcdaq.live.disk_configs import hardware_of, paths_of
from attpcdaq.live.models import UsedConfig
from attpcdaq.runcontrol import publish
from attpcdaq.runcontrol.asking.opening import out_throughout
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.runcontrol.doing.step import Outcome
from attpcdaq.runcontrol.models import Step
from attpcdaq.runlog import run_configs
from attpcdaq.runlog.lifecycle import open_run
from attpcdaq.runlog.models import Run
from attpcdaq.topology.models import ConfigKind, ECCServer
from attpcdaq.topology.wiring import node_address
from get_protocol.data_links import parse_configure_text
from get_protocol.errors import ProtocolError
from get_protocol.state_machine import Transition
from get_protocol.xcfg_diff import MAX_BYTES

logger = logging.getLogger(__name__)
READ_TIMEOUT = 20.0
NO_DIRECTORY = "no directory of configuration files is set up for it (Setup page)"
_END_OF_LINKS = re.compile(r"</DataLinkSet\s*>")


class NotKeptError(Exception):
    """Why a file could not be kept, in words."""


class NeverKeptError(NotKeptError):
    """It cannot be kept as things are set up: nothing went wrong."""


def note(finished: Sequence[tuple[Step, Outcome]], now: datetime) -> None:
    """Steps have ended (inside the transaction that says so): what they loaded is to be kept. Never fails a command."""
    done = [loaded for step, outcome in finished if (loaded := _loaded(step, outcome)) is not None]
    if not done:
        return
    try:
        config_store.note_loaded(done, now)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        logger.exception("what was loaded could not be noted")
        return
    transaction.on_commit(partial(publish.publish_keep_configs, [each.server_id for each in done]))


def _loaded(step: Step, outcome: Outcome) -> Loaded | None:
    """What a step has loaded; None where nothing was sent, or it failed."""
    transition = Transition(step.transition)
    was_sent = outcome.sent or step.sent_at is not None
    if transition not in KIND_OF or not (outcome.ok and was_sent) or step.ecc_server_id is None:
        return None
    return Loaded(step.ecc_server_id, transition, step.config, outcome.answer)


def keep(server_ids: Sequence[int] | None = None, make_outside: Callable[[], Outside] = real_outside) -> None:
    """Read what these ECC servers (None: all) have in use and nobody has read yet, and give it to the open run."""
    async_to_sync(carry_out)(server_ids, make_outside)


async def carry_out(
    server_ids: Sequence[int] | None = None, make_outside: Callable[[], Outside] = real_outside
) -> None:
    """The same for who has an event loop already."""
    outside = make_outside()
    try:
        await sync_to_async(_split_answers)(server_ids)
        tried: set[int] = set()
        # A describe file that was read names more of them.
        while rows := [row for row in await sync_to_async(config_store.unread)(server_ids) if row.pk not in tried]:
            tried.update(row.pk for row in rows)
            by_server = groupby(sorted(rows, key=_server_of), key=_server_of)
            await asyncio.gather(*(_read_all(list(group), outside) for _, group in by_server))
        await sync_to_async(of_open_run)()
    finally:
        await outside.close()


def _server_of(row: UsedConfig) -> int:
    return row.ecc_server_id


def of_open_run() -> None:
    """Whatever is known now of the configurations of the run that is open."""
    run = open_run()
    if run is not None:
        of_run(run)


def of_run(run: Run) -> None:
    """The configurations of the servers that belong to this run, as far as they are known now."""
    run_configs.keep(run, out_throughout(run) | _set_up_since(run))


def _set_up_since(run: Run) -> set[str]:
    """ECC servers that were made ready for the next run while the files of this one, which has stopped, are moved."""
    if run.stopped_at is None:
        return set()
    steps = Step.objects.filter(transition__in=KIND_OF, sent_at__gt=run.stopped_at)
    return set(steps.exclude(ecc_server=None).values_list("ecc_server__name", flat=True))


async def _read_all(rows: Sequence[UsedConfig], outside: Outside) -> None:
    """The files of one server, one after the other."""
    for row in rows:
        try:
            path, data, stat = await read_config(outside.nodes, row.ecc_server, row.kind, row.name)
            hardware = hardware_of(data) if row.kind == ConfigKind.DESCRIBE else ()
        except NotKeptError as error:
            is_news = not isinstance(error, NeverKeptError)
            await sync_to_async(config_store.not_found)(row, str(error), outside.now(), is_news=is_news)
            continue
        await sync_to_async(config_store.found)(row, path, data, stat.mtime, hardware, outside.now())


async def read_config(nodes: NodePort, server: ECCServer, kind: str, name: str) -> tuple[str, bytes, FileStat]:
    """Path, bytes and time of a configuration file on its node, as the ECC server would find it; NotKeptError."""
    node = node_address(server.node)
    if not server.config_dir:
        raise NeverKeptError(NO_DIRECTORY)
    if not nodes.abilities(node).files:
        raise NeverKeptError(f"{node.name} is reached through its HTTP agent, which reads no files")
    try:
        paths = paths_of(server, kind, name)
    except ProtocolError as error:
        raise NotKeptError(str(error)) from None
    for path in paths:
        try:
            data, stat = await nodes.read_file(node, path, READ_TIMEOUT)
        except GatewayError as error:
            if isinstance(error, Refused) and error.code == Refused.MISSING:
                continue
            raise NotKeptError(str(error)) from None
        if len(data) > MAX_BYTES:
            raise NotKeptError(f"{path} has {len(data)} bytes; at most {MAX_BYTES} are kept")
        return path, data, stat
    raise NotKeptError(f"there is no {paths[0]} on {node.name}")


def _split_answers(server_ids: Sequence[int] | None) -> None:
    for row in config_store.unsplit(server_ids):
        assert row.blob is not None  # an answer is kept as it came
        try:
            parts = parts_of(bytes(row.blob.data).decode())
        except ProtocolError as error:
            config_store.not_split(row, f"What it loaded cannot be told apart: {error}")
        else:
            config_store.split(row, parts)


def parts_of(answer: str) -> list[Part]:
    """Data links and files of the answer of Configure (facts 1.3); RemoteProtocolError, XmlRefused."""
    read = parse_configure_text(answer)
    end = _END_OF_LINKS.search(answer)
    links = answer[: end.end()] if end else ""
    parts = [Part(ConfigKind.LINKS, "DataLinkSet", "", links.strip().encode())]
    for file in read.files:
        kind = file.kind if file.kind in ConfigKind.values else ConfigKind.HARDWARE
        parts.append(Part(kind, file.name[:200], file.filename[:500], file.content.encode()))
    return parts
