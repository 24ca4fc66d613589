"""What lies in a directory on a node, in as few packets as it can be."""

from collections.abc import Iterable

import asyncssh

from attpcdaq.gateways import sftp_answers, sftp_batch
from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.file_names import is_graw
from attpcdaq.gateways.node_disk import MOST_BYTES
from attpcdaq.gateways.ports import GrawFile
from attpcdaq.gateways.sftp_answers import Entry
from attpcdaq.gateways.sftp_batch import Session

FIRST_LOOKS, MOST_LOOKS = 2, 16


async def listing(session: Session, directory: str) -> list[Entry]:
    """All that lies directly in `directory`; Refused (MISSING) when there is no such directory."""
    try:
        handle = sftp_answers.data((await session.ask([sftp_batch.open_directory(directory)]))[0])
        try:
            return await names(session, handle)
        finally:
            session.forget([handle])
    except asyncssh.SFTPNoSuchFile as error:
        raise Refused(f"there is no directory {directory}", Refused.MISSING) from error
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
        raise Refused(f"the directory {directory} cannot be read: {error.reason}") from error


async def names(session: Session, handle: bytes) -> list[Entry]:
    """All that an open directory holds.

    A server tells a hundred names at a time, and one look more is needed to see that this was all.
    """
    found: list[Entry] = []
    looks = FIRST_LOOKS
    while True:
        answers = [sftp_answers.entries(one) for one in await session.ask([sftp_batch.read_names(handle)] * looks)]
        found += [entry for answer in answers for entry in answer]
        if not all(answers):
            break
        looks = min(2 * looks, MOST_LOOKS)
    check_sizes(size for _, _, size, _ in found)
    return found


def data_files(found: Iterable[Entry]) -> tuple[GrawFile, ...]:
    """The data files, by name."""
    files = (GrawFile(name, size, mtime) for name, is_file, size, mtime in found if is_file and is_graw(name))
    return tuple(sorted(files, key=lambda file: file.name))


def check_sizes(sizes: Iterable[int]) -> None:
    """SFTPBadMessage where files are larger than they can be; nobody could keep such a sum."""
    if sum(sizes) > MOST_BYTES:
        raise asyncssh.SFTPBadMessage("files that are larger together than any disk")
