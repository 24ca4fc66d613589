"""What nodes answer on Linux, on macOS, and when they have lost their mind."""

import struct

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.gateways import node_clock, sftp_answers
from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.node_hearing import by_log, by_lsof, by_proc, hears
from attpcdaq.gateways.node_processes import parse_ps, router_pid
from attpcdaq.gateways.node_shell import Output
from attpcdaq.gateways.sftp_batch import text

ROW = "   1: 0100007F:B3B5 {peer} {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1 0000 100 0\n"
FILES = "total 0\nlrwx------ 1 attpc attpc 64 Nov 22 10:00 3 -> 'socket:[5056168]'\n"
LSOF = """\
COMMAND     PID  USER   FD   TYPE             DEVICE SIZE/OFF     NODE NAME
dataRoute 1002 attpc  cwd    DIR                1,4      960 12345678 /Users/attpc/Data/mm0
dataRoute 1002 attpc    3u  IPv4 0x1f2e3d4c5b6a7988      0t0      TCP *:46003 (LISTEN)
"""


@pytest.mark.parametrize(
    ("peer", "state", "inode", "answer"),
    [
        ("00000000:0000", "0A", "5056168", True),
        ("0200007F:C000", "01", "5056168", True),
        ("00000000:0000", "0A", "999", False),
        ("0200007F:C000", "06", "5056168", False),
    ],
    ids=["listens", "connected", "listened to by another process", "waits for its end"],
)
def test_linux_says_whose_the_socket_is(peer: str, state: str, inode: str, answer: bool) -> None:
    row = ROW.format(peer=peer, state=state, inode=inode)
    assert by_proc(row + FILES, 46005) is answer


def test_what_linux_hides_is_not_known() -> None:
    row = ROW.format(peer="00000000:0000", state="0A", inode="5056168")
    assert by_proc(f"{row}ls: cannot open directory '/proc/1002/fd': Permission denied\n", 46005) is None
    assert by_proc(FILES, 46005) is False
    to_others = ROW.replace("B3B5", "C000").format(peer="0200007F:B3B5", state="01", inode="5056168")
    assert by_proc(to_others + FILES, 46005) is False


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("dataRoute 1002 attpc    4u  IPv4 0x1 0t0 TCP *:46005 (LISTEN)\n", True),
        ("dataRoute 1002 attpc    4u  IPv6 0x1 0t0 TCP [::1]:46005 (LISTEN)\n", True),
        ("dataRoute 1002 attpc    4u  IPv4 0x1 0t0 TCP 10.0.0.1:46005->10.0.0.9:1034 (ESTABLISHED)\n", True),
        ("dataRoute 1002 attpc    4u  IPv4 0x1 0t0 TCP 10.0.0.1:51234->10.0.0.9:46005 (ESTABLISHED)\n", False),
        ("", False),
    ],
)
def test_macos_is_asked_with_lsof(line: str, answer: bool) -> None:
    assert by_lsof(LSOF + line, 46005) is answer


ANOTHER_USERS = """\
COMMAND    PID USER   FD      TYPE DEVICE SIZE/OFF NODE NAME
dataRoute 1002 root  cwd   unknown                      /proc/1002/cwd (readlink: Permission denied)
dataRoute 1002 root NOFD                                /proc/1002/fd (opendir: Permission denied)
"""


@pytest.mark.parametrize("said", ["", "sh: lsof: command not found\n", "lsof: WARNING: can't stat()\n", ANOTHER_USERS])
def test_lsof_that_saw_nothing_is_no_proof(said: str) -> None:
    assert by_lsof(said, 46005) is None


def test_a_log_full_of_carriage_returns() -> None:
    waits = " Waiting for client connection ...\r" * 1000
    assert by_log(f"== Starting\n{waits}") is True
    assert by_log(f"{waits}\n** Binding socket .. failed: Address already in use\n-- something else\n") is False
    assert by_log("** Binding socket .. failed: Address already in use\n== New file: ./a.graw\n") is True
    assert by_log("-- nothing to the point") is None


async def test_where_nobody_can_tell_the_log_is_asked() -> None:
    async def nothing(command: str) -> Output:
        return Output(127, "not found")

    async def log() -> str:
        return "** Binding socket .. failed\n"

    assert await hears(nothing, log, 1002, 46005, proc=True) is False


def test_only_possible_routers_are_taken_from_a_list_of_processes() -> None:
    listed = (
        "  1 /sbin/launchd\n 77 /usr/local/bin/getEccSoapServer -p 8083\n 88 /opt/DataExporter 0.0.0.0 0.0.0.0:46005\n"
    )
    assert [one.pid for one in parse_ps(listed)] == [1, 77, 88]
    assert [one.pid for one in parse_ps(listed, {"dataRouter"})] == [88]
    assert router_pid(parse_ps(listed, {"dataRouter"}), "dataRouter", 46005) == 88


@pytest.mark.parametrize("arguments", ["", " 0.0.0.0:46003 0.0.0.0:46005 TCP"])
@pytest.mark.parametrize("wrapper", ["sh -c dataRouter", "/bin/bash /usr/local/bin/dataRouter", "sudo -n dataRouter"])
def test_a_shell_that_runs_a_router_is_not_taken_for_it(wrapper: str, arguments: str) -> None:
    """It holds no socket, and would be called deaf."""
    alone = f" 88 {wrapper}{arguments}\n"
    assert router_pid(parse_ps(alone), "dataRouter", 46005) == 88
    assert router_pid(parse_ps(f"{alone} 99 /opt/dataRouter{arguments}\n"), "dataRouter", 46005) == 99


class Told:
    """A node that answers a `date` and nothing else, or a `perl`."""

    def __init__(self, **answers: str) -> None:
        self.answers, self.asked = answers, []

    async def __call__(self, command: str) -> Output:
        self.asked.append(command)
        said = self.answers.get(command.split(maxsplit=1)[0])
        return Output(127, "not found") if said is None else Output(0, f"{said}\n")


@pytest.mark.parametrize(
    ("node", "offset", "error", "minutes"),
    [
        (Told(date="1795340904.250000000 +0100"), 0.25, 0.0, 60),
        (Told(date="1795340904.N -0330", perl="1795340903.750000 -0330"), -0.25, 0.0, -210),
        (Told(date="1795340904.N -0500", python3="1795340904.000000 -0500"), 0.0, 0.0, -300),
    ],
    ids=["Linux", "macOS with perl", "macOS with python3"],
)
async def test_clocks_of_linux_and_macos(node: Told, offset: float, error: float, minutes: int) -> None:
    clock = await node_clock.compare(node, lambda: 1795340904.0)
    assert (clock.offset, clock.error, clock.utc_offset) == (pytest.approx(offset), error, minutes)
    assert len(node.asked) <= 3


async def test_a_node_that_knows_whole_seconds_only_is_half_a_second_off_at_the_most() -> None:
    class Old(Told):
        async def __call__(self, command: str) -> Output:
            return Output(
                0, "1795340904.N +0000" if "%N" in command else "1795340904 +0000" if "date" in command else ""
            )

    clock = await node_clock.compare(Old(), lambda: 1795340904.9)
    assert abs(clock.offset) <= clock.error == 0.5


async def test_the_quickest_of_a_few_answers_counts() -> None:
    times = iter([100.0, 101.0, 101.0, 101.2, 101.2, 102.0, 102.0, 103.0])
    told = iter(["1000000000.5", "1000000001.1", "1000000001.9", "1000000002.9"])

    async def look(command: str) -> Output:
        return Output(0, f"{next(told)} +0000")

    clock = await node_clock.compare(look, lambda: next(times))
    assert clock.error == pytest.approx(0.1)
    assert clock.offset == pytest.approx(1000000001.1 - 101.1)


async def test_a_node_that_tells_no_time() -> None:
    with pytest.raises(Refused, match="date told no time"):
        await node_clock.compare(Told(date="Sun Nov 22"), lambda: 0.0)


def attributes(flags: int, *fields: bytes) -> bytes:
    return struct.pack(">I", flags) + b"".join(fields)


def test_names_with_every_kind_of_attributes() -> None:
    size, owner, mode, times = struct.pack(">Q", 7), bytes(8), struct.pack(">I", 0o100644), struct.pack(">II", 1, 2)
    extended = struct.pack(">I", 1) + text("a@b") + text("c")
    told = [
        (attributes(15, size, owner, mode, times), (True, 7, 2.0)),
        (attributes(15, size, owner, struct.pack(">I", 0o040755), times), (False, 7, 2.0)),
        (attributes(0), (True, 0, 0.0)),
        (attributes(0x80000009, size, times, extended), (True, 7, 2.0)),
    ]
    body = struct.pack(">I", len(told)) + b"".join(
        text(f"f{n}") + text("long") + one for n, (one, _) in enumerate(told)
    )
    assert sftp_answers.entries(body) == [(f"f{number}", *meant) for number, (_, meant) in enumerate(told)]


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_bad_message(body: bytes) -> None:
    for understand in (sftp_answers.entries, sftp_answers.data, sftp_answers.disk, sftp_answers.stat_of):
        try:
            understand(body)
        except asyncssh.SFTPBadMessage:
            continue


@given(st.text(max_size=300))
def test_any_text_about_sockets_is_an_answer(said: str) -> None:
    for answer in (by_proc(said, 46005), by_lsof(said, 46005), by_log(said)):
        assert answer in (True, False, None)
