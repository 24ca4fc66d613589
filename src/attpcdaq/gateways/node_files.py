"""Directories on a node over SFTP: list, make, rename; nothing is ever overwritten or deleted."""

import posixpath
from collections.abc import Mapping, Sequence

import asyncssh

from attpcdaq.gateways import sftp_answers, sftp_batch
from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.file_names import parents
from attpcdaq.gateways.node_listing import data_files, listing
from attpcdaq.gateways.ports import GrawFile, MovedFile
from attpcdaq.gateways.sftp_batch import Answer, Session

ABSENT = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
"""There is nothing under that path."""


async def graw_files(session: Session, directory: str) -> tuple[GrawFile, ...]:
    """Data files directly in `directory`, by name; Refused when there is no such directory."""
    return data_files(await listing(session, directory))


async def move(session: Session, source: str, moves: Mapping[str, str], destination: str) -> tuple[MovedFile, ...]:
    """Rename each file (name -> new name), never over another: SFTP's plain rename fails where the new name exists.

    Refused names the files that were moved and those that were not, when only some were.
    """
    present = await _sizes(session, source)
    missing = [name for name in moves if name not in present]
    if missing:
        raise Refused(f"there is no {posixpath.join(source, missing[0])}; nothing was moved", Refused.MISSING)
    there = {} if await make_directories(session, destination) else await _sizes(session, destination)
    taken = [new for new in moves.values() if new in there]
    if taken:
        raise Refused(f"{posixpath.join(destination, taken[0])} exists already; nothing was moved")
    renames = [
        sftp_batch.rename(posixpath.join(source, name), posixpath.join(destination, new)) for name, new in moves.items()
    ]
    _check_moved(dict(zip(moves, await session.ask(renames), strict=True)))
    moved = await _sizes(session, destination)
    gone = [new for new in moves.values() if new not in moved]
    if gone:
        raise Refused(f"{posixpath.join(destination, gone[0])} was moved there and is there no more")
    return tuple(MovedFile(posixpath.join(destination, new), moved[new]) for new in moves.values())


async def _sizes(session: Session, directory: str) -> dict[str, int]:
    return {name: size for name, _, size, _ in await listing(session, directory)}


def _check_moved(outcomes: Mapping[str, Answer]) -> None:
    failed = {name: error for name, error in outcomes.items() if isinstance(error, asyncssh.SFTPError)}
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


async def make_directories(session: Session, directory: str) -> bool:
    """Make `directory`, and those above it, where they are missing; True when it is new."""
    if not isinstance((await session.ask([sftp_batch.make_directory(directory)]))[0], asyncssh.SFTPError):
        return True
    missing = await _missing(session, parents(directory))
    made = await session.ask([sftp_batch.make_directory(path) for path in missing])
    failed = {
        path: answer for path, answer in zip(missing, made, strict=True) if isinstance(answer, asyncssh.SFTPError)
    }
    for path in await _missing(session, list(failed)):
        raise Refused(f"the directory {path} cannot be made: {reason(failed[path])}") from failed[path]
    return directory in missing and directory not in failed


async def _missing(session: Session, paths: Sequence[str]) -> list[str]:
    """Those that are no directories."""
    found = await session.ask([sftp_batch.stat(path) for path in paths])
    return [path for path, one in zip(paths, found, strict=True) if not sftp_answers.is_directory(one)]


def reason(error: BaseException) -> str:
    """What the SFTP server said."""
    return error.reason if isinstance(error, asyncssh.SFTPError) else str(error)
