"""The last event number of a file that grows on a node, from its last bytes."""

from dataclasses import dataclass
from typing import cast

import asyncssh

from attpcdaq.gateways.ports import GrawFile
from get_protocol.errors import FrameError
from get_protocol.graw import FrameHeader, find_last_frame, read_header

HEADER_BYTES = 256
# A partial readout's frames are a few kB, a full one's 279 kB; the longest known frame has 557 kB (facts 5).
WINDOWS = (64 * 1024, 1200 * 1024)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of one directory's newest file."""

    file: GrawFile
    first: FrameHeader
    last_event: int | None


class Tails:
    """Remembers one file per directory of one node, so that a file which does not grow is not read again."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    async def last_event(self, sftp: asyncssh.SFTPClient, directory: str, file: GrawFile | None) -> int | None:
        """Event number of the last frame; None when there is no frame or it cannot be read (a file just moved)."""
        if file is None or file.size == 0:
            return None
        seen = self._seen.get(directory)
        if seen is not None and seen.file == file:
            return seen.last_event
        known = seen.first if seen and seen.file.name == file.name and seen.file.size <= file.size else None
        try:
            async with sftp.open(f"{directory}/{file.name}", "rb") as handle:
                first = known or read_header(await _read(handle, HEADER_BYTES, 0))
                last = await _last_frame(handle, first, file.size)
        except (FrameError, asyncssh.SFTPNoSuchFile, asyncssh.SFTPFailure, asyncssh.SFTPPermissionDenied):
            return None
        event = last.event_idx if last else None
        self._seen[directory] = _Seen(file, first, event)
        return event


def newest(files: tuple[GrawFile, ...]) -> GrawFile | None:
    """The file that was written to last and holds anything."""
    return max((file for file in files if file.size), key=lambda file: (file.mtime, file.name), default=None)


async def _last_frame(handle: asyncssh.SFTPClientFile, first: FrameHeader, size: int) -> FrameHeader | None:
    if 2 * first.frame_size > WINDOWS[0]:
        found = await _last_of_equals(handle, first, size)
        if found is not None:
            return found
    for window in WINDOWS:
        offset = max(0, size - window)
        found = find_last_frame(first, await _read(handle, window, offset), offset)
        if found is not None or offset == 0:
            return found
    return None


async def _last_of_equals(handle: asyncssh.SFTPClientFile, first: FrameHeader, size: int) -> FrameHeader | None:
    """The last frame where all are as long as the first (full readout): its header alone is read, not 1 MB.

    Believed only when nothing follows it.
    """
    offset = (size - 1) // first.frame_size * first.frame_size
    header = find_last_frame(first, await _read(handle, HEADER_BYTES, offset), offset)
    if header is None or (header.offset, header.frame_size) != (offset, first.frame_size):
        return None
    return header


async def _read(handle: asyncssh.SFTPClientFile, size: int, offset: int) -> bytes:
    return cast(bytes, await handle.read(size, offset))
