"""A node's commands (pure), and the same over a real SSH connection."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from get_simulator.node import Listed, Node, Process, Space
from tests.simulator.conftest import UP, Simulation, until

ECC = "/usr/local/bin/getEccSoapServer --port 8083"
ROUTER = "/usr/local/bin/dataRouter 127.0.0.1:46003 127.0.0.1:46005 TCP FrameStorage"


class OneFile:
    """A disk with one file."""

    def read(self, path: str) -> bytes:
        if path != "/configs/a.xcfg":
            raise FileNotFoundError(2, "No such file or directory")
        return b"<Setup/>"

    def list(self, path: str) -> Sequence[Listed]:
        return [Listed("b", 10, 0.0, True), Listed("a.xcfg", 8, 0.0, False)]

    def space(self, path: str) -> Space:
        return Space(1000, 250)


NODE = Node("node", OneFile(), [Process(7, ECC), Process(1001, ROUTER)], {"ecc": "getEccSoapServer"})


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("ps -A -ww -o pid= -o args=", f"      7 {ECC}\n   1001 {ROUTER}\n"),
        ("ps -A -o pid=,comm=", "      7 getEccSoapServe\n   1001 dataRouter\n"),
        ("cat /configs/a.xcfg", "<Setup/>"),
        ("ls /configs", "a.xcfg\nb\n"),
        ("date +%s.%N", "12.500000000\n"),
        ("/bin/true", ""),
        ("", ""),
    ],
)
def test_commands(command: str, output: str) -> None:
    result = NODE.run(command, 12.5)
    assert (result.stdout.decode(), result.stderr, result.status) == (output, "", 0)


def test_df_is_posix() -> None:
    lines = NODE.run("df -Pk /staging", 0.0).stdout.decode().splitlines()
    assert lines[1].split()[1:5] == ["1000", "750", "250", "75%"]


@pytest.mark.parametrize(
    ("command", "error", "status"),
    [
        ("reboot now", "sh: reboot: command not found\n", 127),
        ("cat /nothing", "cat: /nothing: No such file or directory\n", 1),
        ("cat 'unfinished", "sh: No closing quotation\n", 2),
        ("ps -o colour=", 'error: unknown user-defined format specifier "colour"\n', 1),
        ("systemctl restart sendmail", "Failed to restart sendmail.service: Unit sendmail.service not found.\n", 5),
    ],
)
def test_commands_that_fail(command: str, error: str, status: int) -> None:
    result = NODE.run(command, 0.0)
    assert (result.stderr, result.status) == (error, status)


def test_systemctl_asks_for_an_action() -> None:
    assert NODE.run("systemctl restart getEccSoapServer.service", 0.0).action == ("restart", ("ecc",))


@asynccontextmanager
async def logged_in(simulation: Simulation, node: str = "node-cobo0") -> AsyncIterator[asyncssh.SSHClientConnection]:
    key = asyncssh.import_public_key(simulation.announced["host_key"])
    async with asyncssh.connect(
        "127.0.0.1",
        simulation.detector.nodes[node].port,
        username="attpc",
        client_keys=[simulation.detector.data / "id_ed25519"],
        known_hosts=([key], [], []),
        config=None,
    ) as connection:
        yield connection


async def test_processes_live_and_die_with_the_simulated_ones(small: Simulation) -> None:
    async with logged_in(small) as ssh:
        text = str((await ssh.run("ps -A -ww -o pid= -o args=", check=True)).stdout)
        assert f"/usr/local/bin/getEccSoapServer --port {small.port('ecc-cobo0')}" in text
        assert "/usr/local/bin/dataRouter 127.0.0.1:" in text
        await small.fault("router-cobo0", "die")
        assert "dataRouter" not in str((await ssh.run("ps -A -o pid=,comm=")).stdout)
        before = text
        assert (await ssh.run("systemctl restart getEccSoapServer")).exit_status == 0
        assert (await ssh.run("systemctl start dataRouter")).exit_status == 0
        text = str((await ssh.run("ps -A -ww -o pid= -o args=", check=True)).stdout)
        assert "dataRouter" in text
        assert text != before, "new process numbers"
        assert (await ssh.run("nonsense")).exit_status == 127


async def test_only_the_user_with_the_key_gets_in(small: Simulation) -> None:
    port = small.detector.nodes["node-cobo0"].port
    other = asyncssh.generate_private_key("ssh-ed25519")
    mine = small.detector.data / "id_ed25519"
    for user, key in (("attpc", other), ("root", mine)):
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect("127.0.0.1", port, username=user, client_keys=[key], known_hosts=None, config=None)


async def test_files_over_sftp(small: Simulation) -> None:
    staging = small.staging("cobo0")
    (staging / "a.graw").write_bytes(b"data")
    async with logged_in(small) as ssh, ssh.start_sftp_client() as sftp:
        assert "describe-cobo0.xcfg" in await sftp.listdir("/configs")
        assert sorted(await sftp.listdir("/")) == [".", "..", "config_backup", "configs", "logs", "staging"]
        await sftp.makedirs("/staging/exp/run_0001")
        await sftp.rename("/staging/a.graw", "/staging/exp/run_0001/a.graw")
        (staging / "a.graw").write_bytes(b"other")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.rename("/staging/a.graw", "/staging/exp/run_0001/a.graw")
        assert (staging / "exp" / "run_0001" / "a.graw").read_bytes() == b"data"
        async with sftp.open("/config_backup/new", "xb") as file:
            await file.write(b"once")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.open("/config_backup/new", "xb")
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.stat("/../../../etc/passwd")
        assert (await sftp.statvfs("/staging")).bavail > 0


async def test_a_full_disk_shows_in_df_and_statvfs_and_drops_frames(small: Simulation) -> None:
    await small.fault("node-cobo0", "disk_full")
    async with logged_in(small) as ssh, ssh.start_sftp_client() as sftp:
        assert (await sftp.statvfs("/staging")).bavail == 0
        assert str((await ssh.run("df -Pk /staging")).stdout).splitlines()[1].split()[3] == "0"
    for board in ("cobo0", "mutant"):
        await small.go(board, *UP)
    await until(lambda: small.detector.routers["router-cobo0"].frames_dropped > 0)
    assert not small.files("cobo0")


async def test_faults_of_a_node(small: Simulation) -> None:
    async with logged_in(small) as ssh:
        await small.fault("node-cobo0", "hang", times=1)
        asked = asyncio.create_task(ssh.run("date"))
        await until(lambda: small.detector.faults.faults[0].times == 0, "the command is held")
        assert not asked.done()
        await small.clear()
        assert (await asked).exit_status == 0
        await small.fault("node-cobo0", "slow", seconds=0.3, times=1)
        began = asyncio.get_running_loop().time()
        await ssh.run("date")
        assert asyncio.get_running_loop().time() - began >= 0.3
        await small.fault("node-cobo0", "drop", times=1)
        assert (await ssh.run("date")).exit_status is None, "the connection broke"
    async with logged_in(small) as ssh, ssh.start_sftp_client() as sftp:
        await small.fault("node-cobo0", "drop", times=1)
        with pytest.raises(asyncssh.ConnectionLost):
            await sftp.stat("/staging")
    await small.fault("node-cobo0", "die")
    with pytest.raises(OSError, match=r"Connect|refused"):
        async with logged_in(small):
            pass


async def test_host_key_and_files_are_kept_from_one_start_to_the_next(small: Simulation, tmp_path: Path) -> None:
    key = tmp_path / "ssh_host_ed25519_key"
    assert key.stat().st_mode & 0o777 == 0o600
    mine = small.detector.root("node-cobo0") / "configs" / "configure-experiment.xcfg"
    mine.write_text("mine")
    (mine.parent / "describe-cobo1.xcfg").unlink()
    before = os.fsdecode(key.read_bytes())
    await small.detector.stop()
    again = type(small.detector)(small.detector.description, tmp_path, small.detector.clock)
    await again.start()
    assert os.fsdecode(key.read_bytes()) == before
    assert mine.read_text() == "mine"
    assert (mine.parent / "describe-cobo1.xcfg").exists()
    await again.stop()
