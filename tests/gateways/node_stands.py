"""A node to hold the port against: in memory, simulated, or the machine itself behind OpenSSH's sshd."""

import posixpath
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import asyncssh
import psutil

from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.node_ssh import NodeSsh
from attpcdaq.gateways.ports import NodeAddress, NodePort, RouterQuery
from attpcdaq.testing.memory_nodes import MemoryNodes
from get_simulator.clock import SystemClock
from get_simulator.description_file import describe
from get_simulator.detector import Detector
from get_simulator.faults import Fault, FaultKind
from tests.services.processes import free_port
from tests.services.sshd import Sshd

ROUTER_SCRIPT = f"""\
#!{sys.executable}
import socket, sys
if sys.argv[-1] != "deaf":
    listening = socket.create_server(("127.0.0.1", int(sys.argv[2].rpartition(":")[2])))
sys.stdin.read()
"""


class NodeStand(Protocol):
    """One node with an empty staging directory `{root}/staging`; its data router does not run at the beginning."""

    port: NodePort
    node: NodeAddress
    root: str
    home: str
    query: RouterQuery

    def write(self, path: str, data: bytes) -> None: ...
    def read(self, path: str) -> bytes: ...
    def names(self, directory: str) -> list[str]: ...
    async def start_router(self, *, deaf: bool = False) -> None: ...
    async def stop_router(self) -> None: ...
    def lose_connections(self) -> None: ...
    def die(self) -> None: ...
    async def close(self) -> None: ...


class MemoryNodeStand:
    """The twin."""

    root = ""
    home = "/home/attpc"
    query = RouterQuery("router-cobo0", "dataRouter", 46005, "/staging")

    def __init__(self) -> None:
        self.twin = MemoryNodes()
        self.port: NodePort = self.twin
        self.node = NodeAddress("node-cobo0", "127.0.0.1", 22)
        self.twin.add("node-cobo0")
        self.twin.make_directory("node-cobo0", "/staging")

    def write(self, path: str, data: bytes) -> None:
        self.twin.write("node-cobo0", path, data)

    def read(self, path: str) -> bytes:
        return self.twin.read("node-cobo0", path)

    def names(self, directory: str) -> list[str]:
        return list(self.twin.names("node-cobo0", directory))

    async def start_router(self, *, deaf: bool = False) -> None:
        self.twin.start_router("node-cobo0", 46005)
        self.twin.nodes["node-cobo0"].deaf[46005] = deaf

    async def stop_router(self) -> None:
        self.twin.stop_router("node-cobo0", 46005)

    def lose_connections(self) -> None:
        """It has none."""

    def die(self) -> None:
        self.twin.take_down("node-cobo0")

    async def close(self) -> None:
        await self.port.close()


class _Directory:
    """Files of a node that lie in a directory of this machine, `base` before the path on the node."""

    base: Path

    def write(self, path: str, data: bytes) -> None:
        real = self.base / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(data)

    def read(self, path: str) -> bytes:
        return (self.base / path.lstrip("/")).read_bytes()

    def names(self, directory: str) -> list[str]:
        return sorted(one.name for one in (self.base / directory.lstrip("/")).iterdir() if one.is_file())


class SimulatedNodeStand(_Directory):
    """The real gateway against a simulated node in the same event loop."""

    root = home = ""

    def __init__(self, data: Path) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.key, self.known_hosts = data / "id_ed25519", data / "known_hosts"
        key.write_private_key(str(self.key))
        key.write_public_key(str(data / "authorized_keys"))
        ports = {"ecc_port": 0, "data_port": 0, "ssh_port": 0, "control_port": 0}
        tables = {
            "detector": {"cobos": 1, "mutant": "none", **ports},
            "ssh": {"user": "attpc", "authorized_keys": str(data / "authorized_keys")},
        }
        self.detector = Detector(describe(tables), data, SystemClock())
        self.base = self.detector.root("node-cobo0")

    async def start(self) -> None:
        await self.detector.start()
        self.detector.kill("router-cobo0", "test")
        assert self.detector.host_key is not None
        self.node = NodeAddress("node-cobo0", "127.0.0.1", self.detector.nodes["node-cobo0"].port)
        public = self.detector.host_key.export_public_key().decode()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.node.port} {public}")
        self.query = RouterQuery("router-cobo0", "dataRouter", self.detector.routers["router-cobo0"].port, "/staging")
        self.port: NodePort = NodeSsh(SshIdentity("attpc", self.key, self.known_hosts))

    async def start_router(self, *, deaf: bool = False) -> None:
        if deaf:
            self.detector.set_fault(Fault("router-cobo0", FaultKind.DEAF))
        await self.detector.restart("router-cobo0")

    async def stop_router(self) -> None:
        self.detector.kill("router-cobo0", "test")

    def lose_connections(self) -> None:
        for connection in list(self.detector.nodes["node-cobo0"].connections):
            connection.abort()

    def die(self) -> None:
        self.detector.kill("node-cobo0", "test")

    async def close(self) -> None:
        await self.port.close()
        await self.detector.stop()


class SshdNodeStand(_Directory):
    """The real gateway against this machine; every test has a directory of its own below the server's."""

    base = Path("/")

    def __init__(self, sshd: Sshd, name: str) -> None:
        self._sshd = sshd
        self.root = str(sshd.files / name)
        Path(self.root, "staging").mkdir(parents=True)
        self.node = NodeAddress("node-cobo0", sshd.host, sshd.port)
        self.home = str(Path.home())
        self._data_port = free_port()
        self.query = RouterQuery("router-cobo0", "dataRouter", self._data_port, f"{self.root}/staging")
        self.port: NodePort = NodeSsh(SshIdentity(sshd.user, sshd.key, sshd.known_hosts))
        self._router: subprocess.Popen[bytes] | None = None

    async def start_router(self, *, deaf: bool = False) -> None:
        self._end_router()
        self._begin_router(["deaf"] if deaf else [])

    async def stop_router(self) -> None:
        self._end_router()

    def _begin_router(self, words: list[str]) -> None:
        program = Path(self.root, "dataRouter")
        program.write_text(ROUTER_SCRIPT)
        program.chmod(0o755)
        addresses = ["127.0.0.1:46003", f"127.0.0.1:{self._data_port}"]
        self._router = subprocess.Popen([program, *addresses, "TCP", "FrameStorage", *words], stdin=subprocess.PIPE)

    def _end_router(self) -> None:
        if self._router is not None:
            self._router.communicate()
            self._router = None

    def lose_connections(self) -> None:
        """End the server's sessions: its child processes."""
        for session in psutil.Process(self._sshd.process.pid).children():
            session.terminate()

    def die(self) -> None:
        self.node = NodeAddress(self.node.name, self.node.host, 1)

    async def close(self) -> None:
        await self.stop_router()
        await self.port.close()


def join(*parts: str) -> str:
    """A path on a node."""
    return posixpath.join(*parts)


def same(names: Sequence[str]) -> dict[str, str]:
    """Moves that keep the names."""
    return {name: name for name in names}
