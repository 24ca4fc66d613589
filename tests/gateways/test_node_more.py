"""What the close-out, the manifest and the configurations ask of a node: in memory, simulated, behind sshd."""

import dataclasses
import hashlib
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from attpcdaq.gateways.errors import NoAnswer, Refused, Unreachable
from attpcdaq.gateways.ports import HEAD_BYTES, Abilities, FileScan, RouterReading
from tests.gateways.node_stands import MemoryNodeStand, NodeStand, join, same
from tests.gateways.test_node_contract import FILE, LIMIT, frame, look

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """The first answer that is as wanted."""
    deadline = time.monotonic() + LIMIT
    while not wanted(found := await ask()):
        assert time.monotonic() < deadline, found
    return found


async def test_a_moved_file_may_get_another_name(node: NodeStand) -> None:
    staging, target = node.query.staging_dir, join(node.query.staging_dir, "e1/run_0001")
    for name in ("a.graw", "b.graw"):
        node.write(join(staging, name), name.encode())
    moved = await node.port.move_files(
        node.node, staging, {"a.graw": "b.graw", "b.graw": "a_late1.graw"}, target, LIMIT
    )
    assert [one.path for one in moved] == [join(target, "b.graw"), join(target, "a_late1.graw")]
    assert node.read(join(target, "b.graw")) == b"a.graw"
    assert node.read(join(target, "a_late1.graw")) == b"b.graw"


async def test_a_new_name_is_never_that_of_another_file(node: NodeStand) -> None:
    staging, target = node.query.staging_dir, join(node.query.staging_dir, "e1/run_0001")
    node.write(join(staging, "a.graw"), b"new")
    node.write(join(target, "old.graw"), b"old")
    with pytest.raises(Refused, match=r"run_0001/old\.graw exists already; nothing was moved"):
        await node.port.move_files(node.node, staging, {"a.graw": "old.graw"}, target, LIMIT)
    with pytest.raises(Refused, match="not a plain file name"):
        await node.port.move_files(node.node, staging, {"a.graw": "../b.graw"}, target, LIMIT)
    assert node.read(join(target, "old.graw")) == b"old"
    assert node.read(join(staging, "a.graw")) == b"new"


async def test_what_is_missing_has_a_code(node: NodeStand) -> None:
    nowhere, staging = f"{node.root}/nowhere", node.query.staging_dir
    asked = (
        node.port.list_graw(node.node, nowhere, LIMIT),
        node.port.read_file(node.node, f"{nowhere}/a.xcfg", LIMIT),
        node.port.move_files(node.node, staging, same(["gone.graw"]), f"{node.root}/target", LIMIT),
    )
    for one in asked:
        with pytest.raises(Refused) as refused:
            await one
        assert refused.value.code == Refused.MISSING


async def test_files_are_read_as_they_are_and_told_by_size_and_time(node: NodeStand) -> None:
    path, data = f"{node.root}/configuration/configure-e1.xcfg", bytes(range(256)) * 2000
    before = time.time()
    node.write(path, data)
    read, stat = await node.port.read_file(node.node, path, LIMIT)
    assert read == data
    assert stat.size == len(data)
    assert before - 2 <= stat.mtime <= time.time() + 2
    gone = f"{node.root}/configuration/gone.xcfg"
    assert await node.port.stat_files(node.node, [path, gone], LIMIT) == {path: stat, gone: None}


async def test_the_first_bytes_of_files_are_read_however_long_they_are(node: NodeStand) -> None:
    directory, data = node.query.staging_dir, bytes(range(256)) * 40
    for name, size in (("long.graw", len(data)), ("short.graw", 7), ("empty.graw", 0)):
        node.write(join(directory, name), data[:size])
    names = ["long.graw", "gone.graw", "empty.graw", "short.graw"]
    found = await node.port.read_heads(node.node, directory, names, LIMIT)
    assert found == {"long.graw": data[:HEAD_BYTES], "short.graw": data[:7], "empty.graw": b""}


async def test_what_is_written_replaces_the_older_one_and_leaves_nothing_else(node: NodeStand) -> None:
    directory = join(node.query.staging_dir, "e1/run_0001")
    for data in (b"first", b"second, and longer", b""):
        await node.port.write_file(node.node, join(directory, "manifest.json"), data, LIMIT)
        assert node.read(join(directory, "manifest.json")) == data
    assert node.names(directory) == ["manifest.json"]


async def test_a_path_below_the_home_directory(node: NodeStand) -> None:
    name = f".attpcdaq-test-{Path(node.root).name}"
    try:
        await node.port.write_file(node.node, f"~/{name}/a.graw", b"data", LIMIT)
        assert node.read(f"{node.home}/{name}/a.graw") == b"data"
        assert [file.name for file in await node.port.list_graw(node.node, f"~/{name}", LIMIT)] == ["a.graw"]
        moved = await node.port.move_files(node.node, f"~/{name}", same(["a.graw"]), f"~/{name}/e1/run_0001", LIMIT)
        assert [one.path for one in moved] == [f"{node.home}/{name}/e1/run_0001/a.graw"]
        query = dataclasses.replace(node.query, staging_dir=f"~/{name}/e1/run_0001")
        found = (await node.port.read_routers(node.node, [query], LIMIT))[query.name]
        assert isinstance(found, RouterReading)
        assert [file.name for file in found.files] == ["a.graw"]
    finally:
        _remove(Path(node.home, name) if node.root else None)


def _remove(directory: Path | None) -> None:
    """What a test made in the home directory of who runs it."""
    if directory is not None:
        with suppress(FileNotFoundError):
            (directory / "e1/run_0001/a.graw").unlink()
            for path in (directory / "e1/run_0001", directory / "e1", directory):
                path.rmdir()


@pytest.mark.parametrize("path", ["", "a.xcfg", "~someone/a.xcfg", "/a/../b", "~/../a", "/a\n"])
async def test_paths_that_lead_elsewhere_are_refused(node: NodeStand, path: str) -> None:
    asked = (
        node.port.read_file(node.node, path, LIMIT),
        node.port.write_file(node.node, path, b"", LIMIT),
        node.port.stat_files(node.node, [path], LIMIT),
        node.port.list_graw(node.node, path, LIMIT),
    )
    for one in asked:
        with pytest.raises(Refused, match=r"is not an absolute path|is not a path without"):
            await one


async def test_files_are_scanned_with_their_checksum_or_without(node: NodeStand) -> None:
    data = b"".join(map(frame, range(5)))
    node.write(join(node.query.staging_dir, FILE), data)
    for checksum in (True, False):
        found = await node.port.scan_files(
            node.node, node.query.staging_dir, [FILE, "gone.graw"], LIMIT, checksum=checksum
        )
        scan = found[FILE]
        assert isinstance(scan, FileScan)
        assert (scan.size, scan.summary.frames, scan.summary.last_event) == (len(data), 5, 4)
        assert scan.sha256 == (hashlib.sha256(data).hexdigest() if checksum else "")
        assert isinstance(found["gone.graw"], Refused)


async def test_the_clock_of_a_node_that_is_right(node: NodeStand) -> None:
    clock = await node.port.read_clock(node.node, LIMIT)
    assert abs(clock.offset) <= clock.error + 0.05
    assert 0 < clock.error < 0.5
    if not isinstance(node, MemoryNodeStand):  # they stand on this machine
        assert clock.utc_offset == time.localtime().tm_gmtoff // 60


async def test_the_host_key_is_told_to_anybody_and_may_be_pinned(node: NodeStand) -> None:
    shown = await node.port.read_host_key(node.node, LIMIT)
    assert shown.key.startswith("ssh-ed25519 AAAA")
    assert len(shown.key.split()) == 2
    assert shown.fingerprint.startswith("SHA256:")
    pinned = dataclasses.replace(node.node, host_keys=(shown.key,))
    assert await node.port.list_graw(pinned, node.query.staging_dir, LIMIT) == ()


async def test_over_ssh_everything_can_be_asked_but_a_catalog(node: NodeStand) -> None:
    assert node.port.abilities(node.node) == Abilities()
    with pytest.raises(Refused, match="node-cobo0 is reached over SSH"):
        await node.port.catalog(node.node, "e1", 1, LIMIT)


async def test_a_router_that_listens_hears_and_one_whose_port_was_taken_does_not(node: NodeStand) -> None:
    assert (await look(node)).hears is None
    await node.start_router()
    await until(lambda: look(node), lambda seen: seen.hears is True)
    await node.start_router(deaf=True)
    deaf = await until(lambda: look(node), lambda seen: seen.hears is False)
    assert deaf.online


async def test_a_thousand_files(node: NodeStand) -> None:
    staging = node.query.staging_dir
    names = [f"CoBo0_AsAd1_2026-11-22T09:48:24.458_{number:04d}.graw" for number in range(1000)]
    for name in names:
        node.write(join(staging, name), b"x")
    assert [file.name for file in (await look(node)).files] == names
    await node.port.move_files(node.node, staging, same(names), join(staging, "e1/run_0001"), LIMIT)
    assert (await look(node)).files == ()


async def test_nothing_of_it_is_done_on_a_node_that_is_gone(node: NodeStand) -> None:
    node.lose_connections()
    node.die()
    for ask in (
        lambda: node.port.read_file(node.node, "/a", LIMIT),
        lambda: node.port.write_file(node.node, "/a", b"", LIMIT),
        lambda: node.port.stat_files(node.node, ["/a"], LIMIT),
        lambda: node.port.read_clock(node.node, LIMIT),
        lambda: node.port.read_host_key(node.node, LIMIT),
    ):
        with pytest.raises((Unreachable, NoAnswer), match="node-cobo0"):
            await ask()
