"""Nodes whose file server is busy, full, old, rude or lies (against a server of the tests' own)."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import asyncssh
import pytest

from attpcdaq.gateways.errors import BadReply, Refused
from attpcdaq.gateways.ports import RouterQuery, RouterReading
from tests.gateways.node_stands import same
from tests.gateways.own_node import own_node

LIMIT = 10.0


class Busy(asyncssh.SFTPServer):
    """Refuses to rename one file, as a node does whose disk is in trouble."""

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if newpath.endswith(b"b.graw"):
            raise asyncssh.SFTPFailure("Device or resource busy")
        super().rename(oldpath, newpath)


class Eating(asyncssh.SFTPServer):
    """Says yes to a rename, and the file is gone."""

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        Path(os.fsdecode(oldpath)).unlink()


class Full(asyncssh.SFTPServer):
    """Has no room for another byte."""

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        raise asyncssh.SFTPFailure("No space left on device")


class Old(asyncssh.SFTPServer):
    """Does not know statvfs."""

    def statvfs(self, path: bytes) -> NoReturn:
        raise asyncssh.SFTPOpUnsupported("unknown request")


class Boundless(asyncssh.SFTPServer):
    """Tells figures that no disk can have."""

    def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        return asyncssh.SFTPVFSAttrs(bsize=1 << 40, frsize=1 << 40, blocks=1 << 40, bfree=1 << 40, bavail=1 << 40)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for entry in super().scandir(path):
            if entry.filename == b"a.graw":
                entry.attrs.size = (1 << 64) - 1
            yield entry


class Rude(asyncssh.SFTPServer):
    """Says no in bytes that nobody can read, nor PostgreSQL keep."""

    def stat(self, path: bytes) -> NoReturn:
        raise asyncssh.SFTPFailure("go\0 \x1b[2Jaway")


async def test_figures_that_no_disk_can_have_are_not_believed(tmp_path: Path) -> None:
    staging = str(tmp_path / "staging")
    query = RouterQuery("router-cobo0", "dataRouter", 46005, staging)
    async with own_node(tmp_path, Boundless) as (nodes, node):
        reading = (await nodes.read_routers(node, [query], LIMIT))["router-cobo0"]
        assert isinstance(reading, RouterReading)
        assert (reading.disk_free, reading.disk_total) == (None, None)
        (tmp_path / "staging" / "a.graw").write_bytes(b"x")
        with pytest.raises(BadReply, match="larger together than any disk"):
            await nodes.read_routers(node, [query], LIMIT)
        with pytest.raises(BadReply, match="larger together than any disk"):
            await nodes.list_graw(node, staging, LIMIT)


async def test_what_a_node_says_can_be_shown_and_kept(tmp_path: Path) -> None:
    async with own_node(tmp_path, Rude) as (nodes, node):
        with pytest.raises(Refused, match=r"go\ufffd \ufffd\[2Jaway"):
            await nodes.stat_files(node, [str(tmp_path / "staging")], LIMIT)


async def test_a_part_that_was_not_moved_is_named(tmp_path: Path) -> None:
    staging = str(tmp_path / "staging")
    async with own_node(tmp_path, Busy) as (nodes, node):
        for name in ("a.graw", "b.graw", "c.graw"):
            (tmp_path / "staging" / name).write_bytes(b"x")
        with pytest.raises(Refused, match=r"not moved: b\.graw: Device or resource busy \(moved: a\.graw, c\.graw\)"):
            await nodes.move_files(node, staging, same(["a.graw", "b.graw", "c.graw"]), f"{staging}/e/run_0001", LIMIT)
        assert [file.name for file in await nodes.list_graw(node, staging, LIMIT)] == ["b.graw"]
        moved = await nodes.list_graw(node, f"{staging}/e/run_0001", LIMIT)
        assert [file.name for file in moved] == ["a.graw", "c.graw"]


async def test_a_file_that_is_gone_when_it_was_moved_is_named(tmp_path: Path) -> None:
    staging = str(tmp_path / "staging")
    async with own_node(tmp_path, Eating) as (nodes, node):
        (tmp_path / "staging" / "a.graw").write_bytes(b"x")
        with pytest.raises(Refused, match=r"run_0001/a\.graw was moved there and is there no more"):
            await nodes.move_files(node, staging, same(["a.graw"]), f"{staging}/e/run_0001", LIMIT)


async def test_a_copy_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    async with own_node(tmp_path, Full) as (nodes, node):
        (tmp_path / "staging" / "a.xcfg").write_bytes(b"x")
        with pytest.raises(Refused, match=r"backup/a\.xcfg was not written: No space left on device"):
            await nodes.copy_files(node, str(tmp_path / "staging"), ["a.xcfg"], str(tmp_path / "backup"), LIMIT)
        assert list((tmp_path / "backup").iterdir()) == []


async def test_a_node_without_statvfs_is_asked_with_df(tmp_path: Path) -> None:
    async with own_node(tmp_path, Old) as (nodes, node):
        query = RouterQuery("router-cobo0", "dataRouter", 46005, str(tmp_path / "staging"))
        for _ in range(2):
            found = (await nodes.read_routers(node, [query], LIMIT))["router-cobo0"]
            assert isinstance(found, RouterReading)
            assert (found.disk_free, found.disk_total, found.pid) == (700 * 1024, 976 * 1024, 1002)
