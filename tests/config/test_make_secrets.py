"""The directory of secrets: what is made, what is kept, and that TLS as others speak it accepts it."""

import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncssh
import pytest

from attpcdaq.config import certificates
from attpcdaq.config.secret_files import Pair, SecretFiles, SecretsError

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SSH = ["ssh_key", "ssh_key.pub", "known_hosts"]
OURS = ["tls/ca-key.pem", "tls/ca.pem", "tls/services-key.pem", "tls/services.pem"]
ALL = [*SSH, *OURS, "tls/key.pem", "tls/cert.pem"]


def make(directory: Path, *hosts: str, now: datetime | None = None) -> list[str]:
    made = SecretFiles(directory).complete(hosts, now or datetime.now(UTC))
    return [str(path.relative_to(directory)) for path in made]


def handshake(pair: Pair, ca: Path, name: str) -> None:
    """One TLS connection over a pair of sockets, verified as strictly as Python can."""
    at_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    at_server.load_cert_chain(pair.cert, pair.key)
    at_client = ssl.create_default_context(cafile=ca)
    at_client.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=answer, args=(at_server, theirs))
        thread.start()
        try:
            at_client.wrap_socket(ours, server_hostname=name).close()
        finally:
            ours.close()
            thread.join(10)


def answer(context: ssl.SSLContext, end: socket.socket) -> None:
    try:
        context.wrap_socket(end, server_side=True).close()
    except OSError:
        end.close()


def test_everything_is_made_once_and_then_kept(tmp_path: Path) -> None:
    where = tmp_path / "secrets"
    assert make(where, "daq.example.org") == ALL
    before = {path: path.read_bytes() for path in where.rglob("*") if path.is_file()}
    assert make(where, "another.example.org") == []
    assert {path: path.read_bytes() for path in where.rglob("*") if path.is_file()} == before


def test_nobody_else_can_read_the_keys(tmp_path: Path) -> None:
    where = tmp_path / "secrets"
    make(where)
    modes = {name: stat.S_IMODE((where / name).stat().st_mode) for name in [*ALL, ".", "tls"]}
    assert modes == {
        **dict.fromkeys(("ssh_key", "tls/ca-key.pem", "tls/key.pem", "tls/services-key.pem"), 0o600),
        **dict.fromkeys(("ssh_key.pub", "known_hosts", "tls/ca.pem", "tls/cert.pem", "tls/services.pem"), 0o644),
        **dict.fromkeys((".", "tls"), 0o700),
    }


def test_the_ssh_key_is_one_that_ssh_takes(tmp_path: Path) -> None:
    make(tmp_path)
    private = asyncssh.read_private_key(tmp_path / "ssh_key")
    assert private.get_algorithm() == "ssh-ed25519"
    public = asyncssh.read_public_key(tmp_path / "ssh_key.pub")
    assert public.public_data == private.public_data
    told = subprocess.run(["ssh-keygen", "-y", "-f", tmp_path / "ssh_key"], capture_output=True, text=True, check=True)
    assert told.stdout.split()[:2] == (tmp_path / "ssh_key.pub").read_text().split()[:2]


@pytest.mark.parametrize("name", ["daq.example.org", "10.1.2.3", "localhost", "127.0.0.1", "db", "rabbitmq"])
def test_the_certificate_is_accepted_for_its_names(tmp_path: Path, name: str) -> None:
    make(tmp_path, "DAQ.example.org", "10.1.2.3")
    files = SecretFiles(tmp_path)
    for pair in (files.browsers, files.services):
        handshake(pair, files.ca, name)


def test_the_certificate_is_refused_for_another_name_and_by_another_authority(tmp_path: Path) -> None:
    make(tmp_path / "one", "daq.example.org")
    make(tmp_path / "two", "daq.example.org")
    one, two = SecretFiles(tmp_path / "one"), SecretFiles(tmp_path / "two")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(one.browsers, one.ca, "other.example.org")
    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        handshake(one.browsers, two.ca, "daq.example.org")


def test_a_certificate_is_valid_for_397_days_and_for_clocks_that_are_late(tmp_path: Path) -> None:
    make(tmp_path, now=NOW)
    assert certificates.valid_until((tmp_path / "tls/cert.pem").read_bytes()) == NOW + timedelta(days=397)
    make(tmp_path / "old", now=NOW - timedelta(days=3600))
    files = SecretFiles(tmp_path / "old")
    list(files.renew([], NOW))
    assert certificates.valid_until(files.browsers.cert.read_bytes()) == NOW + timedelta(days=50)
    with pytest.raises(SecretsError, match=r"ca\.pem has expired"):
        list(files.renew([], NOW + timedelta(days=51)))


def test_renewing_keeps_the_key_the_authority_and_the_names(tmp_path: Path) -> None:
    make(tmp_path, "daq.example.org", now=NOW - timedelta(days=390))
    files = SecretFiles(tmp_path)
    keys = [pair.key.read_bytes() for pair in (files.browsers, files.services)]
    assert list(files.renew(["daq2.example.org"], datetime.now(UTC))) == [files.services.cert, files.browsers.cert]
    assert [pair.key.read_bytes() for pair in (files.browsers, files.services)] == keys
    for name in ("daq.example.org", "daq2.example.org", "db"):
        handshake(files.browsers, files.ca, name)
        handshake(files.services, files.ca, name)


def test_the_laboratory_s_own_certificate_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "daq.example.org")
    mine = tmp_path / "secrets"
    (mine / "tls").mkdir(parents=True)
    for name in ("cert.pem", "key.pem"):
        (mine / "tls" / name).write_bytes((tmp_path / "elsewhere/tls" / name).read_bytes())
    before = (mine / "tls/cert.pem").read_bytes()
    assert make(mine) == [*SSH, *OURS]
    assert list(SecretFiles(mine).renew([], datetime.now(UTC))) == [mine / "tls/services.pem"]
    assert (mine / "tls/cert.pem").read_bytes() == before
    (mine / "tls/ca-key.pem").unlink()
    with pytest.raises(SecretsError, match=r"ca-key\.pem is missing"):
        list(SecretFiles(mine).renew([], NOW))


def test_what_was_interrupted_is_completed(tmp_path: Path) -> None:
    make(tmp_path)
    missing = ["ssh_key.pub", "known_hosts", "tls/services.pem", "tls/cert.pem"]
    for name in missing:
        (tmp_path / name).unlink()
    assert make(tmp_path) == missing
    files = SecretFiles(tmp_path)
    handshake(files.browsers, files.ca, "localhost")


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        (["tls/key.pem"], r"cert\.pem is there, but its private key .*key\.pem is missing"),
        (["tls/cert.pem", "tls/ca-key.pem"], r"ca-key\.pem is missing: without it nothing .* bring it back"),
    ],
)
def test_half_a_pair_is_named(tmp_path: Path, gone: list[str], why: str) -> None:
    make(tmp_path)
    for name in gone:
        (tmp_path / name).unlink()
    with pytest.raises(SecretsError, match=why):
        make(tmp_path)


def test_a_pair_that_does_not_belong_together_is_named(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "tls/key.pem").write_bytes(certificates.new_key())
    with pytest.raises(SecretsError, match="do not belong together"):
        make(tmp_path)
    (tmp_path / "tls/key.pem").write_text("nothing of the kind")
    with pytest.raises(SecretsError, match="no PEM file"):
        make(tmp_path)


@pytest.mark.parametrize("name", ["daq example", "-daq", "https://daq", "a" * 64, "*"])
def test_a_host_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="neither a host name"):
        make(tmp_path / "secrets", name)
    assert not (tmp_path / "secrets").exists()


def verb(*words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run as it is in a container that knows no settings."""
    environment = {"PATH": os.defpath, **settings}
    command = [sys.executable, ROOT / "manage.py", "make_secrets", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/", check=False)


def test_the_verb_needs_no_settings(tmp_path: Path) -> None:
    made = verb(tmp_path / "s", "--host", "daq.example.org", "10.0.0.7")
    assert (made.returncode, made.stderr) == (0, "")
    lines = made.stdout.splitlines()
    assert lines[:-2] == [f"made {tmp_path}/s/{name}" for name in ALL]
    assert "is for daq.example.org, localhost, db, rabbitmq, 10.0.0.7, 127.0.0.1; valid until 20" in lines[-1]
    renewed = verb(tmp_path / "s", "--renew")
    assert renewed.stdout.splitlines()[1] == f"renewed {tmp_path}/s/tls/cert.pem"


def test_the_verb_makes_what_the_settings_name_already(tmp_path: Path) -> None:
    made = verb(tmp_path / "s", ATTPCDAQ_SSH_KEY=f"{tmp_path}/s/ssh_key", ATTPCDAQ_DATABASE_URL="wrong")
    assert (made.returncode, made.stderr) == (0, "")


def test_the_verb_says_plainly_what_it_cannot_do(tmp_path: Path) -> None:
    refused = verb(tmp_path / "s", "--host", "daq example")
    assert refused.returncode == 1
    assert refused.stderr.startswith("CommandError: 'daq example' is neither a host name")
    (tmp_path / "file").write_text("")
    assert "Not a directory" in verb(tmp_path / "file" / "s").stderr
