"""Which file each frame goes to, as dataRouter does it (facts 4); time and disk are parameters."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from get_protocol.errors import FrameError
from get_protocol.graw import FrameType, graw_name, read_header

STORED = frozenset({FrameType.COBO, FrameType.COBO_COMPACT, FrameType.MUTANT})


class Disk(Protocol):
    """The data router's working directory; raises OSError as a disk does."""

    def append(self, name: str, data: bytes) -> int:
        """Open, append, close; the size of the file then."""
        ...


class DirectoryDisk:
    """A directory on disk; `ahead` tells how many seconds its computer's clock is ahead of ours."""

    def __init__(self, directory: Path, ahead: Callable[[], float] = lambda: 0.0) -> None:
        self._directory, self._ahead = directory, ahead

    def append(self, name: str, data: bytes) -> int:
        path, ahead = self._directory / name, self._ahead()
        with path.open("ab") as file:
            file.write(data)
            size = file.tell()
        if ahead:
            written = path.stat().st_mtime + ahead
            os.utime(path, (written, written))
        return size


class Source(NamedTuple):
    """Whose frames share a file: one AsAd, or the MuTAnT (no numbers)."""

    cobo: int | None
    asad: int | None


@dataclass(slots=True)
class Track:
    """The file of one source and the number of its last event."""

    name: str
    last: int
    index: int = 0


@dataclass(slots=True)
class FrameStore:
    """Files of one run of a data router process: it knows nothing about runs."""

    disk: Disk
    rollover: int
    tracks: dict[Source, Track] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)
    stored_bytes: Counter[str] = field(default_factory=Counter)
    stamp: datetime | None = None
    dropped: int = 0

    def store(self, frame: bytes, now: float) -> None:
        """Append the frame to its file; unknown types and what the disk does not take are dropped silently."""
        try:
            header = read_header(frame)
        except FrameError:
            self.dropped += 1
            return
        if header.frame_type not in STORED or header.event_idx is None:
            self.dropped += 1
            return
        source = Source(header.cobo_idx, header.asad_idx)
        track = self.tracks.get(source)
        if track is None or header.event_idx <= track.last:
            track = self.tracks[source] = Track(self._name(source, now, 0), header.event_idx)
        track.last = header.event_idx
        try:
            self._write(source, track, frame)
        except OSError:
            self.dropped += 1

    def _write(self, source: Source, track: Track, frame: bytes) -> None:
        size = self.disk.append(track.name, frame)
        self.written[track.name] += 1
        self.stored_bytes[track.name] += len(frame)
        if size > self.rollover:
            # The next file is named with the latest time stamp, whoever's it is, and is there at once.
            track.index += 1
            stamp = self.stamp or datetime.fromtimestamp(0)  # noqa: DTZ006  local time, as dataRouter
            track.name = graw_name(source.cobo, source.asad, stamp, track.index)
            self.disk.append(track.name, b"")

    def _name(self, source: Source, now: float, index: int) -> str:
        self.stamp = datetime.fromtimestamp(now)  # noqa: DTZ006  local time, as dataRouter
        return graw_name(source.cobo, source.asad, self.stamp, index)
