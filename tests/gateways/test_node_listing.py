"""Directories with many names, and many files moved at once."""

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
