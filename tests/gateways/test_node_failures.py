"""Every way in which a node can fail over SSH, and what is then true (against a simulated node)."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

from attpcdaq.gateways.errors import NoAnswer, Refused, Unreachable
from attpcdaq.gateways.node_connection import SshIdentity
from attpcdaq.gateways.node_ssh import NodeSsh
from attpcdaq.gateways.ports import CommandResult, NodeAddress, RouterReading
from get_simulator.faults import Fault, FaultKind
from tests.gateways.fault_server import Behaviour, Peer, Proxy, for_ever, serving
from tests.gateways.node_stands import SimulatedNodeStand, same

LIMIT = 10.0
SOON = 0.5


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[SimulatedNodeStand]:
    node = SimulatedNodeStand(tmp_path)
    await node.start()
    yield node
    await node.close()


@contextlib.asynccontextmanager
async def as_who(stand: SimulatedNodeStand, identity: SshIdentity) -> AsyncIterator[NodeSsh]:
    nodes = NodeSsh(identity)
    yield nodes
    await nodes.close()


@contextlib.asynccontextmanager
async def through(stand: SimulatedNodeStand) -> AsyncIterator[tuple[Proxy, NodeAddress]]:
    """A proxy before the node, with the same host key at its own port."""
    proxy = Proxy(stand.node.port)
    async with serving(proxy.behave) as server:
        known = stand.known_hosts.read_text().replace(f":{stand.node.port} ", f":{server.port} ")
        stand.known_hosts.write_text(known)
        yield proxy, NodeAddress("node-cobo0", "127.0.0.1", server.port)


async def test_without_keys_nothing_is_tried(stand: SimulatedNodeStand) -> None:
    async with as_who(stand, SshIdentity("attpc", None, stand.known_hosts)) as nodes:
        with pytest.raises(Unreachable, match="ATTPCDAQ_SSH_KEY is not set"):
            await nodes.list_graw(stand.node, "/staging", LIMIT)


async def test_a_key_of_ours_that_is_none_is_not_said_to_be_the_nodes_fault(
    stand: SimulatedNodeStand, tmp_path: Path
) -> None:
    (tmp_path / "nonsense").write_text("nonsense")
    for name, words in (("nonsense", "cannot be used: Invalid private key"), ("none", "cannot be read: No such file")):
        async with as_who(stand, SshIdentity("attpc", tmp_path / name, stand.known_hosts)) as nodes:
            with pytest.raises(Unreachable, match=f"our private key {tmp_path / name} {words}"):
                await nodes.list_graw(stand.node, "/staging", LIMIT)


async def test_an_unknown_host_key_is_refused_and_its_fingerprint_told(stand: SimulatedNodeStand) -> None:
    shown = await stand.port.read_host_key(stand.node, LIMIT)
    stand.known_hosts.write_text("")
    for known in (None, stand.known_hosts, stand.known_hosts.with_name("not-there")):
        async with as_who(stand, SshIdentity("attpc", stand.key, known)) as nodes:
            with pytest.raises(Unreachable, match=r"host key is not known\. .*pins it on the Setup page") as told:
                await nodes.list_graw(stand.node, "/staging", LIMIT)
            assert shown.fingerprint in str(told.value)


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_a_changed_host_key_is_refused_loud_with_both_fingerprints(stand: SimulatedNodeStand, kind: str) -> None:
    """Even where the node has no key of the pinned kind any more."""
    shown = await stand.port.read_host_key(stand.node, LIMIT)
    other = asyncssh.generate_private_key(kind)
    public = other.export_public_key().decode()
    stand.known_hosts.write_text(f"[127.0.0.1]:{stand.node.port} {public}")
    pinned = dataclasses.replace(stand.node, host_keys=(public,))
    for known, node in ((stand.known_hosts, stand.node), (None, pinned)):
        async with as_who(stand, SshIdentity("attpc", stand.key, known)) as nodes:
            with pytest.raises(Unreachable, match="ITS HOST KEY HAS CHANGED") as told:
                await nodes.list_graw(node, "/staging", LIMIT)
            assert shown.fingerprint in str(told.value)
            assert other.get_fingerprint() in str(told.value)


async def test_a_pinned_key_counts_as_much_as_the_file(stand: SimulatedNodeStand) -> None:
    shown = await stand.port.read_host_key(stand.node, LIMIT)
    pinned = dataclasses.replace(stand.node, host_keys=(shown.key,))
    async with as_who(stand, SshIdentity("attpc", stand.key, None)) as nodes:
        assert await nodes.list_graw(pinned, "/staging", LIMIT) == ()
        with pytest.raises(Unreachable, match="host key is not known"):
            await nodes.list_graw(stand.node, "/staging", LIMIT)


async def test_what_is_pinned_must_be_a_key(stand: SimulatedNodeStand) -> None:
    broken = dataclasses.replace(stand.node, host_keys=("ssh-ed25519 nonsense",))
    with pytest.raises(Unreachable, match="its pinned host key 'ssh-ed25519 nonsense' is no key"):
        await stand.port.list_graw(broken, "/staging", LIMIT)


async def test_a_key_or_user_that_the_node_does_not_know(stand: SimulatedNodeStand, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(stranger))
    for identity in (
        SshIdentity("attpc", stranger, stand.known_hosts),
        SshIdentity("nobody", stand.key, stand.known_hosts),
    ):
        async with as_who(stand, identity) as nodes:
            with pytest.raises(Unreachable, match=f"does not let '{identity.user}' in with the key"):
                await nodes.list_graw(stand.node, "/staging", LIMIT)


async def test_a_user_of_the_node_comes_before_that_of_the_settings(stand: SimulatedNodeStand) -> None:
    async with as_who(stand, SshIdentity("nobody", stand.key, stand.known_hosts)) as nodes:
        node = NodeAddress("node-cobo0", "127.0.0.1", stand.node.port, "attpc")
        assert await nodes.list_graw(node, "/staging", LIMIT) == ()


@pytest.mark.parametrize("content", ["", "no key at all"])
async def test_a_key_file_that_is_none(stand: SimulatedNodeStand, tmp_path: Path, content: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text(content)
    async with as_who(stand, SshIdentity("attpc", broken, stand.known_hosts)) as nodes:
        with pytest.raises(Unreachable, match="node-cobo0"):
            await nodes.list_graw(stand.node, "/staging", LIMIT)


async def garbage(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50)


async def close_at_once(peer: Peer) -> None:
    return


@pytest.mark.parametrize("behaviour", [garbage, close_at_once, for_ever])
async def test_what_is_no_ssh_server_is_unreachable(stand: SimulatedNodeStand, behaviour: Behaviour) -> None:
    async with serving(behaviour) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="node-cobo0"):
            await stand.port.list_graw(NodeAddress("node-cobo0", "127.0.0.1", server.port), "/staging", SOON)
        assert time.monotonic() - began < SOON + 1.5


async def test_an_unknown_host_is_unreachable(stand: SimulatedNodeStand) -> None:
    with pytest.raises(Unreachable, match="node-cobo0"):
        await stand.port.list_graw(NodeAddress("node-cobo0", "no-such-host.invalid", 22), "/staging", LIMIT)


async def test_one_connection_serves_many_calls(stand: SimulatedNodeStand) -> None:
    async with through(stand) as (proxy, node):
        for _ in range(5):
            await stand.port.read_routers(node, [stand.query], LIMIT)
        await asyncio.gather(*(stand.port.list_graw(node, "/staging", LIMIT) for _ in range(5)))
        assert proxy.connections == 1


async def test_a_silent_node_costs_the_deadline_and_recovers(stand: SimulatedNodeStand) -> None:
    async with through(stand) as (proxy, node):
        await stand.port.list_graw(node, "/staging", LIMIT)
        proxy.stop()
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=r"no answer within 0\.5 s"):
            await stand.port.read_routers(node, [stand.query], SOON)
        with pytest.raises(Unreachable, match=r"no connection within 0\.5 s"):
            await stand.port.read_routers(node, [stand.query], SOON)
        assert time.monotonic() - began < 2 * SOON + 2.0
        proxy.go_on()
        assert await stand.port.list_graw(node, "/staging", LIMIT) == ()


async def test_a_connection_cut_in_the_middle_leaves_the_outcome_open(stand: SimulatedNodeStand) -> None:
    stand.write("/staging/a.graw", b"x")
    async with through(stand) as (proxy, node):
        await stand.port.list_graw(node, "/staging", LIMIT)
        proxy.stop()
        call = asyncio.create_task(
            stand.port.move_files(node, "/staging", same(["a.graw"]), "/staging/e/run_0001", LIMIT)
        )
        await asyncio.sleep(0)
        proxy.cut()
        proxy.go_on()
        with pytest.raises(NoAnswer, match=r"node-cobo0.*connection was lost"):
            await call
        assert [file.name for file in await stand.port.list_graw(node, "/staging", LIMIT)] == ["a.graw"]


async def test_a_hanging_node_fails_its_deadline_and_the_moved_file_is_found_later(stand: SimulatedNodeStand) -> None:
    stand.write("/staging/a.graw", b"x")
    await stand.port.list_graw(stand.node, "/staging", LIMIT)
    stand.detector.set_fault(Fault("node-cobo0", FaultKind.HANG))
    with pytest.raises(NoAnswer):
        await stand.port.move_files(stand.node, "/staging", same(["a.graw"]), "/staging/e/run_0001", SOON)
    stand.detector.clear_faults(None)
    left = await stand.port.list_graw(stand.node, "/staging", LIMIT)
    assert [file.name for file in left] == ["a.graw"]


async def test_a_directory_that_cannot_be_made_is_named(stand: SimulatedNodeStand) -> None:
    stand.write("/configs/mine.xcfg", b"x")
    stand.write("/backup", b"a file where a directory should be")
    with pytest.raises(Refused, match=r"the directory /backup cannot be made"):
        await stand.port.copy_files(stand.node, "/configs", ["mine.xcfg"], "/backup/e1", LIMIT)


async def test_names_that_are_not_utf8_hide_nothing(stand: SimulatedNodeStand) -> None:
    stand.write("/staging/a.graw", b"x")
    (Path(str(stand.base)) / "staging").joinpath(b"b\xff.graw".decode(errors="surrogateescape")).touch()
    assert [file.name for file in await stand.port.list_graw(stand.node, "/staging", LIMIT)] == ["a.graw"]


async def test_a_restart_command_makes_another_process(stand: SimulatedNodeStand) -> None:
    await stand.start_router()
    pids = []
    for _ in range(2):
        seen = (await stand.port.read_routers(stand.node, [stand.query], LIMIT))["router-cobo0"]
        assert isinstance(seen, RouterReading)
        pids.append(seen.pid)
        result = await stand.port.run_command(stand.node, "systemctl restart router-cobo0", LIMIT)
        assert result == CommandResult(0, "")
    assert None not in pids
    assert pids[0] != pids[1]


async def test_a_restart_command_that_fails_says_why(stand: SimulatedNodeStand) -> None:
    unknown = await stand.port.run_command(stand.node, "systemctl restart nothing", LIMIT)
    assert unknown == CommandResult(5, "Failed to restart nothing.service: Unit nothing.service not found.")
    stand.detector.set_fault(Fault("node-cobo0", FaultKind.FAIL, message="a timeout was exceeded", times=1))
    failed = await stand.port.run_command(stand.node, "systemctl restart router-cobo0", LIMIT)
    assert failed == CommandResult(1, "a timeout was exceeded")
    assert stand.detector.routers["router-cobo0"].alive is False
    assert (await stand.port.run_command(stand.node, "systemctl restart router-cobo0", LIMIT)).exit_status == 0


async def test_a_command_that_never_ends_is_given_up_at_its_deadline(stand: SimulatedNodeStand) -> None:
    assert (await stand.port.run_command(stand.node, "true", LIMIT)).exit_status == 0
    stand.detector.set_fault(Fault("node-cobo0", FaultKind.HANG))
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=f"node-cobo0.*no answer within {SOON:g} s"):
        await stand.port.run_command(stand.node, "systemctl restart router-cobo0", SOON)
    assert time.monotonic() - began < SOON + 1.0
    stand.detector.clear_faults(None)
    assert (await stand.port.run_command(stand.node, "true", LIMIT)).exit_status == 0


async def test_a_command_whose_connection_breaks_has_an_unknown_outcome(stand: SimulatedNodeStand) -> None:
    assert (await stand.port.run_command(stand.node, "true", LIMIT)).exit_status == 0
    stand.detector.set_fault(Fault("node-cobo0", FaultKind.DROP, times=1))
    with pytest.raises(NoAnswer, match=r"node-cobo0 .*the connection was lost"):
        await stand.port.run_command(stand.node, "systemctl restart router-cobo0", LIMIT)
