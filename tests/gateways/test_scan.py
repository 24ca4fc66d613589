"""Looking into data files on a node: the same for the twin, the simulated node and OpenSSH's sshd."""

import dataclasses
import hashlib

import pytest

from attpcdaq.gateways.errors import Refused, Unreachable
from attpcdaq.gateways.file_scan import scan_bytes
from attpcdaq.gateways.ports import FileScan
from get_protocol.graw import build_mutant
from tests.gateways.node_stands import NodeStand, join
from tests.protocol.frames import run_of

LIMIT = 20.0
FILE = "CoBo0_AsAd1_2026-11-22T09:48:24.458_0000.graw"
OTHER = "CoBo0_AsAd1_2026-11-22T09:48:24.461_0001.graw"


async def test_size_checksum_and_frames(node: NodeStand) -> None:
    whole, cut = b"".join(run_of(40)), b"".join(run_of(7, first=50))[:-3]
    node.write(join(node.query.staging_dir, FILE), whole)
    node.write(join(node.query.staging_dir, OTHER), cut)
    found = await node.port.scan_files(node.node, node.query.staging_dir, [OTHER, FILE], LIMIT)
    assert found == {OTHER: scan_bytes(cut), FILE: scan_bytes(whole)}
    first, second = found[FILE], found[OTHER]
    assert isinstance(first, FileScan)
    assert isinstance(second, FileScan)
    assert (first.size, first.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert (first.summary.frames, first.summary.ranges, first.summary.sources) == (40, [(0, 39)], {"CoBo3_AsAd1": 40})
    assert (second.summary.frames, second.summary.tail) == (6, "truncated")


async def test_without_a_checksum(node: NodeStand) -> None:
    node.write(join(node.query.staging_dir, FILE), build_mutant(3))
    found = await node.port.scan_files(node.node, node.query.staging_dir, [FILE], LIMIT, checksum=False)
    assert found == {FILE: scan_bytes(build_mutant(3), checksum=False)}
    assert scan_bytes(build_mutant(3), checksum=False).sha256 == ""


async def test_files_that_are_not_there_concern_only_themselves(node: NodeStand) -> None:
    node.write(join(node.query.staging_dir, FILE), b"")
    found = await node.port.scan_files(node.node, node.query.staging_dir, [OTHER, FILE], LIMIT)
    assert found[FILE] == scan_bytes(b"")
    missing = found[OTHER]
    assert isinstance(missing, Refused)
    assert missing.code == Refused.MISSING
    assert f"there is no {node.query.staging_dir}/{OTHER}" in str(missing)


async def test_a_directory_that_is_not_there(node: NodeStand) -> None:
    found = await node.port.scan_files(node.node, join(node.root, "/nowhere"), [FILE], LIMIT)
    assert isinstance(found[FILE], Refused)
    assert found[FILE].code == Refused.MISSING


async def test_names_are_names_and_nothing_else(node: NodeStand) -> None:
    strange = ["--no-checksum", "a b.graw", "$(touch x).graw", "it's; exit.graw", '"; echo ".graw', "*.graw", "µ.graw"]
    for number, name in enumerate(strange):
        node.write(join(node.query.staging_dir, name), build_mutant(number))
    found = await node.port.scan_files(node.node, node.query.staging_dir, strange, LIMIT)
    assert found == {name: scan_bytes(build_mutant(number)) for number, name in enumerate(strange)}
    assert sorted(node.names(node.query.staging_dir)) == sorted(strange)


@pytest.mark.parametrize("name", ["../x.graw", "", "a/b", "a\nb"])
async def test_paths_are_refused_before_anything_is_sent(node: NodeStand, name: str) -> None:
    with pytest.raises(Refused, match="is not a plain file name"):
        await node.port.scan_files(node.node, node.query.staging_dir, [name], LIMIT)


async def test_a_directory_with_a_strange_name(node: NodeStand) -> None:
    directory = join(node.query.staging_dir, "it's a $(run); && x")
    node.write(join(directory, FILE), build_mutant(3))
    found = await node.port.scan_files(node.node, directory, [FILE], LIMIT)
    assert found == {FILE: scan_bytes(build_mutant(3))}


async def test_more_names_than_fit_a_command_line(node: NodeStand) -> None:
    names = [f"{'x' * 200}{number:04d}.graw" for number in range(700)]
    assert sum(map(len, names)) > 128 * 1024
    for number, name in enumerate(names):
        node.write(join(node.query.staging_dir, name), build_mutant(number))
    found = await node.port.scan_files(node.node, node.query.staging_dir, names, LIMIT)
    assert list(found) == names
    assert found == {name: scan_bytes(build_mutant(number)) for number, name in enumerate(names)}


async def test_no_names_at_all(node: NodeStand) -> None:
    assert await node.port.scan_files(node.node, node.query.staging_dir, [], LIMIT) == {}


async def test_a_node_that_is_off(node: NodeStand) -> None:
    node.die()
    away = dataclasses.replace(node.node)
    with pytest.raises(Unreachable):
        await node.port.scan_files(away, node.query.staging_dir, [FILE], LIMIT)
