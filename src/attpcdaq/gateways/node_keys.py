"""Host keys: what a node must show. Pinned keys and the settings' known_hosts file count, nothing else."""

from collections.abc import Sequence
from pathlib import Path

import asyncssh

from attpcdaq.gateways.errors import Unreachable
from attpcdaq.gateways.ports import NodeAddress, ShownKey


class HostKeys:
    """What one node may show, for one connection; it remembers the key that was not trusted."""

    def __init__(self, node: NodeAddress, known_hosts: Path | None) -> None:
        self._pinned = [_pinned(node, line) for line in node.host_keys]
        self._known = _known(node, known_hosts)
        self.expected: list[asyncssh.SSHKey] = []
        self.shown: asyncssh.SSHKey | None = None

    def match(self, host: str, address: str, port: int | None) -> Sequence[Sequence[asyncssh.SSHKey]]:
        """As asyncssh asks for them: trusted keys, authorities, revoked keys."""
        known, authorities, revoked = self._known.match(host, address, port)[:3]
        self.expected = [*self._pinned, *known]
        return (self.expected, list(authorities), list(revoked))

    def client(self) -> asyncssh.SSHClient:
        """Who is told of a key that is not among them."""
        return _Client(self)

    def distrust(self, shown: asyncssh.SSHKey) -> str:
        """Why this key is not trusted, and what to do, in words."""
        print_, kind = shown.get_fingerprint(), shown.get_algorithm()
        if not self.expected:
            return (
                f"its host key is not known. It shows {print_} ({kind}): "
                "an expert compares that with the node's own and pins it on the Setup page"
            )
        pinned = " or ".join(key.get_fingerprint() for key in self.expected)
        return (
            f"ITS HOST KEY HAS CHANGED: it shows {print_} ({kind}), but {pinned} is pinned. Another computer may stand "
            "in its place; nothing was sent. If it was installed anew, an expert pins the new key on the Setup page"
        )


class _Client(asyncssh.SSHClient):
    def __init__(self, keys: HostKeys) -> None:
        self._keys = keys

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self._keys.shown = key
        return False


async def read_host_key(node: NodeAddress) -> asyncssh.SSHKey:
    """The key that the node shows, trusted or not; nobody logs in. Raises as connecting does."""
    key = await asyncssh.get_server_host_key(node.host, node.port, config=None)
    if key is None:
        raise asyncssh.HostKeyNotVerifiable("it shows no host key")
    return key


def as_shown(key: asyncssh.SSHKey) -> ShownKey:
    """Type and key without the comment, and the fingerprint."""
    words = key.export_public_key().decode("utf-8", "replace").split()
    return ShownKey(" ".join(words[:2]), key.get_fingerprint())


def _known(node: NodeAddress, path: Path | None) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.import_known_hosts(path.read_text()) if path and path.exists() else asyncssh.SSHKnownHosts()
    except (OSError, ValueError) as error:
        raise Unreachable(f"{node.name} ({node.host}:{node.port}): {path} cannot be read: {error}") from error


def _pinned(node: NodeAddress, line: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(line)
    except asyncssh.KeyImportError as error:
        where = f"{node.name} ({node.host}:{node.port})"
        raise Unreachable(f"{where}: its pinned host key {line[:40]!r} is no key ({error})") from error
