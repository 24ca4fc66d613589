"""Kombu's broker in a directory, made safe for two processes at once.

Kombu writes a message under its final name, so that a worker may read it half-written and die of it, and it reads
messages in the system's temporary directory. Here a message appears, and is taken, in one step, and never leaves
the directories that the settings name.
"""

import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

LISTEN_FOR = 0.25


class Channel(filesystem.Channel):
    """One file for each message; names sort by time."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as kombu does
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        unfinished = Path(self.processed_folder) / f"new_{name}"
        unfinished.write_text(dumps(payload), encoding="utf-8")
        unfinished.replace(Path(self.data_folder_out) / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(path.name for path in folder.glob(f"*.{queue}.msg")):
            taken = Path(self.processed_folder) / f"taken_{name}"
            with suppress(FileNotFoundError):  # another worker was faster
                (folder / name).rename(taken)
                payload = loads(taken.read_text(encoding="utf-8"))
                taken.unlink()
                return payload
        raise Empty


class Transport(filesystem.Transport):
    """The same broker with these channels."""

    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Back after LISTEN_FOR seconds at the latest: only then does a worker notice that it was asked to stop."""
        super().drain_events(connection, timeout=min(timeout or LISTEN_FOR, LISTEN_FOR), **kwargs)
