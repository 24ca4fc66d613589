"""Looking into data files on a node: there, where it has Python, else by reading them from here."""

import asyncio
import json
import posixpath
import re
import shlex
import stat
from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import asyncssh

from attpcdaq.gateways import node_contents
from attpcdaq.gateways.errors import GatewayError, Refused
from attpcdaq.gateways.file_scan import FileReader
from attpcdaq.gateways.node_connection import LOST, Link
from attpcdaq.gateways.node_files import ABSENT, reason
from attpcdaq.gateways.node_program_file import program_file
from attpcdaq.gateways.ports import FileScan
from get_protocol.graw_summary import BadSummary, Summary

DIRECTORY = "~/.attpcdaq"
PIECE_BYTES = 4 << 20
# A command line is one argument of a shell; Linux allows it 128 kB.
MOST_COMMAND = 30_000
READ_BYTES = 1 << 16
MOST_LINE = 4 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_Found = FileScan | GatewayError
T = TypeVar("T")


async def scan(
    link: Link, directory: str, names: Sequence[str], timeout: float, checksum: bool
) -> Mapping[str, _Found]:
    """What is in these files of an absolute directory; Refused for each that cannot be read (MISSING: is not there).

    After `timeout` seconds without progress the connection is ended: TimeoutError.
    """
    found = await _there(link, directory, names, timeout, checksum)
    for name in names:
        if name not in found:
            found[name] = await _from_here(link, posixpath.join(directory, name), timeout, checksum)
    return found


async def _there(link: Link, directory: str, names: Sequence[str], timeout: float, checksum: bool) -> dict[str, _Found]:
    """By the node's own Python; what it does not answer is left out."""
    found: dict[str, _Found] = {}
    program = await _in_time(link, timeout, _put_there(link))
    if program is None:
        return found
    options = ["--"] if checksum else ["--no-checksum", "--"]
    for batch in _batches(names):
        command = f"cd {shlex.quote(directory)} && {shlex.join(['python3', '-I', program, *options, *batch])}"
        known: dict[str, _Found] = {}
        async with aclosing(_lines(link, command, timeout)) as lines:
            async for line in lines:
                name, one = _answer(line, posixpath.join(directory, ""), checksum)
                if one is not None and name in batch:
                    known[name] = one
                if len(known) == len(batch):
                    break  # whatever else it may have to say
        if not known:
            break  # its Python cannot do it, and will not for the others
        found |= known
    return found


async def _put_there(link: Link) -> str | None:
    """Path of the program on the node, copied there when it is not; None where it cannot be."""
    name, data = program_file()
    path = posixpath.join(link.path(DIRECTORY), name)
    try:
        (there,) = await node_contents.stats(link.sftp, [path])
        if there is None or there.size != len(data):
            await node_contents.write(link.session, path, data)
    except LOST:
        raise
    except (Refused, asyncssh.SFTPError):
        return None
    return path


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    """Names that fit a command line together."""
    batch: list[str] = []
    room = MOST_COMMAND
    for name in names:
        size = len(shlex.quote(name).encode()) + 1
        if size > room and batch:
            yield batch
            batch, room = [], MOST_COMMAND
        batch.append(name)
        room -= size
    if batch:
        yield batch


async def _lines(link: Link, command: str, timeout: float) -> AsyncGenerator[bytes, None]:
    """What a command prints, line by line; ends when a line has no end."""
    nothing = asyncssh.DEVNULL
    begun = link.connection.create_process(command, stdin=nothing, stderr=nothing, encoding=None)
    process = await _in_time(link, timeout, begun)
    try:
        rest = b""
        while len(rest) <= MOST_LINE:
            read = await _in_time(link, timeout, process.stdout.read(READ_BYTES))
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                yield line
            if not read:
                return
    finally:
        process.close()


def _answer(line: bytes, directory: str, checksum: bool) -> tuple[str, _Found | None]:
    """A file's name and what it is; None for what says nothing (progress, a login banner, an answer that is wrong)."""
    try:
        told = json.loads(line)
        name = told["name"]
        if "error" in told:
            return name, _refused(directory + name, told)
        summary, sha256 = Summary.from_json(told["summary"]), told["sha256"]
        if told["size"] != summary.size or not re.fullmatch(_SHA256 if checksum else "", sha256):
            return name, None
        return name, FileScan(summary.size, sha256, summary)
    except (ValueError, TypeError, KeyError, RecursionError, BadSummary):
        return "", None


def _refused(path: str, told: Mapping[str, Any]) -> Refused:
    if told.get("missing") is True:
        return Refused(f"there is no {path}", Refused.MISSING)
    return Refused(f"{path} cannot be read: {str(told['error'])[:200]!r}")


async def _from_here(link: Link, path: str, timeout: float, checksum: bool) -> _Found:
    """By reading all of the file over SFTP."""
    try:
        found = await _in_time(link, timeout, link.sftp.stat(path))
        if stat.S_IFMT(found.permissions or 0) not in (0, stat.S_IFREG):
            return Refused(f"{path} cannot be read: it is no regular file")
        handle = await _in_time(link, timeout, link.sftp.open(path, "rb"))
        try:
            return await _read(link, handle, found.size or 0, timeout, checksum)
        finally:
            with suppress(*LOST):
                await _in_time(link, timeout, handle.close())
    except ABSENT:
        return Refused(f"there is no {path}", Refused.MISSING)
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
        return Refused(f"{path} cannot be read: {reason(error)}")


async def _read(link: Link, handle: asyncssh.SFTPClientFile, size: int, timeout: float, checksum: bool) -> FileScan:
    """The first `size` bytes; while a piece is looked into, the next one is on its way."""
    reader, at = FileReader(checksum), 0
    piece = await _piece(link, handle, size, 0, timeout)
    while piece:
        at += len(piece)
        taken = asyncio.to_thread(reader.take, piece)
        piece, _ = await asyncio.gather(_piece(link, handle, size, at, timeout), taken)
    return reader.result()


async def _piece(link: Link, handle: asyncssh.SFTPClientFile, size: int, at: int, timeout: float) -> bytes:
    return await _in_time(link, timeout, node_contents.take(handle, min(PIECE_BYTES, size - at), at))


async def _in_time(link: Link, timeout: float, step: Awaitable[T]) -> T:
    """The outcome of a step that must not take longer; else the connection ends, for only that ends the step."""
    scope = asyncio.timeout(timeout)
    try:
        async with scope:
            abort = asyncio.get_running_loop().call_at(scope.when() or 0.0, link.connection.abort)
            try:
                return await step
            finally:
                abort.cancel()
    except (*LOST, TimeoutError) as error:
        if scope.expired():
            raise TimeoutError(f"nothing more of a file came within {timeout:g} s") from error
        raise
