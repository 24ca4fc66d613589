"""Copies of backups on another computer, which is a real OpenSSH server."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.offsite_address import OffsiteAddress, offsite_address
from attpcdaq.gateways.offsite_copies import OffsiteCopies
from tests.services.processes import LOOPBACK, free_port
from tests.services.sshd import Sshd

ROOT = Path(__file__).resolve().parents[2]
DUMP = os.urandom(3_000_001)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Two finished backups, and what is none."""
    directory = tmp_path / "backups"
    directory.mkdir()
    (directory / "monday.dump").write_bytes(DUMP)
    (directory / "tuesday.dump").write_bytes(b"small")
    for name in (".hidden", "wednesday.dump.part"):
        (directory / name).write_bytes(b"unfinished")
    (directory / "folder").mkdir()
    return directory


@pytest.fixture
def there(sshd: Sshd, tmp_path: Path) -> Path:
    return sshd.files / tmp_path.name


def identity(sshd: Sshd, **other: Path) -> SshIdentity:
    return SshIdentity(sshd.user, other.get("key", sshd.key), other.get("known_hosts", sshd.known_hosts))


def copies(sshd: Sshd, here: Path, there: Path, **other: Path) -> OffsiteCopies:
    return OffsiteCopies(here, OffsiteAddress(sshd.user, sshd.host, sshd.port, str(there)), identity(sshd, **other))


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("attpcdaq")]


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "attpcdaq")


async def test_finished_backups_are_copied_once(
    sshd: Sshd, here: Path, there: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = copies(sshd, here, there / "below" / "it")
    assert await one.round()
    assert content(there / "below" / "it") == {"monday.dump": DUMP, "tuesday.dump": b"small"}
    assert [line.split(" (")[0] for line in said(caplog)] == ["copied monday.dump", "copied tuesday.dump"]
    before = [path.stat().st_mtime_ns for path in (there / "below" / "it").iterdir()]
    assert await one.round()
    assert await copies(sshd, here, there / "below" / "it").round()
    assert [path.stat().st_mtime_ns for path in (there / "below" / "it").iterdir()] == before
    assert len(said(caplog)) == 2


async def test_what_is_deleted_here_stays_there(sshd: Sshd, here: Path, there: Path) -> None:
    one = copies(sshd, here, there)
    assert await one.round()
    (here / "monday.dump").unlink()
    (here / "friday.dump").write_bytes(b"later")
    assert await one.round()
    assert content(there) == {"monday.dump": DUMP, "tuesday.dump": b"small", "friday.dump": b"later"}


async def test_another_file_of_that_name_is_left_alone_and_told_once(
    sshd: Sshd, here: Path, there: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(there / "tuesday.dump", b"somebody else's")
    one = copies(sshd, here, there)
    assert await one.round()
    assert await one.round()
    assert content(there) == {"monday.dump": DUMP, "tuesday.dump": b"somebody else's"}
    told = [line for line in said(caplog) if line.startswith("tuesday.dump")]
    assert [line.split(" with ")[1] for line in told] == ["15 bytes, here it has 5: left alone"]


async def test_what_an_interrupted_copy_left_is_done_again(sshd: Sshd, here: Path, there: Path) -> None:
    put(there / ".tuesday.dump.part", b"longer than what comes now")
    assert await copies(sshd, here, there).round()
    assert content(there)["tuesday.dump"] == b"small"


async def test_an_unknown_host_key_lets_nothing_out(
    sshd: Sshd, here: Path, there: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text("")
    one = copies(sshd, here, there, known_hosts=known)
    assert [await one.round(), await one.round()] == [False, False]
    assert there.name not in {path.name for path in sshd.files.iterdir()}
    known.write_text(sshd.known_hosts.read_text())
    assert await one.round()
    assert said(caplog)[0].startswith("backups are not copied, and it is tried again: ")
    assert f"its host key is not in {known}: compare it there" in said(caplog)[0]
    assert [line.split(" (")[0] for line in said(caplog)[1:3]] == ["copied monday.dump", "copied tuesday.dump"]
    assert said(caplog)[3].endswith("works again")


async def test_a_key_that_is_not_let_in_is_said(
    sshd: Sshd, here: Path, there: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other_key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(other))
    assert not await copies(sshd, here, there, key=other).round()
    assert f"it does not let {sshd.user!r} in with the key {other}: put its public half there" in said(caplog)[0]


async def test_a_public_half_of_another_key_is_said(
    sshd: Sshd, here: Path, there: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "other_key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(other))
    asyncssh.generate_private_key("ssh-ed25519").write_public_key(f"{other}.pub")
    assert not await copies(sshd, here, there, key=other).round()
    assert f"our private key {other} cannot be used: Public key mismatch" in said(caplog)[0]


async def test_a_computer_that_is_away_is_said_once(sshd: Sshd, here: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = OffsiteCopies(here, OffsiteAddress("backup", LOOPBACK, free_port(), "/x"), identity(sshd))
    assert [await one.round(), await one.round()] == [False, False]
    assert len(said(caplog)) == 1
    assert said(caplog)[0].endswith("connection refused: nothing listens there")


class FlippingServer(asyncssh.SFTPServer):
    """A computer whose disk keeps other bytes than it was given."""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        return super().write(file_obj, offset, bytes([data[0] ^ 1]) + data[1:])


class AnyClient(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False


@asynccontextmanager
async def flipping(directory: Path) -> AsyncIterator[tuple[int, Path]]:
    """Its port, and the known_hosts file that names it."""
    key, port = asyncssh.generate_private_key("ssh-ed25519"), free_port()
    known = directory / "flipping_hosts"
    known.write_text(f"[{LOOPBACK}]:{port} {key.export_public_key().decode()}")
    server = await asyncssh.listen(
        LOOPBACK, port, server_host_keys=[key], server_factory=AnyClient, sftp_factory=FlippingServer
    )
    async with server:
        yield port, known


async def test_a_copy_that_differs_never_gets_its_name(
    sshd: Sshd, here: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    where = tmp_path / "there"
    async with flipping(tmp_path) as (port, known):
        address = OffsiteAddress("backup", LOOPBACK, port, str(where))
        assert not await OffsiteCopies(here, address, identity(sshd, known_hosts=known)).round()
    assert "monday.dump arrived as something else (SHA-256 " in said(caplog)[0]
    assert [path.name for path in where.iterdir()] == [".monday.dump.part"]


def settings(sshd: Sshd, there: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "ATTPCDAQ_OFFSITE": f"sftp://{sshd.user}@{sshd.host}:{sshd.port}{there}",
        "ATTPCDAQ_SSH_KEY": str(sshd.key),
        "ATTPCDAQ_SSH_KNOWN_HOSTS": str(sshd.known_hosts),
    }


def verb(here: Path, *words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "offsite", str(here), *words]


def becomes(true: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not (done := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return done


def test_the_verb_copies_what_comes_until_it_is_ended(sshd: Sshd, here: Path, there: Path, tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    environment = {**settings(sshd, there), "ATTPCDAQ_ALIVE_FILE": str(alive)}
    with subprocess.Popen(verb(here), env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            assert becomes((there / "tuesday.dump").exists)
            (here / "later.part").write_bytes(b"later")
            (here / "later.part").rename(here / "later.dump")
            assert becomes((there / "later.dump").exists)
            assert alive.exists()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert content(there) == {"monday.dump": DUMP, "tuesday.dump": b"small", "later.dump": b"later"}


def test_the_verb_once_says_whether_it_went_well(sshd: Sshd, here: Path, there: Path) -> None:
    done = subprocess.run(verb(here, "--once"), env=settings(sshd, there), capture_output=True, text=True)
    assert (done.returncode, content(there).keys()) == (0, {"monday.dump", "tuesday.dump"})
    away = {**settings(sshd, there), "ATTPCDAQ_OFFSITE": f"sftp://backup@{LOOPBACK}:{free_port()}/x"}
    failed = subprocess.run(verb(here, "--once"), env=away, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "connection refused: nothing listens there" in failed.stderr
    assert "CommandError: not every backup was copied" in failed.stderr


def test_the_verb_says_what_to_set(here: Path) -> None:
    unset = subprocess.run(verb(here), env={"PATH": os.defpath}, capture_output=True, text=True)
    assert (unset.returncode, unset.stderr.strip()) == (
        1, "CommandError: ATTPCDAQ_OFFSITE is missing: set it to sftp://user@host:port/directory",
    )  # fmt: skip
    wrong = {"PATH": os.defpath, "ATTPCDAQ_OFFSITE": "scp://somewhere/x"}
    refused = subprocess.run(verb(here), env=wrong, capture_output=True, text=True)
    assert refused.returncode == 2
    assert refused.stderr.startswith("attpcdaq: ATTPCDAQ_OFFSITE is wrong (it must be sftp://user@host")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sftp://kim@nas/backups/daq/", OffsiteAddress("kim", "nas", 22, "/backups/daq")),
        ("sftp://kim@10.0.0.1:2222/~/daq", OffsiteAddress("kim", "10.0.0.1", 2222, "daq")),
        ("sftp://kim%40lab@nas/a%20b", OffsiteAddress("kim@lab", "nas", 22, "/a b")),
    ],
)
def test_addresses(url: str, expected: OffsiteAddress) -> None:
    assert offsite_address(url) == expected


@pytest.mark.parametrize(
    "url",
    ["sftp://nas/x", "sftp://kim@nas", "sftp://kim@nas/", "sftp://kim@nas/~/", "ssh://kim@nas/x", "sftp://k:w@n/x"],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"it must be sftp://|it takes no password"):
        offsite_address(url)
