"""The end of a file that grows, shrinks, or is another one: in memory, simulated, and behind OpenSSH's sshd."""

import asyncio
import os
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from attpcdaq.gateways.errors import BadReply, Refused, Unreachable
from attpcdaq.gateways.ports import Tail
from tests.gateways.node_stands import NodeStand
from tests.gateways.own_node import own_node
from tests.gateways.test_node_files import Boundless

LIMIT = 10.0
MOST = 64 * 1024


async def tail(stand: NodeStand, path: str, most: int = MOST) -> Tail:
    return await stand.port.read_tail(stand.node, path, most, LIMIT)


async def test_all_of_a_short_file_and_the_end_of_a_long_one(node: NodeStand) -> None:
    path = f"{node.root}/logs/ecc.log"
    node.write(path, b"")
    assert (await tail(node, path)).data == b""
    node.write(path, b"one\ntwo\n")
    found = await tail(node, path)
    assert (found.data, found.size) == (b"one\ntwo\n", 8)
    assert found.mtime > 1_700_000_000
    assert (await tail(node, path, 4)).data == b"two\n"
    long = bytes(range(256)) * 1200
    node.write(path, long)
    found = await tail(node, path, 100_000)
    assert (found.data, found.size) == (long[-100_000:], len(long))


async def test_it_is_read_anew_each_time(node: NodeStand) -> None:
    path = f"{node.root}/logs/ecc.log"
    for said in (b"begin\n", b"begin\nmore\n", b"short\n", b"\xff\x00\r\n"):
        node.write(path, said)
        found = await tail(node, path)
        assert (found.data, found.size) == (said, len(said))


async def test_many_at_once_do_not_mix(node: NodeStand) -> None:
    paths = {f"{node.root}/logs/{n}.log": bytes([n]) * 90_000 for n in range(12)}
    for path, data in paths.items():
        node.write(path, data)
    found = await asyncio.gather(*(tail(node, path) for path in paths))
    assert [one.data for one in found] == [data[-MOST:] for data in paths.values()]


async def test_the_home_directory_of_the_node(node: NodeStand, tmp_path: Path) -> None:
    path = f"{node.root or '/somewhere'}/ecc.log"
    home = node.home or ""
    if not path.startswith(f"{home}/"):
        path = f"{home}/attpcdaq-{tmp_path.name}.log"
    node.write(path, b"at home\n")
    try:
        assert (await tail(node, f"~{path.removeprefix(home)}")).data == b"at home\n"
    finally:
        Path(path).unlink(missing_ok=True)  # noqa: ASYNC240  behind sshd it is this machine's own


async def test_what_is_not_there_is_refused_as_missing(node: NodeStand) -> None:
    with pytest.raises(Refused, match=r"node-cobo0.*there is no .*/logs/ecc\.log") as refused:
        await tail(node, f"{node.root}/logs/ecc.log")
    assert refused.value.code == Refused.MISSING


async def test_a_directory_is_no_file(node: NodeStand) -> None:
    with pytest.raises(Refused, match="is no ordinary file"):
        await tail(node, node.query.staging_dir)


@pytest.mark.parametrize("path", ["ecc.log", "/logs/../etc/shadow", "/logs/\0", ""])
async def test_what_is_no_path_is_not_asked_for(node: NodeStand, path: str) -> None:
    with pytest.raises(Refused, match="nothing was done"):
        await tail(node, path)


@pytest.mark.parametrize("most", [0, -1, (1 << 20) + 1])
async def test_how_much_may_be_read(node: NodeStand, most: int) -> None:
    with pytest.raises(Refused, match=f"the last {most} bytes of a file were asked for: 1 to 1048576 may be"):
        await tail(node, f"{node.root}/logs/ecc.log", most)


async def test_a_node_that_is_gone(node: NodeStand) -> None:
    node.die()
    with pytest.raises(Unreachable, match="node-cobo0"):
        await tail(node, f"{node.root}/logs/ecc.log")


class Sparing(asyncssh.SFTPServer):
    """Gives fewer bytes than it is asked for."""

    def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        data = super().read(file_obj, offset, min(size, 1000))
        assert isinstance(data, bytes)
        return data


class Shrinking(asyncssh.SFTPServer):
    """Its file is emptied between the question for its size and the reading."""

    def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        os.truncate(file_obj.name, 0)
        data = super().read(file_obj, offset, size)
        assert isinstance(data, bytes)
        return data


class Closed(asyncssh.SFTPServer):
    """Does not let anybody read."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        raise asyncssh.SFTPPermissionDenied("Permission denied")


async def test_a_server_that_gives_little_at_a_time(tmp_path: Path) -> None:
    data = bytes(range(256)) * 400
    (tmp_path / "ecc.log").write_bytes(data)
    async with own_node(tmp_path, Sparing) as (nodes, node):
        found = await nodes.read_tail(node, f"{tmp_path}/ecc.log", MOST, LIMIT)
    assert (found.data, found.size) == (data[-MOST:], len(data))


async def test_a_file_that_is_emptied_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "ecc.log").write_bytes(b"x" * 5000)
    async with own_node(tmp_path, Shrinking) as (nodes, node):
        found = await nodes.read_tail(node, f"{tmp_path}/ecc.log", MOST, LIMIT)
        assert (found.data, found.size) == (b"", 0)
        again = await nodes.read_tail(node, f"{tmp_path}/ecc.log", MOST, LIMIT)
        assert again.size == 0


async def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "ecc.log").write_bytes(b"x")
    async with own_node(tmp_path, Closed) as (nodes, node):
        with pytest.raises(Refused, match=r"ecc\.log cannot be read: Permission denied"):
            await nodes.read_tail(node, f"{tmp_path}/ecc.log", MOST, LIMIT)


async def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ecc.log")
    async with own_node(tmp_path, asyncssh.SFTPServer) as (nodes, node):
        with pytest.raises(Refused, match="is no ordinary file"):
            await nodes.read_tail(node, f"{tmp_path}/ecc.log", MOST, LIMIT)


async def test_a_size_that_no_file_has_is_not_believed(tmp_path: Path) -> None:
    class Lying(Boundless):
        def fstat(self, file_obj: Any) -> asyncssh.SFTPAttrs:
            return asyncssh.SFTPAttrs(size=(1 << 64) - 1, permissions=0o100644, mtime=0, atime=0)

    (tmp_path / "ecc.log").write_bytes(b"x")
    async with own_node(tmp_path, Lying) as (nodes, node):
        with pytest.raises(BadReply, match="larger together than any disk"):
            await nodes.read_tail(node, f"{tmp_path}/ecc.log", MOST, LIMIT)
