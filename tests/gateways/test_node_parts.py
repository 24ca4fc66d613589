"""The pure parts of the node gateway: process lists, disks, names."""

import pytest

from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.file_names import check_path, check_plain, is_graw, parents
from attpcdaq.gateways.node_disk import UNKNOWN, Disk, df_command, parse_df
from attpcdaq.gateways.node_processes import Process, parse_ps, router_pid

PS = """\
Welcome to node 3!
    1 /sbin/init splash
  812 /usr/sbin/sshd -D
 1001 /usr/local/bin/getEccSoapServer --port 8083 --config-repo-url /configs
 1002 /usr/local/bin/dataRouter 192.168.41.60:46003 192.168.41.60:46005 TCP FrameStorage
 1003 /Users/attpc/bin/DataExporter 192.168.41.60:46103 192.168.41.60:46105
 1004 /bin/sh -e /opt/get/dataRouter 127.0.0.1:46203 127.0.0.1:46205 TCP
 1005 [dataRouter] <defunct>
 1006 tail -f /var/log/dataRouter
 1007 vim dataRouter.log
 1008 nohup env LANG=C daqServer 127.0.0.1:46303 127.0.0.1 TCP
"""


def processes(*lines: str) -> tuple[Process, ...]:
    return parse_ps("\n".join(f"{pid} {line}" for pid, line in enumerate(lines, 10)))


@pytest.mark.parametrize(("port", "pid"), [(46005, 1002), (46105, 1003), (46205, 1004), (46305, None)])
def test_the_router_is_found_by_its_data_port(port: int, pid: int | None) -> None:
    assert router_pid(parse_ps(PS), "dataRouter", port) == pid


def test_a_second_argument_without_a_port_means_the_default() -> None:
    only = [one for one in parse_ps(PS) if one.pid == 1008]
    assert only[0].program == "daqServer"
    assert router_pid(only, "dataRouter", 46005) == 1008


def test_only_programs_count_not_files_that_bear_the_name() -> None:
    others = processes("tail -f /var/log/dataRouter", "[dataRouter] <defunct>", "vim dataRouter", "grep dataRouter")
    assert router_pid(others, "dataRouter", 46005) is None


def test_a_lone_router_without_arguments_is_taken() -> None:
    assert router_pid(processes("./dataRouter"), "dataRouter", 46105) == 10
    assert router_pid(processes("./dataRouter", "./dataRouter"), "dataRouter", 46105) is None
    assert router_pid(processes("./dataRouter 127.0.0.1:46003 127.0.0.1:46005"), "dataRouter", 46105) is None


def test_another_name_of_the_process() -> None:
    own = processes("/opt/site/ourRouter :46003 :46005", "/opt/dataRouter :46003 :46005")
    assert router_pid(own, "ourRouter", 46005) == 10
    assert router_pid(own, "dataRouter", 46005) == 11


def test_an_interpreter_without_a_script_is_itself() -> None:
    assert [one.program for one in processes("python3", "sh -l", "bash -c")] == ["python3", "sh", "bash"]


@pytest.mark.parametrize(
    "output",
    [
        (
            "Filesystem     1024-blocks      Used Available Capacity Mounted on\n"
            "/dev/disk1s1     976490576 200000000 700000000      23%  /Users\n"
        ),
        (
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
            "//attpc@server/a long name 976490576 200000000 700000000 23% /Volumes/a b\n"
        ),
    ],
)
def test_df_of_linux_and_macos(output: str) -> None:
    assert parse_df(output) == Disk(700000000 * 1024, 976490576 * 1024)


def test_df_that_says_nothing_is_unknown() -> None:
    assert parse_df("df: /x: No such file or directory\n") == UNKNOWN
    assert df_command("/a b/$(x)") == "df -Pk '/a b/$(x)'"


@pytest.mark.parametrize("name", ["a.graw", "CoBo0_AsAd2_2026-11-22T09:48:24.458_0000.graw"])
def test_data_files(name: str) -> None:
    assert is_graw(name)
    check_plain([name])


@pytest.mark.parametrize("name", [".graw", "a.graw.part", "../a.graw", "a\u202e.graw", "\udcff.graw", "x" * 300])
def test_no_data_files(name: str) -> None:
    assert not is_graw(name)


def test_directories() -> None:
    check_path("/staging/e1/run_0001")
    with pytest.raises(Refused, match="'staging' is not an absolute path"):
        check_path("staging")
    assert parents("/a//b/c/") == ("/a", "/a/b", "/a/b/c")
    assert parents("/") == ()
