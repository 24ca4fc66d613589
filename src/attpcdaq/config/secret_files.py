"""The directory of secrets: an SSH key, known hosts, and TLS certificates. Makes what is missing, replaces nothing."""

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attpcdaq.config import certificates

PRIVATE, PUBLIC, DIRECTORY = 0o600, 0o644, 0o700


class SecretsError(Exception):
    """The directory cannot be completed; the text names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A server's certificate and its private key."""

    cert: Path
    key: Path

    def check(self) -> None:
        """SecretsError when half of it is missing or they do not belong together."""
        if not self.key.exists():
            raise SecretsError(f"{self.cert} is there, but its private key {self.key} is missing")
        try:
            fits = certificates.belongs(self.cert.read_bytes(), self.key.read_bytes())
        except (ValueError, TypeError) as error:
            raise SecretsError(f"{self.cert} or {self.key} is no PEM file without passphrase: {error}") from error
        if not fits:
            raise SecretsError(f"{self.cert} and {self.key} do not belong together: put the right pair there")


class SecretFiles:
    """`ssh_key`, `ssh_key.pub`, `known_hosts`, and in `tls/` the authority and two servers' certificates.

    The browsers' one (`cert.pem`, `key.pem`) may be the laboratory's; that of database and broker is always ours.
    """

    def __init__(self, directory: Path) -> None:
        self.directory, self.tls = directory, directory / "tls"
        self.ssh_key, self.ssh_public = directory / "ssh_key", directory / "ssh_key.pub"
        self.known_hosts = directory / "known_hosts"
        self.ca, self.ca_key = self.tls / "ca.pem", self.tls / "ca-key.pem"
        self.services = Pair(self.tls / "services.pem", self.tls / "services-key.pem")
        self.browsers = Pair(self.tls / "cert.pem", self.tls / "key.pem")
        self._pairs = (self.services, self.browsers)

    def complete(self, hosts: Sequence[str], now: datetime) -> Iterator[Path]:
        """Make what is missing; each file as it is made. SecretsError, ValueError for a name that is none, OSError."""
        names = certificates.checked_names(hosts)
        for directory in (self.directory, self.tls):
            if not directory.is_dir():
                directory.mkdir(DIRECTORY)
        yield from self._ssh()
        for pair in self._pairs:
            if pair.cert.exists():
                pair.check()
            else:
                yield from self._authority(now)
                yield from self._certificate(pair, names, now)

    def renew(self, hosts: Sequence[str], now: datetime) -> Iterator[Path]:
        """New certificates for the same keys, with the names they had and `hosts`, for those that were made here."""
        if not (self.ca.exists() and self.ca_key.exists()):
            raise SecretsError(f"{self.ca} or {self.ca_key} is missing: what was made here is renewed with both")
        if certificates.valid_until(self.ca.read_bytes()) <= now:
            raise SecretsError(f"{self.ca} has expired: move the directory {self.tls} away, and all is made anew")
        for pair in self._pairs:
            if pair.cert.exists() and certificates.issued_by(pair.cert.read_bytes(), self.ca.read_bytes()):
                pair.check()
                names = certificates.checked_names([*hosts, *certificates.names_of(pair.cert.read_bytes())])
                yield _put(pair.cert, self._signed(pair, names, now), PUBLIC, replace=True)

    def _ssh(self) -> Iterator[Path]:
        if not self.ssh_key.exists():
            made = Ed25519PrivateKey.generate()
            encoded = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
            yield _put(self.ssh_key, made.private_bytes(*encoded), PRIVATE)
        if not self.ssh_public.exists():
            yield _put(self.ssh_public, self._public_half(), PUBLIC)
        if not self.known_hosts.exists():
            yield _put(self.known_hosts, b"", PUBLIC)

    def _public_half(self) -> bytes:
        try:
            key = serialization.load_ssh_private_key(self.ssh_key.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise SecretsError(
                f"{self.ssh_key} is no OpenSSH private key without passphrase ({error}): "
                f"put its public half into {self.ssh_public}, or move it away and a new one is made"
            ) from error
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return public + b" attpcdaq\n"

    def _authority(self, now: datetime) -> Iterator[Path]:
        if not self.ca_key.exists():
            if self.ca.exists():
                raise SecretsError(f"{self.ca_key} is missing: without it nothing can be signed; bring it back")
            yield _put(self.ca_key, certificates.new_key(), PRIVATE)
        if not self.ca.exists():
            yield _put(self.ca, certificates.authority(self.ca_key.read_bytes(), now), PUBLIC)

    def _certificate(self, pair: Pair, names: list[str], now: datetime) -> Iterator[Path]:
        if not pair.key.exists():
            yield _put(pair.key, certificates.new_key(), PRIVATE)
        yield _put(pair.cert, self._signed(pair, names, now), PUBLIC)

    def _signed(self, pair: Pair, names: list[str], now: datetime) -> bytes:
        key, ca, ca_key = (path.read_bytes() for path in (pair.key, self.ca, self.ca_key))
        try:
            return certificates.server(key, names, ca, ca_key, now)
        except (ValueError, TypeError) as error:
            raise SecretsError(f"one of {pair.key}, {self.ca}, {self.ca_key} cannot be used: {error}") from error


def _put(path: Path, content: bytes, mode: int, *, replace: bool = False) -> Path:
    """Write all of it or nothing; FileExistsError instead of replacing, unless told."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            path.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)
    return path
