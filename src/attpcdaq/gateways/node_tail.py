"""The last event number of a file that grows on a node, from its last bytes."""

from collections.abc import Awaitable, Callable, Mapping
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
        self._growing: dict[str, str] = {}

    def expected(self, directory: str) -> str | None:
        """Path of the file that grew when it was last looked at, and will be read again, as likely as not."""
        return self._growing.get(directory)

    async def last_event(
        self, session: Session, directory: str, file: GrawFile | None, handles: Mapping[str, bytes]
    ) -> int | None:
        """Event number of the last frame; None when there is no frame or it cannot be read (a file just moved).

        `handles` are files, by path, which the caller has opened and will close.
        """
        self._growing.pop(directory, None)
        if file is None or file.size == 0:
            return None
        seen = self._seen.get(directory)
        if seen is not None and seen.file == file:
            return seen.last.event_idx if seen.last else None
        if seen is not None and (seen.file.name != file.name or seen.file.size > file.size):
            seen = None
        path = f"{directory}/{file.name}"
        try:
            first, last = await _ends(session, path, handles.get(path), seen, file.size)
        except (FrameError, asyncssh.SFTPNoSuchFile, asyncssh.SFTPFailure, asyncssh.SFTPPermissionDenied):
            return None
        self._seen[directory], self._growing[directory] = _Seen(file, first, last), path
        return last.event_idx if last else None


def newest(files: tuple[GrawFile, ...]) -> GrawFile | None:
    """The file that was written to last and holds anything."""
    return max((file for file in files if file.size), key=lambda file: (file.mtime, file.name), default=None)


async def _ends(
    session: Session, path: str, handle: bytes | None, seen: _Seen | None, size: int
) -> tuple[FrameHeader, FrameHeader | None]:
    """First and last frame; a handle that was not given is closed again."""
    known = handle
    if handle is None:
        handle = sftp_answers.data((await session.ask([sftp_batch.open_file(path)]))[0])
    try:
        read = _reader(session, handle)
        first = seen.first if seen else read_header(await read(HEADER_BYTES, 0))
        return first, await _last_frame(read, first, seen.last if seen and seen.last else first, size)
    finally:
        if known is None:
            session.forget([handle])


def _reader(session: Session, handle: bytes) -> _Read:
    async def read(size: int, offset: int) -> bytes:
        """As much as is there, in pieces that any server gives at once."""
        pieces = await session.ask(sftp_batch.read_all(handle, size, offset))
        return b"".join([sftp_answers.data(piece) for piece in pieces])

    return read


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
