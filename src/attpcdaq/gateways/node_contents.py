"""Contents of small files on a node over SFTP: read, copy, and put there whole or not at all."""

import asyncio
import posixpath
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import asyncssh

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.node_connection import LOST
from attpcdaq.gateways.node_files import ABSENT, make_directories, reason
from attpcdaq.gateways.node_listing import listing
from attpcdaq.gateways.ports import HEAD_BYTES, FileStat, MovedFile
from attpcdaq.gateways.sftp_batch import Session

# So many files are open at once: servers allow a hundred or more.
AT_ONCE = 32
MAX_BYTES = 64 * 1024 * 1024


async def copy(
    sftp: asyncssh.SFTPClient, session: Session, source: str, names: Sequence[str], destination: str
) -> tuple[MovedFile, ...]:
    """Copy each file; one that lies there already and is the same counts as copied, another is Refused."""
    await make_directories(sftp, destination)
    there = {name for name, *_ in await listing(session, destination)}
    return tuple([await _copy_one(sftp, source, name, destination, name in there) for name in names])


async def _copy_one(sftp: asyncssh.SFTPClient, source: str, name: str, destination: str, is_there: bool) -> MovedFile:
    old, new = posixpath.join(source, name), posixpath.join(destination, name)
    data, _ = await read(sftp, old)
    if is_there:
        if (await read(sftp, new))[0] != data:
            raise Refused(f"{new} exists already and differs from {old}; it was left as it is")
        return MovedFile(new, len(data))
    await _put(sftp, new, data, sftp.rename)
    return MovedFile(new, len(data))


async def read(sftp: asyncssh.SFTPClient, path: str) -> tuple[bytes, FileStat]:
    """A whole file; Refused when there is none (MISSING), or when it is larger than 64 MiB."""
    try:
        async with sftp.open(path, "rb") as handle:
            found = _stat(await handle.stat())
            if found.size > MAX_BYTES:
                raise Refused(f"{path} has {found.size} bytes, more than the {MAX_BYTES} that are read of one file")
            return await take(handle, found.size), found
    except ABSENT as error:
        raise Refused(f"there is no {path}", Refused.MISSING) from error
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
        raise Refused(f"{path} cannot be read: {reason(error)}") from error


async def take(handle: asyncssh.SFTPClientFile, size: int, at: int = 0) -> bytes:
    """So many bytes of a file, fewer where it ends."""
    return cast(bytes, await handle.read(size, at))  # its types do not know that it was opened for bytes


async def heads(sftp: asyncssh.SFTPClient, directory: str, names: Sequence[str]) -> dict[str, bytes]:
    """The first bytes of each file; what cannot be read is left out."""
    room = asyncio.Semaphore(AT_ONCE)

    async def head(name: str) -> tuple[str, bytes | None]:
        async with room:
            try:
                async with sftp.open(posixpath.join(directory, name), "rb") as handle:
                    return name, await take(handle, HEAD_BYTES)
            except LOST:
                raise
            except asyncssh.SFTPError:
                return name, None

    return {name: data for name, data in await asyncio.gather(*map(head, names)) if data is not None}


async def stats(sftp: asyncssh.SFTPClient, paths: Sequence[str]) -> tuple[FileStat | None, ...]:
    """Size and time of each; None where there is nothing."""
    return tuple(await asyncio.gather(*(_stat_one(sftp, path) for path in paths)))


async def write(sftp: asyncssh.SFTPClient, path: str, data: bytes) -> None:
    """Put a file there under another name first, then in the place of an older one in one step."""
    await make_directories(sftp, posixpath.dirname(path))
    await _put(sftp, path, data, sftp.posix_rename)


async def _stat_one(sftp: asyncssh.SFTPClient, path: str) -> FileStat | None:
    try:
        return _stat(await sftp.stat(path))
    except ABSENT:
        return None


def _stat(attributes: asyncssh.SFTPAttrs) -> FileStat:
    return FileStat(attributes.size or 0, float(attributes.mtime or 0))


async def _put(
    sftp: asyncssh.SFTPClient, path: str, data: bytes, rename: Callable[[str, str], Awaitable[None]]
) -> None:
    directory, name = posixpath.split(path)
    partial = posixpath.join(directory, f".{name}.{secrets.token_hex(4)}.partial")
    try:
        async with sftp.open(partial, "xb") as handle:
            await handle.write(data)
        await rename(partial, path)
    except LOST:
        raise
    except asyncssh.SFTPError as error:
        await _remove_own(sftp, partial)
        raise Refused(f"{path} was not written: {reason(error)}") from error


async def _remove_own(sftp: asyncssh.SFTPClient, partial: str) -> None:
    """Remove the file that we made a moment ago and could not finish."""
    try:
        await sftp.remove(partial)
    except LOST:
        raise
    except asyncssh.SFTPError:
        return  # it was never made
