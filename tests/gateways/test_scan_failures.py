"""Nodes without Python, with a wrong one, hostile ones, and connections that end while files are looked into."""

import asyncio
import json
import posixpath
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import psutil
import pytest

from attpcdaq.gateways import node_scan
from attpcdaq.gateways.errors import NoAnswer, Refused
from attpcdaq.gateways.file_scan import scan_bytes
from attpcdaq.gateways.node_program_file import program_file
from attpcdaq.gateways.ports import FileScan
from get_simulator.faults import Fault, FaultKind
from tests.gateways.node_stands import SimulatedNodeStand, SshdNodeStand, join
from tests.gateways.own_node import Answer, own_node
from tests.protocol.frames import run_of
from tests.services.sshd import Sshd
from tests.simulator.conftest import until

LIMIT, SOON = 20.0, 0.5
FILE, OTHER = "CoBo0_AsAd1_2026-11-22T09:48:24.458_0000.graw", "MuTanT_2026-11-22T09:48:24.458_0000.graw"
DATA = b"".join(run_of(20))
HERE = scan_bytes(DATA)
STRANGE_SUM = "5" * 64
"""A checksum that the file does not have: whoever sees it believed the node."""


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[SimulatedNodeStand]:
    node = SimulatedNodeStand(tmp_path)
    await node.start()
    node.write(f"/staging/{FILE}", DATA)
    yield node
    await node.close()


def good(name: str = FILE, data: bytes = DATA, **changes: Any) -> dict[str, Any]:
    """A line as the program prints it."""
    summary = scan_bytes(data).summary.to_json()
    return {"name": name, "size": len(data), "sha256": STRANGE_SUM, "summary": summary} | changes


def printing(text: str, status: int = 0) -> Answer:
    """A node that answers every command with this."""

    async def answer(process: "asyncssh.SSHServerProcess[str]") -> None:
        process.stdout.write(text)
        process.exit(status)

    return answer


async def asked(tmp_path: Path, answer: Answer, sftp: type[asyncssh.SFTPServer] = asyncssh.SFTPServer) -> Any:
    """What comes of two files, one of which is there, on a node that answers so; how often it was asked."""
    asked_for: list[str] = []

    async def counted(process: "asyncssh.SSHServerProcess[str]") -> None:
        asked_for.append(process.command or "")
        await answer(process)

    async with own_node(tmp_path, sftp, counted) as (nodes, node):
        (tmp_path / "staging" / FILE).write_bytes(DATA)
        found = await nodes.scan_files(node, str(tmp_path / "staging"), [FILE, OTHER], LIMIT)
    return found, asked_for


async def test_without_python_the_files_come_over_sftp(stand: SimulatedNodeStand) -> None:
    stand.detector.faults.set(Fault("node-cobo0", FaultKind.NO_PYTHON))
    large = DATA * 120
    assert len(large) > 2 * node_scan.PIECE_BYTES
    stand.write(f"/staging/{OTHER}", large)
    stand.write("/staging/sub/x.graw", b"")
    names = [FILE, OTHER, "none.graw", "sub"]
    for checksum in (True, False):
        found = await stand.port.scan_files(stand.node, "/staging", names, LIMIT, checksum=checksum)
        assert list(found) == names
        assert found[FILE] == scan_bytes(DATA, checksum)
        assert found[OTHER] == scan_bytes(large, checksum)
        missing, directory = found["none.graw"], found["sub"]
        assert isinstance(missing, Refused)
        assert (str(missing), missing.code) == ("there is no /staging/none.graw", Refused.MISSING)
        assert "it is no regular file" in str(directory)


async def test_it_is_put_there_once_and_again_when_it_is_damaged(stand: SimulatedNodeStand) -> None:
    program = stand.base / ".attpcdaq" / program_file().name
    await stand.port.scan_files(stand.node, "/staging", [FILE], LIMIT)
    first = program.stat().st_ino
    await stand.port.scan_files(stand.node, "/staging", [FILE], LIMIT)
    assert program.stat().st_ino == first
    program.write_bytes(program.read_bytes()[:-1])
    assert await stand.port.scan_files(stand.node, "/staging", [FILE], LIMIT) == {FILE: HERE}
    assert program.read_bytes() == program_file().data
    assert [path.name for path in program.parent.iterdir()] == [program.name]


async def test_a_home_that_cannot_be_written(stand: SimulatedNodeStand) -> None:
    (stand.base / ".attpcdaq").write_bytes(b"a file where the directory should be")
    assert await stand.port.scan_files(stand.node, "/staging", [FILE], LIMIT) == {FILE: HERE}


async def test_a_login_banner_does_not_matter(tmp_path: Path) -> None:
    lines = ["Welcome!", "", "{}", "[1, 2]", '"name"', "null", json.dumps({"read": 5}), json.dumps(good())]
    found, commands = await asked(tmp_path, printing("\n".join(lines) + "\n"))
    assert found[FILE] == FileScan(len(DATA), STRANGE_SUM, HERE.summary)
    assert found[OTHER].code == Refused.MISSING
    assert len(commands) == 1


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Traceback (most recent call last):",
        json.dumps(good(size=1)),
        json.dumps(good(sha256="")),
        json.dumps(good(sha256=STRANGE_SUM.upper() + "G")),
        json.dumps(good(sha256=5)),
        json.dumps(good(summary=None)),
        json.dumps(good(summary=HERE.summary.to_json() | {"frames": -1})),
        json.dumps(good(name="../" + FILE)),
        json.dumps(good(name=[FILE])),
        json.dumps(good(name=None, error="x")),
        json.dumps(good())[:-1],
        "[" * 100_000,
        '{"name": ' + "9" * 100_000,
        '{"name": NaN}',
        "x" * (node_scan.MOST_LINE + (1 << 20)),
    ],
)
async def test_an_answer_that_is_wrong_is_not_believed(tmp_path: Path, line: str) -> None:
    found, _ = await asked(tmp_path, printing(line))
    assert found[FILE] == HERE
    assert found[OTHER].code == Refused.MISSING


async def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    found, _ = await asked(tmp_path, printing("ÿþ\0\x1b\n" + json.dumps(good()) + "\n"))
    assert found[FILE].sha256 == STRANGE_SUM


async def test_what_a_node_says_of_a_file_is_shown_as_text_and_short(tmp_path: Path) -> None:
    told = json.dumps({"name": FILE, "error": "\x1b[31m<b>" + "x" * 5000})
    found, _ = await asked(tmp_path, printing(told + "\n"))
    assert str(found[FILE]).startswith(f"{tmp_path}/staging/{FILE} cannot be read: '\\x1b[31m<b>xxx")
    assert len(str(found[FILE])) < 600


@pytest.mark.parametrize("status", [127, 2, 1])
async def test_a_python_that_cannot_is_asked_once(tmp_path: Path, status: int) -> None:
    found, commands = await asked(tmp_path, printing("", status))
    assert found[FILE] == HERE
    assert len(commands) == 1
    assert commands[0].startswith(f"cd {tmp_path}/staging && python3 -I ")


async def test_a_node_that_never_stops_talking_has_said_enough_when_every_file_is_told(tmp_path: Path) -> None:
    async def endless(process: "asyncssh.SSHServerProcess[str]") -> None:
        process.stdout.write("".join(json.dumps(good(name)) + "\n" for name in (FILE, OTHER)))
        while not process.is_closing():
            process.stdout.write("{}\n" * 1000)
            await process.stdout.drain()

    async with asyncio.timeout(LIMIT):
        found, _ = await asked(tmp_path, endless)
    assert (found[FILE].sha256, found[OTHER].sha256) == (STRANGE_SUM, STRANGE_SUM)


class Stalling(asyncssh.SFTPServer):
    """Reads of data files never end."""

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        return asyncio.Event().wait()


class Breaking(asyncssh.SFTPServer):
    """Reads of data files fail as those of a broken disk do."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        raise OSError(5, "Input/output error")


async def test_a_broken_disk_concerns_its_file_only(tmp_path: Path) -> None:
    found, _ = await asked(tmp_path, printing("", 127), Breaking)
    assert isinstance(found[FILE], Refused)
    assert f"{FILE} cannot be read: Input/output error" in str(found[FILE])
    assert found[OTHER].code == Refused.MISSING


async def silent(process: "asyncssh.SSHServerProcess[str]") -> None:
    process.stdout.write('{"read": 1}\n')
    await asyncio.Event().wait()


@pytest.mark.parametrize(("answer", "sftp"), [(silent, asyncssh.SFTPServer), (printing("", 127), Stalling)])
async def test_no_progress_ends_the_call_and_the_next_one_connects_anew(
    tmp_path: Path, answer: Answer, sftp: type[asyncssh.SFTPServer]
) -> None:
    async with own_node(tmp_path, sftp, answer) as (nodes, node):
        (tmp_path / "staging" / FILE).write_bytes(DATA)
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=f"nothing more of a file came within {SOON:g} s"):
            await nodes.scan_files(node, str(tmp_path / "staging"), [FILE], SOON)
        assert time.monotonic() - began < 10 * SOON
        assert [file.name for file in await nodes.list_graw(node, str(tmp_path / "staging"), LIMIT)] == [FILE]


async def test_a_call_may_take_longer_than_its_timeout_while_it_makes_progress(tmp_path: Path) -> None:
    async def slow(process: "asyncssh.SSHServerProcess[str]") -> None:
        for number in range(8):
            process.stdout.write(json.dumps({"read": number}) + "\n")
            await asyncio.sleep(SOON / 2)
        process.stdout.write(json.dumps(good()) + "\n")
        process.exit(0)

    async with own_node(tmp_path, asyncssh.SFTPServer, slow) as (nodes, node):
        (tmp_path / "staging" / FILE).write_bytes(DATA)
        found = (await nodes.scan_files(node, str(tmp_path / "staging"), [FILE], SOON))[FILE]
        assert isinstance(found, FileScan)
        assert found.sha256 == STRANGE_SUM


async def test_a_connection_lost_while_the_program_runs(stand: SimulatedNodeStand) -> None:
    sparse(stand.base / "staging" / OTHER)
    task = asyncio.create_task(stand.port.scan_files(stand.node, "/staging", [OTHER], LIMIT))
    await until(lambda: bool(programs()))
    stand.lose_connections()
    with pytest.raises(NoAnswer):
        await task
    assert (await stand.port.scan_files(stand.node, "/staging", [FILE], LIMIT))[FILE] == HERE
    await until(lambda: not programs())


@pytest.mark.services
async def test_a_call_that_is_given_up_ends_the_program_on_the_node(sshd: Sshd, tmp_path: Path) -> None:
    stand = SshdNodeStand(sshd, tmp_path.name)
    sparse(Path(stand.query.staging_dir, OTHER))
    try:
        task = asyncio.create_task(stand.port.scan_files(stand.node, stand.query.staging_dir, [OTHER], LIMIT))
        await until(lambda: bool(programs()))
        # The connection is not taken up by it.
        stand.write(join(stand.query.staging_dir, FILE), DATA)
        names = [file.name for file in await stand.port.list_graw(stand.node, stand.query.staging_dir, LIMIT)]
        assert names == [FILE, OTHER]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not programs())
    finally:
        await stand.close()


def sparse(path: Path) -> None:
    """A file that takes minutes to read and no room."""
    with path.open("wb") as file:
        file.truncate(60 << 30)


def programs() -> list[psutil.Process]:
    """Those that look into files on a node now."""
    name = program_file().name
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if OTHER in words and any(posixpath.basename(word) == name for word in words):
            found.append(process)
    return found
