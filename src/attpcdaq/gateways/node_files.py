"""Directories on a node over SFTP: list, make, rename; nothing is ever overwritten or deleted."""

import asyncio
import posixpath
import stat
from collections.abc import Iterable, Mapping

import asyncssh

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.file_names import is_graw, parents
from attpcdaq.gateways.node_disk import MOST_BYTES
from attpcdaq.gateways.ports import GrawFile, MovedFile

ABSENT = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
"""There is nothing under that path."""


async def graw_files(sftp: asyncssh.SFTPClient, directory: str) -> tuple[GrawFile, ...]:
    """Data files directly in `directory`, by name; Refused when there is no such directory."""
    found = await entries(sftp, directory)
    return tuple(
        GrawFile(name, attributes.size or 0, float(attributes.mtime or 0))
        for name, attributes in sorted(found.items())
        if is_graw(name) and is_file(attributes)
    )


async def move(
    sftp: asyncssh.SFTPClient, source: str, moves: Mapping[str, str], destination: str
) -> tuple[MovedFile, ...]:
    """Rename each file (name -> new name), never over another: SFTP's plain rename fails where the new name exists.

    Refused names the files that were moved and those that were not, when only some were.
    """
    present = await entries(sftp, source)
    missing = [name for name in moves if name not in present]
    if missing:
        raise Refused(f"there is no {posixpath.join(source, missing[0])}; nothing was moved", Refused.MISSING)
    await make_directories(sftp, destination)
    there = await entries(sftp, destination)
    taken = [new for new in moves.values() if new in there]
    if taken:
        raise Refused(f"{posixpath.join(destination, taken[0])} exists already; nothing was moved")
    renames = (
        sftp.rename(posixpath.join(source, name), posixpath.join(destination, new)) for name, new in moves.items()
    )
    outcomes = await asyncio.gather(*renames, return_exceptions=True)
    _check_moved(dict(zip(moves, outcomes, strict=True)))
    moved = await entries(sftp, destination)
    gone = [new for new in moves.values() if new not in moved]
    if gone:
        raise Refused(f"{posixpath.join(destination, gone[0])} was moved there and is there no more")
    return tuple(MovedFile(posixpath.join(destination, new), moved[new].size or 0) for new in moves.values())


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


async def entries(sftp: asyncssh.SFTPClient, directory: str) -> dict[str, asyncssh.SFTPAttrs]:
    """What lies directly in `directory`, by name; Refused (MISSING) when there is no such directory."""
    try:
        found = {str(entry.filename): entry.attrs async for entry in sftp.scandir(directory)}
    except ABSENT as error:
        raise Refused(f"there is no directory {directory}", Refused.MISSING) from error
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
        raise Refused(f"the directory {directory} cannot be read: {reason(error)}") from error
    check_sizes(attributes.size or 0 for attributes in found.values())
    return found


def check_sizes(sizes: Iterable[int]) -> None:
    """SFTPBadMessage where files are larger than they can be; nobody could keep such a sum."""
    if sum(sizes) > MOST_BYTES:
        raise asyncssh.SFTPBadMessage("files that are larger together than any disk")


async def make_directories(sftp: asyncssh.SFTPClient, directory: str) -> None:
    """Make `directory` and those above it where they are missing."""
    for path in parents(directory):
        if not await sftp.isdir(path):
            try:
                await sftp.mkdir(path)
            except asyncssh.SFTPError as error:
                if not await sftp.isdir(path):
                    raise Refused(f"the directory {path} cannot be made: {reason(error)}") from error


def is_file(attributes: asyncssh.SFTPAttrs) -> bool:
    kind = stat.S_IFMT(attributes.permissions or 0)
    return kind in (0, stat.S_IFREG)


def reason(error: BaseException) -> str:
    """What the SFTP server said."""
    return error.reason if isinstance(error, asyncssh.SFTPError) else str(error)
