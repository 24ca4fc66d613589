"""OpenSSH's sshd with keys of its own."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from tests.services.processes import (
    LOOPBACK,
    Process,
    find_program,
    free_port,
    listens,
    own_directory,
    stopped_at_the_end,
)

CONFIGURATION = """\
ListenAddress {host}:{port}
HostKey {directory}/host_key
PidFile {directory}/sshd.pid
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running sshd that lets `user` in with the key in the file `key`; all tests share the directory `files`."""

    port: int
    user: str
    key: Path
    known_hosts: Path
    files: Path
    process: Process
    host: str = LOOPBACK


def _write_keys(directory: Path, port: int) -> None:
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    for name, key in (("host_key", host), ("client_key", client)):
        key.write_private_key(str(directory / name))
        (directory / name).chmod(0o600)
    (directory / "authorized_keys").write_bytes(client.export_public_key())
    public = host.export_public_key().decode()
    (directory / "known_hosts").write_text(f"[{LOOPBACK}]:{port} {public}")


@contextmanager
def running_sshd() -> Iterator[Sshd]:
    """Run sshd as whoever we are, for whoever we are."""
    program = find_program("/usr/sbin/sshd", "openssh-server")
    port = free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it insists, and only the system's service makes it
    with own_directory("sshd") as directory:
        _write_keys(directory, port)
        file = directory / "sshd_config"
        file.write_text(CONFIGURATION.format(host=LOOPBACK, port=port, directory=directory))
        (directory / "files").mkdir()
        process = Process([program, "-D", "-e", "-f", file], directory)
        with stopped_at_the_end(process):
            process.wait_until(lambda: listens(port, b"SSH-2.0-test\r\n", b"SSH-2.0-"), 10)
            keys = directory / "client_key", directory / "known_hosts"
            yield Sshd(port, getpass.getuser(), *keys, directory / "files", process)
