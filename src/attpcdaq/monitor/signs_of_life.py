"""Proof that another monitor of this host has ended: the kernel lets go of what it had locked, however it ended."""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

MACHINE = Path("/proc/sys/kernel/random/boot_id")
# Where in the file a monitor locks its byte: this many hexadecimal digits of its name.
DIGITS = 15


def file_for(host: str, database: dict[str, Any]) -> Path:
    """Where monitors of one host and `database` (its settings in Django) meet: beside the database if it is a file."""
    if database["ENGINE"].endswith("sqlite3"):
        return Path(f"{database['NAME']}.monitor")
    place = "\n".join(str(part) for part in (host, os.getuid(), *(database[key] for key in ("HOST", "PORT", "NAME"))))
    return Path(tempfile.gettempdir(), f"attpcdaq-monitor-{hashlib.sha256(place.encode()).hexdigest()[:16]}")


class SignsOfLife:
    """An empty file in which every monitor locks a byte of its own while it lives. OSError when it cannot be."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        found = os.fstat(self._file)
        # Containers and machines may have the same name: only who shows its life in this very file can be judged by it.
        self._which = f"{MACHINE.read_text().strip()}-{found.st_dev:x}-{found.st_ino:x}"

    def show(self, token: str) -> str:
        """Lock the byte of a random `token` (15 hexadecimal digits or more) until we end; a name to be known by."""
        name = f"{token[:DIGITS]}@{self._which}"
        fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(name))
        return name

    def has_ended(self, name: str) -> bool:
        """Whether another process, of this name, is gone for certain; not to be asked of this one."""
        if not name.endswith(f"@{self._which}"):
            return False
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(name))
        except OSError:
            return False
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _place(name))
        return True


def _place(name: str) -> int:
    return int(name[:DIGITS], 16)
