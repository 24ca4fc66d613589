"""Directories with many names, many files moved at once, and small files copied."""

from pathlib import Path
from typing import NoReturn

import asyncssh
import pytest

from attpcdaq.gateways.errors import Refused
from tests.gateways.node_stands import NodeStand, join, same
from tests.gateways.own_node import own_node

LIMIT = 30.0
MANY = 700


async def test_many_files_are_listed_and_moved_at_once(node: NodeStand) -> None:
    staging = node.query.staging_dir
    names = [f"CoBo0_AsAd0_2026-11-22T09:48:24.458_{number:04d}.graw" for number in range(MANY)]
    for number, name in enumerate(names):
        node.write(join(staging, name), b"x" * number)
    listed = await node.port.list_graw(node.node, staging, LIMIT)
    assert [(file.name, file.size) for file in listed] == [(name, number) for number, name in enumerate(names)]
    target = join(staging, "e1/run_0001")
    moved = await node.port.move_files(node.node, staging, same(names), target, LIMIT)
    assert [(one.path, one.size) for one in moved] == [(join(target, name), n) for n, name in enumerate(names)]
    assert await node.port.list_graw(node.node, staging, LIMIT) == ()


class Closed(asyncssh.SFTPServer):
    """Lets nobody look into its directories."""

    def scandir(self, path: bytes) -> NoReturn:
        raise asyncssh.SFTPPermissionDenied("Permission denied")


async def test_a_directory_that_nobody_may_read_is_named(tmp_path: Path) -> None:
    async with own_node(tmp_path, Closed) as (nodes, node):
        with pytest.raises(Refused, match=r"the directory .*/staging cannot be read: Permission denied"):
            await nodes.list_graw(node, str(tmp_path / "staging"), LIMIT)


async def test_files_longer_than_a_piece_are_copied_and_written_whole(node: NodeStand) -> None:
    data = {name: bytes(range(256)) * size for name, size in (("a.xcfg", 0), ("b.xcfg", 128), ("c.xcfg", 1000))}
    for name, content in data.items():
        node.write(f"{node.root}/configs/{name}", content)
    for _ in range(2):  # the second time the same lies there
        await node.port.copy_files(node.node, f"{node.root}/configs", list(data), f"{node.root}/backup/e/1", LIMIT)
    await node.port.write_file(node.node, f"{node.root}/backup/e/2/c.xcfg", data["c.xcfg"], LIMIT)
    assert {name: node.read(f"{node.root}/backup/e/1/{name}") for name in data} == data
    assert node.names(f"{node.root}/backup/e/1") == sorted(data)
    assert node.read(f"{node.root}/backup/e/2/c.xcfg") == data["c.xcfg"]


async def test_a_file_in_the_way_of_a_directory_is_named(tmp_path: Path) -> None:
    async with own_node(tmp_path, asyncssh.SFTPServer) as (nodes, node):
        (tmp_path / "a.xcfg").write_bytes(b"x")
        (tmp_path / "backup").write_bytes(b"a file")
        with pytest.raises(Refused, match=r"the directory .*/backup cannot be made"):
            await nodes.copy_files(node, str(tmp_path), ["a.xcfg"], str(tmp_path / "backup" / "run_0001"), LIMIT)


class Sparing(asyncssh.SFTPServer):
    """Gives a thousand bytes at the most, whatever is asked for, as a server may."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        return super().read(file_obj, offset, min(size, 1000))


async def test_a_server_that_gives_fewer_bytes_than_asked_leaves_no_gap_in_a_copy(tmp_path: Path) -> None:
    data = bytes(range(256)) * 300
    (tmp_path / "a.xcfg").write_bytes(data)
    async with own_node(tmp_path, Sparing) as (nodes, node):
        await nodes.copy_files(node, str(tmp_path), ["a.xcfg"], str(tmp_path / "backup"), LIMIT)
    assert (tmp_path / "backup" / "a.xcfg").read_bytes() == data


class Shrinking(asyncssh.SFTPServer):
    """Its files end earlier than it says."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        return super().read(file_obj, offset, max(0, min(size, 40_000 - offset)))


async def test_a_file_that_ends_too_early_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "a.xcfg").write_bytes(bytes(50_000))
    async with own_node(tmp_path, Shrinking) as (nodes, node):
        with pytest.raises(Refused, match="ends after 40000 of its 50000 bytes"):
            await nodes.copy_files(node, str(tmp_path), ["a.xcfg"], str(tmp_path / "backup"), LIMIT)
    assert list((tmp_path / "backup").iterdir()) == []
