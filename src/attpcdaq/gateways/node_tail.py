"""The last event number of a file that grows on a node, from its last bytes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncssh

from attpcdaq.gateways import sftp_answers, sftp_batch
from attpcdaq.gateways.ports import GrawFile
from attpcdaq.gateways.sftp_batch import Session
from get_protocol.errors import FrameError
from get_protocol.graw import FrameHeader, find_last_frame, read_header

HEADER_BYTES = 256
# A partial readout's frames are a few kB, a full one's 279 kB; the longest known frame has 557 kB (facts 5).
WINDOWS = (64 * 1024, 1200 * 1024)
LEAST_WINDOW = 4 * 1024
PIECE = 32 * 1024
_Read = Callable[[int, int], Awaitable[bytes]]
"""Size and offset, as in a file."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of one directory's newest file."""

    file: GrawFile
    first: FrameHeader
    last: FrameHeader | None


class Tails:
    """Remembers one file per directory of one node, so that a file which does not grow is not read again."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    async def last_event(self, session: Session, directory: str, file: GrawFile | None) -> int | None:
        """Event number of the last frame; None when there is no frame or it cannot be read (a file just moved)."""
        if file is None or file.size == 0:
            return None
        seen = self._seen.get(directory)
        if seen is not None and seen.file == file:
            return seen.last.event_idx if seen.last else None
        if seen is not None and (seen.file.name != file.name or seen.file.size > file.size):
            seen = None
        try:
            async with _opened(session, f"{directory}/{file.name}") as read:
                first = seen.first if seen else read_header(await read(HEADER_BYTES, 0))
                last = await _last_frame(read, first, seen.last if seen and seen.last else first, file.size)
        except (FrameError, asyncssh.SFTPNoSuchFile, asyncssh.SFTPFailure, asyncssh.SFTPPermissionDenied):
            return None
        self._seen[directory] = _Seen(file, first, last)
        return last.event_idx if last else None


def newest(files: tuple[GrawFile, ...]) -> GrawFile | None:
    """The file that was written to last and holds anything."""
    return max((file for file in files if file.size), key=lambda file: (file.mtime, file.name), default=None)


@asynccontextmanager
async def _opened(session: Session, path: str) -> AsyncIterator[_Read]:
    (answer,) = await session.ask([sftp_batch.open_file(path)])
    handle = sftp_answers.data(answer)

    async def read(size: int, offset: int) -> bytes:
        """As much as is there, in pieces that any server gives at once."""
        starts = range(offset, offset + size, PIECE)
        asked = [sftp_batch.read_bytes(handle, min(PIECE, offset + size - start), start) for start in starts]
        return b"".join([sftp_answers.data(piece) for piece in await session.ask(asked)])

    try:
        yield read
    finally:
        session.forget([handle])


async def _last_frame(read: _Read, first: FrameHeader, like: FrameHeader, size: int) -> FrameHeader | None:
    if 2 * first.frame_size > LEAST_WINDOW:
        found = await _last_of_equals(read, first, size)
        if found is not None:
            return found
    for window in (min(max(3 * like.frame_size, LEAST_WINDOW), WINDOWS[0]), *WINDOWS):
        offset = max(0, size - window)
        found = find_last_frame(first, await read(window, offset), offset)
        if found is not None or offset == 0:
            return found
    return None


async def _last_of_equals(read: _Read, first: FrameHeader, size: int) -> FrameHeader | None:
    """The last frame where all are as long as the first (full readout): its header alone is read, not 1 MB.

    Believed only when nothing follows it.
    """
    offset = (size - 1) // first.frame_size * first.frame_size
    header = find_last_frame(first, await read(HEADER_BYTES, offset), offset)
    if header is None or (header.offset, header.frame_size) != (offset, first.frame_size):
        return None
    return header
