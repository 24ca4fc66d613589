"""Looks at the configuration files on the nodes: what is in use, or chosen, may be changed there at any time."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby

from django.db import IntegrityError

from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.ports import FileStat, NodeAddress, NodePort
from attpcdaq.live import config_store, disk_configs
from attpcdaq.live.disk_configs import Found, Wanted
from attpcdaq.live.lease import LeaseLostError
from attpcdaq.monitor.clock import Clock
from attpcdaq.monitor.worker import InThread, reconnecting
from attpcdaq.runcontrol import publish
from attpcdaq.topology.models import ECCServer
from attpcdaq.topology.wiring import node_address
from get_protocol.xcfg_diff import MAX_BYTES

logger = logging.getLogger(__name__)
EVERY = 10.0
DEADLINE = 20.0
# Files that a transition has read and that nobody has kept yet: asked for again, for the message may be lost.
ASK_AGAIN = 3


class ConfigWatch:
    """`in_thread` carries a blocking call out where the database may be used."""

    def __init__(self, nodes: NodePort, in_thread: InThread, clock: Clock) -> None:
        self._nodes = nodes
        self._in_thread = in_thread
        self._clock = clock
        self._looks = 0
        self._failing = False

    async def run(self) -> None:
        """Look again and again; what goes wrong is said once and tried again. LeaseLostError."""
        while True:
            await self._clock.sleep(EVERY)
            try:
                await self.look()
            except LeaseLostError:
                raise
            except Exception as error:  # whatever it was, the files are looked at again
                level = logging.DEBUG if self._failing else logging.ERROR
                logger.log(level, "looking at the configuration files failed (%s)", str(error).strip(), exc_info=error)
                self._failing = True
            else:
                self._failing = False

    async def look(self) -> None:
        """One round: sizes and times of all files, and the bytes of those that are not as they were."""
        wanted: list[Wanted] = await self._in_thread(reconnecting(disk_configs.wanted))
        by_node = groupby(sorted(wanted, key=_node_name), key=_node_name)
        found = await asyncio.gather(*(self._of_node(list(group)) for _, group in by_node))
        for changed in filter(None, found):
            # One node after the other: what else waits for the thread comes in between.
            await self._in_thread(reconnecting(partial(self._write, changed)))
        self._looks += 1
        if self._looks % ASK_AGAIN == 0:
            await self._in_thread(reconnecting(self._ask_again))

    async def _of_node(self, wanted: Sequence[Wanted]) -> list[Found]:
        """What has changed on one node; nothing where it cannot be seen."""
        node = wanted[0].node
        if not self._nodes.abilities(node).files:
            return []
        paths = sorted({path for each in wanted for path in each.paths})
        try:
            stats = await self._nodes.stat_files(node, paths, DEADLINE)
            return [found for each in wanted if (found := await self._look_at(node, each, stats.get)) is not None]
        except GatewayError as error:
            logger.debug("%s: its configuration files cannot be seen: %s", node.name, error)
            return []

    async def _look_at(
        self, node: NodeAddress, wanted: Wanted, stat_of: Callable[[str], FileStat | None]
    ) -> Found | None:
        """What is to be written down of one file; None where it is as it was."""
        path = next((path for path in wanted.paths if stat_of(path) is not None), wanted.paths[0])
        stat = stat_of(path)
        if stat is None:
            return None if wanted.gone else Found(wanted, path)
        if stat == wanted.known:
            return None
        if stat.size > MAX_BYTES:
            return Found(wanted, path, stat, problem=f"it has {stat.size} bytes; at most {MAX_BYTES} are read")
        try:
            data, stat = await self._nodes.read_file(node, path, DEADLINE)
        except Refused as error:
            return Found(wanted, path, stat, problem=str(error))
        return Found(wanted, path, stat, data)

    def _write(self, changed: Iterable[Found]) -> None:
        for found in changed:
            try:
                disk_configs.record(found, self._clock.now())
            except IntegrityError:
                logger.info("%s has left the setup", found.wanted.server)

    def _ask_again(self) -> None:
        due = {row.ecc_server_id for row in config_store.unread() if self._can_be_read(row.ecc_server)}
        due |= {row.ecc_server_id for row in config_store.unsplit()}
        if due:
            publish.publish_keep_configs(sorted(due))

    def _can_be_read(self, server: ECCServer) -> bool:
        return bool(server.config_dir) and self._nodes.abilities(node_address(server.node)).files


def _node_name(wanted: Wanted) -> str:
    return wanted.node.name
