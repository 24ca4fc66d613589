"""The other computer that keeps copies of backups, over SFTP. Nothing is deleted or overwritten there."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh

from attpcdaq.gateways.errors import GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.http_exchange import why
from attpcdaq.gateways.node_connection import KEEPALIVE_MISSED, SshIdentity
from attpcdaq.gateways.offsite_address import OffsiteAddress

BLOCK = 1 << 20
CONNECT_S, KEEPALIVE_S = 20.0, 15.0


class OffsiteStore:
    """One open connection; see `open_store`."""

    def __init__(self, sftp: asyncssh.SFTPClient, where: OffsiteAddress) -> None:
        self._sftp, self._where = sftp, where

    async def size(self, name: str) -> int | None:
        """Of the copy with this name; None where there is none."""
        try:
            return (await self._sftp.stat(self._path(name))).size
        except asyncssh.SFTPNoSuchFile:
            return None

    async def put(self, source: Path) -> str:
        """Copy a file, read it back, and only then give it its name; its SHA-256.

        Refused: what is read back differs, or the other computer says no. FileNotFoundError: `source` went away.
        """
        part = self._path(f".{source.name}.part")
        sent = await self._send(source, part)
        kept = await self._read_back(part)
        if kept != sent:
            raise Refused(f"{self._where}: {source.name} arrived as something else (SHA-256 {kept}, sent was {sent})")
        # Not the POSIX rename, which would replace.
        await self._sftp.rename(part, self._path(source.name))
        return sent

    async def _send(self, source: Path, part: str) -> str:
        digest = hashlib.sha256()
        with source.open("rb") as file:
            async with self._sftp.open(part, "wb") as there:
                while block := await asyncio.to_thread(file.read, BLOCK):
                    digest.update(block)
                    await there.write(block)
                await _flushed(there)
        return digest.hexdigest()

    async def _read_back(self, part: str) -> str:
        digest = hashlib.sha256()
        async with self._sftp.open(part, "rb") as there:
            while block := await there.read(BLOCK):
                digest.update(block)  # type: ignore[arg-type]  # bytes: it is open without an encoding
        return digest.hexdigest()

    def _path(self, name: str) -> str:
        return f"{self._where.directory}/{name}"


async def _flushed(file: asyncssh.SFTPClientFile) -> None:
    try:
        await file.fsync()
    except asyncssh.SFTPOpUnsupported:
        return  # then it lies where that computer's own habits put it


@asynccontextmanager
async def open_store(where: OffsiteAddress, identity: SshIdentity) -> AsyncIterator[OffsiteStore]:
    """Connect, with the directory made if it is missing. Unreachable, NoAnswer, Refused; OSError is of our own disk."""
    connection = await _connect(where, identity)
    try:
        async with connection.start_sftp_client() as sftp:
            await sftp.makedirs(where.directory, exist_ok=True)
            yield OffsiteStore(sftp, where)
    except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError) as error:
        raise NoAnswer(f"{where}: the connection was lost ({error.reason})") from error
    except asyncssh.SFTPError as error:
        raise Refused(
            f"{where}: it refuses ({error.reason}): look at its disk's space and at the rights there"
        ) from error
    except asyncssh.ChannelOpenError as error:
        raise Unreachable(f"{where}: it offers no SFTP ({error.reason})") from error
    finally:
        connection.abort()


async def _connect(where: OffsiteAddress, identity: SshIdentity) -> asyncssh.SSHClientConnection:
    if identity.key is None or identity.known_hosts is None:
        raise Unreachable(f"{where}: ATTPCDAQ_SSH_KEY and ATTPCDAQ_SSH_KNOWN_HOSTS must be set for it")
    try:
        async with asyncio.timeout(CONNECT_S):
            return await asyncssh.connect(
                where.host,
                where.port,
                username=where.user,
                client_keys=[str(identity.key)],
                known_hosts=str(identity.known_hosts),
                preferred_auth="publickey",
                agent_path=None,
                config=None,
                keepalive_interval=KEEPALIVE_S,
                keepalive_count_max=KEEPALIVE_MISSED,
            )
    except (asyncssh.Error, OSError, ValueError) as error:
        raise _unreachable(where, identity, error) from error


def _unreachable(where: OffsiteAddress, identity: SshIdentity, error: Exception) -> GatewayError:
    match error:
        case TimeoutError():
            words = f"no connection within {CONNECT_S:g} s"
        case asyncssh.HostKeyNotVerifiable():
            words = f"its host key is not in {identity.known_hosts}: compare it there, then add it to that file"
        case asyncssh.PermissionDenied():
            words = f"it does not let {where.user!r} in with the key {identity.key}: put its public half there"
        case ValueError():  # no key, or its .pub beside it is another's
            words = f"our private key {identity.key} cannot be used: {error}"
        case OSError():
            words = why(error)
        case _:
            words = str(error)
    return Unreachable(f"{where}: {words}")
