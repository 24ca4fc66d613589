"""The directory of a demo: everything it writes lies in it, and one demo at a time uses it."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

# They would need quoting in settings that are addresses.
UNFIT = '#?%"\\'


class DemoError(Exception):
    """The demo cannot start or go on; the text says why and what to do."""


class Place:
    """Names of what lies in the directory."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.database = self.root / "database.sqlite3"
        self.broker = self.root / "broker"
        self.logs = self.root / "logs"
        self.nodes = self.root / "nodes"
        self.description = self.root / "simulator.toml"
        self.announce = self.root / "simulator.json"
        self.setup = self.root / "setup.toml"
        self.secrets = self.root / "secrets"
        self.secret_key = self.secrets / "secret_key"
        self.ssh_key = self.secrets / "ssh_key"
        self.authorized_keys = self.secrets / "authorized_keys"
        self.host_key = self.secrets / "simulator_host_key"
        self.known_hosts = self.secrets / "known_hosts"
        self.token = self.root / "token"
        self.password = self.root / "password"
        self.address = self.root / "address"

    def password_of(self, user: str) -> Path:
        """Of the other accounts than the one that `password` is for."""
        return self.root / f"password-{user}"

    def log(self, process: str) -> Path:
        """Where a process writes what it has to say."""
        return self.logs / f"{process}.log"

    def make(self) -> None:
        """Make the directories. DemoError when the place is no directory or may not be written to."""
        if any(character in UNFIT or not character.isprintable() for character in str(self.root)):
            raise DemoError(f"DATA={self.root}: use a path without any of {UNFIT} and control characters")
        if self.root.exists() and not self.root.is_dir():
            raise DemoError(f"DATA={self.root} is a file: name a directory, which is made if there is none")
        try:
            for folder in (self.root, self.broker, self.logs, self.nodes):
                folder.mkdir(parents=True, exist_ok=True)
            self.secrets.mkdir(mode=0o700, exist_ok=True)
            (self.root / ".writable").touch()
            (self.root / ".writable").unlink()
        except OSError as error:
            raise DemoError(
                f"DATA={self.root} cannot be written to ({error.strerror}): name another directory"
            ) from None

    def lock(self) -> TextIO:
        """Held until the process ends. DemoError when another demo holds it."""
        handle = (self.root / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            who = handle.read().strip() or "unknown"
            handle.close()
            raise DemoError(
                f"another demo (process {who}) uses DATA={self.root}: end it, or give another DATA and PORT"
            ) from None
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        return handle


def write_private(path: Path, text: str) -> None:
    """Write a secret in one step; nobody else may read it at any time."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    temporary.replace(path)
