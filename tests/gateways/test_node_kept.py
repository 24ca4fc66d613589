"""One connection is kept per node, survives what nodes do, and trusts only what is trusted now."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncssh
import pytest

from attpcdaq.gateways.errors import GatewayError, NoAnswer, Unreachable
from attpcdaq.gateways.node_connection import LONGEST_PAUSE_S, NodeConnections, SshIdentity
from attpcdaq.gateways.node_ssh import NodeSsh
from attpcdaq.gateways.ports import NodeAddress
from get_simulator.faults import Fault, FaultKind
from tests.gateways.fault_server import Proxy, serving
from tests.gateways.node_stands import SimulatedNodeStand, SshdNodeStand
from tests.services.sshd import Sshd

LIMIT = 10.0


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[SimulatedNodeStand]:
    node = SimulatedNodeStand(tmp_path)
    await node.start()
    yield node
    await node.close()


@contextlib.asynccontextmanager
async def behind(stand: SimulatedNodeStand, **options: float) -> AsyncIterator[tuple[NodeSsh, Proxy, NodeAddress]]:
    """A gateway of its own, which reaches the node through a proxy."""
    proxy = Proxy(stand.node.port)
    async with serving(proxy.behave) as server:
        known = stand.known_hosts.read_text().replace(f":{stand.node.port} ", f":{server.port} ")
        stand.known_hosts.write_text(known)
        nodes = NodeSsh(SshIdentity("attpc", stand.key, stand.known_hosts, **options))
        yield nodes, proxy, NodeAddress("node-cobo0", "127.0.0.1", server.port)
        await nodes.close()


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def works(nodes: NodeSsh, node: NodeAddress) -> bool:
    try:
        return await nodes.list_graw(node, "/staging", LIMIT) == ()
    except GatewayError:
        return False


async def test_a_reboot_is_survived_and_found_out_soon(stand: SimulatedNodeStand) -> None:
    assert await works(stand.port, stand.node)
    stand.detector.kill("node-cobo0", "test")
    for _ in range(8):  # long enough for the longest pause
        with pytest.raises((Unreachable, NoAnswer)):
            await stand.port.list_graw(stand.node, "/staging", 0.5)
    await stand.detector.restart("node-cobo0")
    up = time.monotonic()
    assert await works(stand.port, stand.node)
    assert time.monotonic() - up < LONGEST_PAUSE_S + 2.0


async def test_while_a_node_is_away_the_reason_is_told_at_once_where_there_is_no_time_to_try(
    stand: SimulatedNodeStand,
) -> None:
    stand.detector.kill("node-cobo0", "test")
    async with asyncio.timeout(LIMIT):
        while True:
            began = time.monotonic()
            with pytest.raises(Unreachable, match="connection refused: nothing listens there"):
                await stand.port.list_graw(stand.node, "/staging", 0.3)
            if time.monotonic() - began < 0.01:  # 0.1, 0.2, then 0.4 s until the next try
                return


async def test_a_node_that_was_switched_off_is_noticed_though_nobody_asks(stand: SimulatedNodeStand) -> None:
    async with behind(stand, keepalive=0.05) as (nodes, proxy, node):
        assert await works(nodes, node)
        first = list(stand.detector.nodes["node-cobo0"].connections)
        proxy.stop()
        connections = nodes._connections._slots[node]
        await until(lambda: connections.link is not None and connections.link.connection.is_closed())
        proxy.go_on()
        assert await works(nodes, node)
        assert proxy.connections == 2
        assert len(first) == 1


async def test_a_connection_is_not_used_on_when_its_key_is_no_longer_pinned(stand: SimulatedNodeStand) -> None:
    shown = await stand.port.read_host_key(stand.node, LIMIT)
    pinned = dataclasses.replace(stand.node, host_keys=(shown.key,))
    nodes = NodeSsh(SshIdentity("attpc", stand.key, None))
    assert await works(nodes, pinned)
    connections = stand.detector.nodes["node-cobo0"].connections
    assert len(connections) == 1
    with pytest.raises(Unreachable, match="host key is not known"):
        await nodes.list_graw(stand.node, "/staging", LIMIT)
    await until(lambda: not connections)
    await nodes.close()


async def test_what_is_under_way_ends_before_its_old_connection_does(stand: SimulatedNodeStand) -> None:
    assert await works(stand.port, stand.node)
    stand.detector.set_fault(Fault("node-cobo0", FaultKind.SLOW, seconds=0.3, times=1))
    call = asyncio.create_task(stand.port.list_graw(stand.node, "/staging", LIMIT))
    await asyncio.sleep(0)
    shown = await stand.port.read_host_key(stand.node, LIMIT)
    assert await works(stand.port, dataclasses.replace(stand.node, host_keys=(shown.key,)))
    assert await call == ()
    await until(lambda: len(stand.detector.nodes["node-cobo0"].connections) == 1)


@pytest.mark.services
async def test_an_answer_that_nobody_waited_for_is_none_to_the_next_question(sshd: Sshd, tmp_path: Path) -> None:
    there = SshdNodeStand(sshd, tmp_path.name)
    connections = NodeConnections(SshIdentity(sshd.user, sshd.key, sshd.known_hosts))
    async with connections.link(there.node, LIMIT) as link:
        assert (await link.shell.look("echo first")).text.strip() == "first"
        given_up = asyncio.create_task(link.shell.look(f"echo old; touch {there.root}/begun; sleep 0.3"))
        await until(Path(there.root, "begun").exists)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert (await link.shell.look("echo new")).text.strip() == "new"
    await connections.close()
    await there.close()


async def test_a_wrong_clock_is_told_with_its_sign(stand: SimulatedNodeStand) -> None:
    for seconds in (0.4, -3600.0):
        stand.detector.set_fault(Fault("node-cobo0", FaultKind.CLOCK, seconds=seconds))
        clock = await stand.port.read_clock(stand.node, LIMIT)
        assert clock.offset == pytest.approx(seconds, abs=clock.error + 0.01)
        stand.detector.clear_faults("node-cobo0")


async def test_a_node_that_offers_commands_but_no_files(tmp_path: Path) -> None:
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    client.write_private_key(str(tmp_path / "key"))
    client.write_public_key(str(tmp_path / "authorized"))
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[host], authorized_client_keys=str(tmp_path / "authorized")
    )
    pinned = host.export_public_key().decode()
    node = NodeAddress("node-cobo0", "127.0.0.1", server.sockets[0].getsockname()[1], "attpc", host_keys=(pinned,))
    nodes = NodeSsh(SshIdentity("attpc", tmp_path / "key", None))
    with pytest.raises(Unreachable, match=r"node-cobo0 .*it offers no SFTP"):
        await nodes.list_graw(node, "/staging", LIMIT)
    await nodes.close()
    server.close()
