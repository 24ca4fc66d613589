"""One look at the data routers of a node, as cheap as it can be: a few packets, seldom a process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import asyncssh

from attpcdaq.gateways import sftp_answers, sftp_batch
from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.file_names import check_path, expanded
from attpcdaq.gateways.node_disk import Disk, df_command, parse_df
from attpcdaq.gateways.node_hearing import LOG_TAIL, hears
from attpcdaq.gateways.node_listing import data_files, names
from attpcdaq.gateways.node_processes import PS_COMMAND, parse_ps, router_pid
from attpcdaq.gateways.node_shell import Shell
from attpcdaq.gateways.node_tail import Tails, newest
from attpcdaq.gateways.ports import GrawFile, RouterQuery, RouterReading
from attpcdaq.gateways.sftp_batch import Answer, Session

PS_EVERY, PS_EVERY_WITHOUT_PROC = 10.0, 2.0
"""Seconds. In between Linux tells of one process by the directory /proc/PID; macOS has none."""
HEARS_EVERY = 5.0
TOLD = 10_000
"""Characters of a list of processes in which there must be one."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the files and the disk of one router say."""

    files: tuple[GrawFile, ...]
    last_event: int | None
    disk: Disk


@dataclass(frozen=True, slots=True)
class _First:
    """Answers to the first packet: directory and space by path, files that were opened, processes that live or not."""

    places: Mapping[str, tuple[Answer, Answer]]
    files: Mapping[str, bytes]
    alive: Sequence[Answer]

    @property
    def handles(self) -> list[bytes]:
        listings = [sftp_answers.data(one) for one, _ in self.places.values() if isinstance(one, bytes)]
        return [*listings, *self.files.values()]


@dataclass(frozen=True, slots=True)
class _Hearing:
    pid: int
    at: float
    answer: bool | None
    doubted: bool = False


@dataclass(slots=True)
class Watch:
    """What was learnt over one connection, and is asked again only when it may have changed."""

    session: Session
    shell: Shell
    home: str
    monotonic: Callable[[], float]
    _tails: Tails = field(default_factory=Tails)
    _listed_at: float = float("-inf")
    _has_proc: bool | None = None
    _pids: dict[RouterQuery, int | None] = field(default_factory=dict)
    _hearing: dict[RouterQuery, _Hearing] = field(default_factory=dict)

    async def look(self, routers: Sequence[RouterQuery]) -> Mapping[str, RouterReading | Refused]:
        """By name; a refusal concerns that router alone."""
        places = {router: self._directory(router) for router in routers}
        directories = list(dict.fromkeys(path for path in places.values() if isinstance(path, str)))
        pids = list(dict.fromkeys(pid for router in routers if (pid := self._pids.get(router)) is not None))
        first = await self._first(directories, pids)
        try:
            await self._find(routers, first.alive)
            seen = [await self._look(path, *one, first.files) for path, one in first.places.items()]
        finally:
            self.session.forget(first.handles)
        looks = dict(zip(directories, seen, strict=True))
        ends = ((router, looks[place] if isinstance(place, str) else place) for router, place in places.items())
        return {router.name: await self._reading(router, look) for router, look in ends}

    async def _first(self, directories: Sequence[str], pids: Sequence[int]) -> _First:
        """What can be asked before anything is known: in one packet."""
        paths = [path for directory in directories if (path := self._tails.expected(directory)) is not None]
        processes = ["/proc/self"] if self._has_proc is None else []
        processes += [f"/proc/{pid}" for pid in pids]
        asked = [
            [sftp_batch.open_directory(path) for path in directories],
            [sftp_batch.stat_space(path) for path in directories],
            [sftp_batch.open_file(path) for path in paths],
            [sftp_batch.stat(path) for path in processes],
        ]
        answers = iter(await self.session.ask([one for group in asked for one in group]))
        listings, spaces, files, alive = ([next(answers) for _ in group] for group in asked)
        if self._has_proc is None:
            self._has_proc = isinstance(alive.pop(0), bytes)
        return _First(
            dict(zip(directories, zip(listings, spaces, strict=True), strict=True)),
            {path: sftp_answers.data(one) for path, one in zip(paths, files, strict=True) if isinstance(one, bytes)},
            alive,
        )

    def _directory(self, router: RouterQuery) -> str | Refused:
        try:
            check_path(router.staging_dir)
        except Refused as error:
            return error
        return expanded(router.staging_dir, self.home)

    async def _find(self, routers: Sequence[RouterQuery], alive: Sequence[Answer]) -> None:
        """Who runs: from `ps` when a router is not known to run, when one is gone, and every few seconds anyway."""
        gone = bool(self._has_proc) and any(not isinstance(one, bytes) for one in alive)
        unknown = any(self._pids.get(router) is None for router in routers)
        every = PS_EVERY if self._has_proc else PS_EVERY_WITHOUT_PROC
        if gone or unknown or self.monotonic() - self._listed_at >= every:
            told = await self.shell.run(PS_COMMAND)
            if not parse_ps(told[:TOLD]):
                raise Refused(f"{PS_COMMAND!r} told of no process")
            processes = parse_ps(told, {router.process_name for router in routers})
            self._listed_at = self.monotonic()
            self._pids = {router: router_pid(processes, router.process_name, router.port) for router in routers}

    async def _look(
        self, directory: str, listing: Answer, space: Answer, handles: Mapping[str, bytes]
    ) -> _Look | Refused:
        try:
            files = await self._files(sftp_answers.data(listing))
            event = await self._tails.last_event(self.session, directory, newest(files), handles)
            return _Look(files, event, await self._disk(directory, space))
        except asyncssh.SFTPNoSuchFile:
            return Refused(f"there is no directory {directory}", Refused.MISSING)
        except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
            return Refused(f"the directory {directory} cannot be read: {error.reason}")
        except Refused as error:
            return error

    async def _files(self, handle: bytes) -> tuple[GrawFile, ...]:
        return data_files(await names(self.session, handle))

    async def _disk(self, directory: str, space: Answer) -> Disk:
        if isinstance(space, asyncssh.SFTPOpUnsupported):
            return parse_df(await self.shell.run(df_command(directory)))
        return sftp_answers.disk(space)

    async def _reading(self, router: RouterQuery, look: _Look | Refused) -> RouterReading | Refused:
        if isinstance(look, Refused):
            return look
        pid = self._pids.get(router)
        heard = None if pid is None else await self._hears(router, pid)
        disk = look.disk
        return RouterReading(pid is not None, look.files, look.last_event, disk.free, disk.total, pid, heard)

    async def _hears(self, router: RouterQuery, pid: int) -> bool | None:
        """Between two connections a router holds no socket for a moment: deaf is believed when it is seen twice."""
        now, before = self.monotonic(), self._hearing.get(router)
        if before is not None and before.pid != pid:
            before = None
        if before is None or before.doubted or now - before.at >= HEARS_EVERY:
            log = partial(self._log, router)
            answer = await hears(self.shell.look, log, pid, router.port, proc=bool(self._has_proc))
            if answer is False and (before is None or (before.answer is not False and not before.doubted)):
                before = _Hearing(pid, now, before.answer if before else None, doubted=True)
            else:
                before = _Hearing(pid, now, answer)
            self._hearing[router] = before
        return before.answer

    async def _log(self, router: RouterQuery) -> str:
        """The end of its log; empty where there is none."""
        if not router.log_file:
            return ""
        path = expanded(router.log_file, self.home)
        opened, size = await self.session.ask([sftp_batch.open_file(path), sftp_batch.stat(path)])
        if isinstance(opened, asyncssh.SFTPError) or isinstance(size, asyncssh.SFTPError):
            return ""
        handle, start = sftp_answers.data(opened), max(0, sftp_answers.stat_of(size).size - LOG_TAIL)
        (tail,) = await self.session.ask([sftp_batch.read_bytes(handle, LOG_TAIL, start)])
        self.session.forget([handle])
        return "" if isinstance(tail, asyncssh.SFTPError) else sftp_answers.data(tail).decode("utf-8", "replace")
