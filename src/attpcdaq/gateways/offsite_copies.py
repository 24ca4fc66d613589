"""Copies of finished backups on another computer, made for ever: a line in the log for each change, and no other."""

import asyncio
import logging
import stat
from collections.abc import Callable
from pathlib import Path

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.offsite_address import OffsiteAddress
from attpcdaq.gateways.offsite_store import OffsiteStore, open_store

logger = logging.getLogger(__name__)
UNFINISHED = (".part", ".tmp", ".new")
LOOK_EVERY, RETRY_AFTER = 5.0, 30.0

Print = tuple[str, int, int]
"""Name, size in bytes and time of change (ns): another file of the same name is another backup."""


class OffsiteCopies:
    """Copies what lies in `source` and is finished: whoever writes there gives a file its name last."""

    def __init__(self, source: Path, where: OffsiteAddress, identity: SshIdentity) -> None:
        self._source, self._where, self._identity = source, where, identity
        self._settled: set[Print] = set()
        self._trouble = ""

    async def run(
        self, alive: Callable[[], None], look_every: float = LOOK_EVERY, retry_after: float = RETRY_AFTER
    ) -> None:
        """Until cancelled; `alive` is called in each round."""
        pulse = asyncio.create_task(_beat(alive, look_every))
        logger.info("copies of the backups in %s go to %s", self._source, self._where)
        try:
            while True:
                went_well = await self.round()
                await asyncio.sleep(look_every if went_well else retry_after)
        finally:
            pulse.cancel()

    async def round(self) -> bool:
        """Copy what is missing there; False when something kept us from it (said once, until it changes)."""
        try:
            waiting = [found for found in finished(self._source) if found not in self._settled]
            if waiting:
                async with open_store(self._where, self._identity) as store:
                    for found in waiting:
                        await self._settle(store, found)
        except (GatewayError, OSError) as error:
            return self._say(str(error))
        if self._trouble:
            logger.info("copying backups to %s works again", self._where)
        self._trouble = ""
        return True

    async def _settle(self, store: OffsiteStore, found: Print) -> None:
        name, size, _ = found
        there = await store.size(name)
        if there is None:
            try:
                sha256 = await store.put(self._source / name)
            except FileNotFoundError:
                return  # too old to be kept here, and gone meanwhile
            logger.info("copied %s (%d bytes, SHA-256 %s) to %s", name, size, sha256, self._where)
        elif there != size:
            logger.error("%s is at %s with %d bytes, here it has %d: left alone", name, self._where, there, size)
        self._settled.add(found)

    def _say(self, trouble: str) -> bool:
        if trouble != self._trouble:
            logger.warning("backups are not copied, and it is tried again: %s", trouble)
        self._trouble = trouble
        return False


def finished(directory: Path) -> list[Print]:
    """The backups in it, oldest first."""
    found = []
    for path in directory.iterdir():
        try:
            status = path.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode) and not path.name.startswith(".") and path.suffix not in UNFINISHED:
            found.append((path.name, status.st_size, status.st_mtime_ns))
    return sorted(found, key=lambda one: one[2])


async def _beat(alive: Callable[[], None], every: float) -> None:
    while True:
        alive()
        await asyncio.sleep(every)
