"""SSH connections to the nodes: one per node, kept, opened again when it was lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.file_names import expanded
from attpcdaq.gateways.http_exchange import why
from attpcdaq.gateways.node_keys import HostKeys, as_shown, read_host_key
from attpcdaq.gateways.node_shell import Shell
from attpcdaq.gateways.node_watch import Watch
from attpcdaq.gateways.ports import NodeAddress, ShownKey
from attpcdaq.gateways.sftp_batch import Session, open_session

LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, asyncssh.ChannelOpenError)
ENCRYPTION = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""These first: here they cost two thirds of what the usual first choice costs."""
KEEPALIVE_MISSED = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Between two tries to connect; a node that is up again is found within the longer one."""


@dataclass(frozen=True, slots=True)
class SshIdentity:
    """Who we are to the nodes, and the file that says who they are."""

    user: str
    key: Path | None
    known_hosts: Path | None
    keepalive: float = 2.0
    """Seconds of silence after which a node is asked whether it is there; after three such questions it is not."""


@dataclass(frozen=True, slots=True)
class Link:
    """An open connection, and what was learnt over it."""

    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient
    home: str
    shell: Shell
    watch: Watch

    @property
    def session(self) -> Session:
        """For what is asked of many files at once."""
        return self.watch.session

    def path(self, path: str) -> str:
        """As the node knows it, with its home directory for `~`."""
        return expanded(path, self.home)


@dataclass(slots=True)
class _Slot:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    link: Link | None = None
    users: int = 0
    is_old: bool = False
    failure: str = ""
    pause: float = 0.0
    not_before: float = 0.0

    def failed(self, text: str) -> None:
        """The next try waits, longer each time."""
        self.failure, self.pause = text, min(max(2 * self.pause, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self.not_before = asyncio.get_running_loop().time() + self.pause

    def leave(self) -> None:
        """One user less; the last one closes a connection that nobody is to take any more."""
        self.users -= 1
        if self.is_old and self.users == 0 and self.link is not None:
            self.link.connection.abort()


class NodeConnections:
    """The pool; belongs to one event loop."""

    def __init__(self, identity: SshIdentity) -> None:
        self._identity = identity
        self._slots: dict[NodeAddress, _Slot] = {}

    @asynccontextmanager
    async def link(self, node: NodeAddress, timeout: float, *, endless: bool = False) -> AsyncIterator[Link]:
        """An open link for one call that must end within `timeout` seconds, connecting included.

        An endless call must only be connected by then, and looks itself whether it makes progress.

        Unreachable: nothing was done. NoAnswer: the connection was lost or the time ran out, the outcome is
        unknown. Refused: the node said no.
        """
        slot = self._slot(node)
        slot.users += 1
        link: Link | None = None
        abort: asyncio.TimerHandle | None = None
        scope = asyncio.timeout(timeout)
        try:
            async with scope:
                async with slot.lock:
                    link = await self._open(node, slot, scope.when() or 0.0)
                if endless:
                    scope.reschedule(None)
                else:
                    # A cancelled SFTP call still waits for the server to close its file: only the end of the
                    # connection ends it at the deadline.
                    abort = asyncio.get_running_loop().call_at(scope.when() or 0.0, link.connection.abort)
                yield link
        except (*LOST, OSError) as error:  # TimeoutError is an OSError
            _abandon(slot, link)
            raise _failure(node, link, timeout if scope.expired() else None, error) from error
        except asyncssh.SFTPBadMessage as error:
            raise BadReply(_text(node, error.reason)) from error
        except asyncssh.SFTPError as error:
            raise Refused(_text(node, error.reason)) from error
        except Refused as error:
            if scope.expired():  # what the refusal says came of the connection's end
                raise _failure(node, link, timeout, error) from error
            raise Refused(_text(node, str(error)), error.code) from error.__cause__
        finally:
            slot.leave()
            if abort is not None:
                abort.cancel()

    async def host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
        """What the node shows to anybody. Unreachable."""
        try:
            async with asyncio.timeout(timeout):
                return as_shown(await read_host_key(node))
        except TimeoutError as error:
            raise Unreachable(_text(node, f"no host key within {timeout:g} s")) from error
        except (asyncssh.Error, OSError) as error:
            raise Unreachable(_text(node, why(error) if isinstance(error, OSError) else str(error))) from error

    async def close(self) -> None:
        """Close every connection."""
        links = [slot.link for slot in self._slots.values() if slot.link is not None]
        self._slots.clear()
        for link in links:
            link.connection.abort()
        await asyncio.gather(*(link.connection.wait_closed() for link in links))

    def _slot(self, node: NodeAddress) -> _Slot:
        """That of this address; what was trusted at another address, or by other keys, is used no longer."""
        if node not in self._slots:
            for other in [one for one in self._slots if one.name == node.name]:
                old = self._slots.pop(other)
                old.is_old, old.users = True, old.users + 1
                old.leave()
            self._slots[node] = _Slot()
        return self._slots[node]

    async def _open(self, node: NodeAddress, slot: _Slot, deadline: float) -> Link:
        if slot.link is not None and not slot.link.connection.is_closed():
            return slot.link
        slot.link = None
        if slot.not_before >= deadline:
            raise Unreachable(slot.failure)
        await asyncio.sleep(slot.not_before - asyncio.get_running_loop().time())
        try:
            slot.link = await _begin(node, self._identity)
        except Unreachable as error:
            slot.failed(str(error))
            raise
        except asyncio.CancelledError:
            slot.failed(_text(node, "no connection within the time there was"))
            raise
        slot.pause = 0.0
        return slot.link


async def _begin(node: NodeAddress, identity: SshIdentity) -> Link:
    connection, link = await _connect(node, identity), None
    try:
        # A name that is not UTF-8 must not hide the directory it lies in.
        sftp = await connection.start_sftp_client(path_errors="surrogateescape")
        home, shell = str(await sftp.realpath(".")), Shell(connection)
        watch = Watch(await open_session(connection), shell, home, time.monotonic)
        link = Link(connection, sftp, home, shell, watch)
        return link
    except (asyncssh.Error, OSError) as error:
        raise Unreachable(_text(node, f"it offers no SFTP ({error})")) from error
    finally:
        if link is None:
            connection.abort()


def _abandon(slot: _Slot, link: Link | None) -> None:
    """Never use this connection again: whoever still waits on it is told."""
    if link is not None:
        link.connection.abort()
        if slot.link is link:
            slot.link = None


def _failure(node: NodeAddress, link: Link | None, expired: float | None, error: Exception) -> GatewayError:
    if expired is None:
        return NoAnswer(_text(node, f"the connection was lost ({error})"))
    if link is None:
        return Unreachable(_text(node, f"no connection within {expired:g} s"))
    return NoAnswer(_text(node, f"no answer within {expired:g} s"))


async def _connect(node: NodeAddress, identity: SshIdentity) -> asyncssh.SSHClientConnection:
    user = node.user or identity.user
    if identity.key is None:
        raise Unreachable(_text(node, "ATTPCDAQ_SSH_KEY is not set; set it to the path of the private key"))
    keys = HostKeys(node, identity.known_hosts)
    try:
        return await asyncssh.connect(
            node.host,
            node.port,
            username=user,
            client_keys=[str(identity.key)],
            known_hosts=keys.match,
            client_factory=keys.client,
            preferred_auth="publickey",
            agent_path=None,
            config=None,
            encryption_algs=ENCRYPTION,
            keepalive_interval=identity.keepalive,
            keepalive_count_max=KEEPALIVE_MISSED,
        )
    except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
        raise Unreachable(_text(node, await _distrust(node, keys, error))) from error
    except asyncssh.PermissionDenied as error:
        raise Unreachable(_text(node, f"it does not let {user!r} in with the key {identity.key}")) from error
    except asyncssh.Error as error:
        raise Unreachable(_text(node, str(error))) from error
    except asyncssh.KeyImportError as error:
        raise Unreachable(_text(node, f"our private key {identity.key} cannot be used: {error}")) from error
    except OSError as error:
        # Only the key is a file.
        words = f"our private key {error.filename} cannot be read: {error.strerror}" if error.filename else why(error)
        raise Unreachable(_text(node, words)) from error


async def _distrust(node: NodeAddress, keys: HostKeys, error: Exception) -> str:
    """What is wrong with its key; with keys of other kinds only, the exchange ends before it shows one."""
    if isinstance(error, asyncssh.KeyExchangeFailed) and keys.expected:
        with suppress(asyncssh.Error, OSError):
            keys.shown = await read_host_key(node)
    return keys.distrust(keys.shown) if keys.shown else str(error)


def _text(node: NodeAddress, what: str) -> str:
    return f"{node.name} ({node.host}:{node.port}): {what}"
