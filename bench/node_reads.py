"""What reading nodes costs, here and there: eleven nodes behind OpenSSH's sshd, their data routers writing."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.node_ssh import NodeSsh
from attpcdaq.gateways.ports import NodeAddress, RouterQuery, RouterReading
from attpcdaq.monitor.poller import Pace
from bench.figures import Figure
from bench.graw import small_frame
from bench.processes import cpu_seconds_of_family
from tests.services.processes import free_port
from tests.services.sshd import Sshd, running_sshd

NODES, OLD_FILES, WRITTEN_FILES = 11, 36, 4
EVERY, DEADLINE = Pace().node_every, Pace().node_deadline
TRIALS, TRIAL_S = 3, 12.0

# Listens where it is told to, and appends ten frames a second to each of its files.
ROUTER = """\
import socket, sys, time
port, directory, files = int(sys.argv[2].rpartition(":")[2]), sys.argv[3], int(sys.argv[4])
listening = socket.create_server(("127.0.0.1", port))
frame, event = bytearray(open(directory + "/../frame", "rb").read()), 0
while True:
    for _ in range(10):
        event += 1
        frame[22:26] = event.to_bytes(4, "big")
        for number in range(files):
            with open(f"{directory}/CoBo0_AsAd{number}_2026-11-22T10:00:00.000_0000.graw", "ab") as file:
                file.write(frame)
    time.sleep(1.0)  # the pace of its boards: nobody waits for it
"""

Watched = tuple[NodeAddress, RouterQuery]


def both_ends() -> dict[str, Figure]:
    """CPU while every node is read as the monitor does: of this process, and of a node's sshd and what it runs."""
    with running_sshd() as sshd, _nodes(sshd) as nodes:
        here, there = asyncio.run(_measure(sshd, nodes))
    what = f"{OLD_FILES + WRITTEN_FILES} files in each staging directory, {WRITTEN_FILES} of them growing"
    return {"node_reads_here": Figure(tuple(here), what), "node_reads_there": Figure(tuple(there), what)}


async def _measure(sshd: Sshd, nodes: Sequence[Watched]) -> tuple[list[float], list[float]]:
    port = NodeSsh(SshIdentity(sshd.user, sshd.key, sshd.known_hosts))
    for node, query in nodes:  # one after the other: sshd turns away many that come at once
        await _read(port, node, query)
    here, there = [], []
    for _ in range(TRIALS):
        began, ours, theirs = time.monotonic(), time.process_time(), cpu_seconds_of_family(sshd.process.pid)
        readings = (_steadily(port, *one, began + number * EVERY / NODES) for number, one in enumerate(nodes))
        await asyncio.gather(*readings)
        took = time.monotonic() - began
        here.append(100 * (time.process_time() - ours) / took)
        there.append(100 * (cpu_seconds_of_family(sshd.process.pid) - theirs) / took / NODES)
    await port.close()
    return here, there


async def _steadily(port: NodeSsh, node: NodeAddress, query: RouterQuery, due: float) -> None:
    for _ in range(round(TRIAL_S / EVERY)):
        await asyncio.sleep(due - time.monotonic())
        await _read(port, node, query)
        due += EVERY


async def _read(port: NodeSsh, node: NodeAddress, query: RouterQuery) -> None:
    seen = (await port.read_routers(node, [query], DEADLINE))[query.name]
    if not isinstance(seen, RouterReading) or not seen.online or not seen.files:
        raise RuntimeError(f"{node.name} was not read as it should be: {seen}")


@contextmanager
def _nodes(sshd: Sshd) -> Iterator[list[Watched]]:
    """Directories and data routers, all behind the same sshd, which has a session for each."""
    program = sshd.files / "dataRouter"
    program.write_text(ROUTER)
    (sshd.files / "frame").write_bytes(small_frame())
    found, routers = [], []
    try:
        for number in range(NODES):
            name, port = f"node{number}", free_port()
            staging = _staging(sshd.files / name)
            words = [sys.executable, program, "127.0.0.1:46003", f"127.0.0.1:{port}", staging, str(WRITTEN_FILES)]
            routers.append(subprocess.Popen(words))
            found.append((NodeAddress(name, sshd.host, sshd.port), RouterQuery(name, "dataRouter", port, str(staging))))
        yield found
    finally:
        for router in routers:
            router.kill()
            router.wait()


def _staging(directory: Path) -> Path:
    directory.mkdir()
    for number in range(OLD_FILES):
        name = f"CoBo0_AsAd{number % 4}_2026-11-22T09:00:00.{number:03d}_0000.graw"
        (directory / name).write_bytes(small_frame())
    return directory
