"""Files on a node over SFTP: list, move, copy; nothing is ever overwritten or deleted."""

import asyncio
import posixpath
import secrets
import stat
from collections.abc import Mapping, Sequence
from typing import cast

import asyncssh

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.file_names import is_graw, parents
from attpcdaq.gateways.node_connection import LOST
from attpcdaq.gateways.ports import GrawFile, MovedFile

MAX_COPY_BYTES = 64 * 1024 * 1024


async def graw_files(sftp: asyncssh.SFTPClient, directory: str) -> tuple[GrawFile, ...]:
    """Data files directly in `directory`, by name; Refused when there is no such directory."""
    entries = await _entries(sftp, directory)
    return tuple(
        GrawFile(name, attributes.size or 0, float(attributes.mtime or 0))
        for name, attributes in sorted(entries.items())
        if is_graw(name) and _is_file(attributes)
    )


async def move(sftp: asyncssh.SFTPClient, source: str, names: Sequence[str], destination: str) -> tuple[MovedFile, ...]:
    """Rename each file, never over another: SFTP's plain rename fails where the new name exists.

    Refused names the files that were moved and those that were not, when only some were.
    """
    present = await _entries(sftp, source)
    missing = [name for name in names if name not in present]
    if missing:
        raise Refused(f"there is no {posixpath.join(source, missing[0])}; nothing was moved")
    await _make_directories(sftp, destination)
    there = await _entries(sftp, destination)
    taken = [name for name in names if name in there]
    if taken:
        raise Refused(f"{posixpath.join(destination, taken[0])} exists already; nothing was moved")
    renames = (sftp.rename(posixpath.join(source, name), posixpath.join(destination, name)) for name in names)
    outcomes = await asyncio.gather(*renames, return_exceptions=True)
    _check_moved(dict(zip(names, outcomes, strict=True)))
    moved = await _entries(sftp, destination)
    return tuple(MovedFile(posixpath.join(destination, name), moved[name].size or 0) for name in names)


def _check_moved(outcomes: Mapping[str, BaseException | None]) -> None:
    failed = {name: error for name, error in outcomes.items() if error is not None}
    if not failed:
        return
    other = next((error for error in failed.values() if type(error) not in _ANSWERS), None)
    if other is not None:
        raise other
    moved = [name for name in outcomes if name not in failed]
    reasons = "; ".join(f"{name}: {reason(error)}" for name, error in failed.items())
    raise Refused(f"not moved: {reasons} (moved: {', '.join(moved) or 'none'})")


_ANSWERS = frozenset(
    {asyncssh.SFTPFailure, asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied, asyncssh.SFTPFileAlreadyExists}
)


async def copy(sftp: asyncssh.SFTPClient, source: str, names: Sequence[str], destination: str) -> tuple[MovedFile, ...]:
    """Copy each file; one that lies there already and is the same counts as copied, another is Refused."""
    await _make_directories(sftp, destination)
    there = await _entries(sftp, destination)
    return tuple([await _copy_one(sftp, source, name, destination, name in there) for name in names])


async def _copy_one(sftp: asyncssh.SFTPClient, source: str, name: str, destination: str, is_there: bool) -> MovedFile:
    old, new = posixpath.join(source, name), posixpath.join(destination, name)
    data = await _read(sftp, old)
    if is_there:
        if await _read(sftp, new) != data:
            raise Refused(f"{new} exists already and differs from {old}; it was left as it is")
        return MovedFile(new, len(data))
    partial = posixpath.join(destination, f".{name}.{secrets.token_hex(4)}.partial")
    try:
        async with sftp.open(partial, "xb") as handle:
            await handle.write(data)
        await sftp.rename(partial, new)
    except LOST:
        raise
    except asyncssh.SFTPError as error:
        await _remove_own(sftp, partial)
        raise Refused(f"{new} was not written: {reason(error)}") from error
    return MovedFile(new, len(data))


async def _read(sftp: asyncssh.SFTPClient, path: str) -> bytes:
    try:
        async with sftp.open(path, "rb") as handle:
            if ((await handle.stat()).size or 0) > MAX_COPY_BYTES:
                raise Refused(f"{path} is larger than {MAX_COPY_BYTES} bytes, which no configuration is")
            return cast(bytes, await handle.read())
    except asyncssh.SFTPNoSuchFile as error:
        raise Refused(f"there is no {path}") from error
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
        raise Refused(f"{path} cannot be read: {reason(error)}") from error


async def _remove_own(sftp: asyncssh.SFTPClient, partial: str) -> None:
    """Remove the file that we made a moment ago and could not finish."""
    try:
        await sftp.remove(partial)
    except LOST:
        raise
    except asyncssh.SFTPError:
        return  # it was never made


async def _entries(sftp: asyncssh.SFTPClient, directory: str) -> dict[str, asyncssh.SFTPAttrs]:
    try:
        return {str(entry.filename): entry.attrs async for entry in sftp.scandir(directory)}
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory) as error:
        raise Refused(f"there is no directory {directory}") from error
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
        raise Refused(f"the directory {directory} cannot be read: {reason(error)}") from error


async def _make_directories(sftp: asyncssh.SFTPClient, directory: str) -> None:
    """Make `directory` and those above it where they are missing."""
    for path in parents(directory):
        if not await sftp.isdir(path):
            try:
                await sftp.mkdir(path)
            except asyncssh.SFTPError as error:
                if not await sftp.isdir(path):
                    raise Refused(f"the directory {path} cannot be made: {reason(error)}") from error


def _is_file(attributes: asyncssh.SFTPAttrs) -> bool:
    kind = stat.S_IFMT(attributes.permissions or 0)
    return kind in (0, stat.S_IFREG)


def reason(error: BaseException) -> str:
    """What the SFTP server said."""
    return error.reason if isinstance(error, asyncssh.SFTPError) else str(error)
