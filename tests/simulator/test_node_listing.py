"""Names of directories as the simulated nodes tell them over SFTP."""

import cProfile
import os
from pathlib import Path

import asyncssh
from asyncssh.packet import SSHPacket

from get_simulator.node_listing import ListedName

NAMES = 500
MOST_CALLS = 25


def listed(path: Path) -> ListedName:
    return ListedName(os.fsencode(path.name), path.lstat())


def test_a_name_is_told_as_asyncssh_would_tell_it(tmp_path: Path) -> None:
    file, directory, link = tmp_path / "a.graw", tmp_path / "demo", tmp_path / "link"
    file.write_bytes(b"x" * 300)
    os.utime(file, (1_700_000_000, 1_700_000_001))
    directory.mkdir()
    link.symlink_to(file)
    for path in (file, directory, link):
        found = asyncssh.SFTPName.decode(SSHPacket(listed(path).encode(3)), 3)
        usual = asyncssh.SFTPAttrs.from_local(path.lstat())
        told = found.attrs
        assert found.filename == os.fsencode(path.name)
        assert (told.size, told.permissions, told.uid, told.gid) == (
            usual.size,
            usual.permissions,
            usual.uid,
            usual.gid,
        )
        assert (told.atime, told.mtime) == (usual.atime, usual.mtime)
    long = bytes(listed(file).longname)
    assert long.startswith(b"-rw")
    assert b" 300 " in long
    assert long.endswith(b" a.graw")


def test_times_before_1970_and_after_2106_do_not_end_the_listing(tmp_path: Path) -> None:
    file = tmp_path / "a.graw"
    file.touch()
    os.utime(file, (-10, 1 << 33))
    found = asyncssh.SFTPName.decode(SSHPacket(listed(file).encode(3)), 3)
    assert (found.attrs.atime, found.attrs.mtime) == (0, (1 << 32) - 1)


def test_a_name_costs_few_calls(tmp_path: Path) -> None:
    """Eleven directories with a thousand names each are told in the event loop in which the ECC servers answer."""
    (tmp_path / "a.graw").touch()
    found, profile = (tmp_path / "a.graw").lstat(), cProfile.Profile()
    with profile:
        for _ in range(NAMES):
            ListedName(b"a.graw", found).encode(3)
    calls = sum(entry.callcount for entry in profile.getstats())
    assert calls <= MOST_CALLS * NAMES
