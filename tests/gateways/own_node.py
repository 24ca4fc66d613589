"""A node of the tests' own: asyncssh's SFTP server with one fault, and fixed answers to ps and df."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.node_ssh import NodeSsh
from attpcdaq.gateways.ports import NodeAddress

ANSWERS = {
    "ps": " 1002 /usr/local/bin/dataRouter 127.0.0.1:46003 127.0.0.1:46005 TCP\n",
    "df": "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/disk1 976 276 700 29% /\n",
}


Answer = Callable[["asyncssh.SSHServerProcess[str]"], Awaitable[None]]
"""What the node does with a command."""


async def _answer(process: "asyncssh.SSHServerProcess[str]") -> None:
    answer = ANSWERS.get((process.command or "").split()[0])
    process.stdout.write(answer or "")
    process.exit(127 if answer is None else 0)


def _at_home(sftp: type[asyncssh.SFTPServer], home: Path) -> Callable[..., asyncssh.SFTPServer]:
    """The same with its home directory there: it would be where the tests run otherwise."""

    class AtHome(sftp):
        def realpath(self, path: bytes) -> bytes:
            return os.fsencode(home) if path in (b"", b".") else super().realpath(path)

    return AtHome


@asynccontextmanager
async def own_node(
    directory: Path, sftp: type[asyncssh.SFTPServer], answer: Answer = _answer
) -> AsyncIterator[tuple[NodeSsh, NodeAddress]]:
    """The real gateway before an SSH server with `sftp`; `directory` gets keys and an empty `staging`."""
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    client.write_private_key(str(directory / "key"))
    client.write_public_key(str(directory / "authorized"))
    (directory / "staging").mkdir()
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host],
        authorized_client_keys=str(directory / "authorized"),
        process_factory=answer,
        sftp_factory=_at_home(sftp, directory),
    )
    port = server.sockets[0].getsockname()[1]
    (directory / "known").write_text(f"[127.0.0.1]:{port} {host.export_public_key().decode()}")
    nodes = NodeSsh(SshIdentity("attpc", directory / "key", directory / "known"))
    try:
        yield nodes, NodeAddress("node-cobo0", "127.0.0.1", port)
    finally:
        await nodes.close()
        server.close()
        await server.wait_closed()
