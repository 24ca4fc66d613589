"""A disk that is soon full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.processes import ServiceError, own_directory

CANNOT = (
    "a file system of {megabytes} MB cannot be mounted here ({why}): only root may, so run this test as root, "
    "or in a container with CAP_SYS_ADMIN. Nothing else fills a disk as a full disk does"
)


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted tmpfs, for `owner` to write in."""

    path: Path

    @property
    def free(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> None:
        """Leave not one page."""
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                return

    def make_space(self) -> None:
        """As if somebody had removed what did not belong there."""
        self._ballast.unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """Mounted for the time of a test; ServiceError, which says what to do, where that is not allowed."""
    with own_directory("disk") as directory:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(directory)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceError(CANNOT.format(megabytes=megabytes, why=done.stderr.strip()))
        try:
            yield SmallDisk(directory)
        finally:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)
