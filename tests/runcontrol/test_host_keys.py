"""Host keys: read when asked for, trusted only by an expert's explicit act."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from pytest_django import Settings

from attpcdaq.audit.models import Entry
from attpcdaq.audit.people import Requester
from attpcdaq.gateways.errors import Unreachable
from attpcdaq.gateways.ports import NodeAddress, ShownKey
from attpcdaq.live.models import Event
from attpcdaq.runcontrol.asking import host_keys
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.runcontrol.doing.host_keys import read
from attpcdaq.runcontrol.doing.outside import Outside
from attpcdaq.runcontrol.seeing.host_keys import READ_WITHIN, NodeKeys, node_keys, of
from attpcdaq.testing.builders import build_detector, memory_nodes
from attpcdaq.testing.memory_ecc import MemoryEcc
from attpcdaq.testing.memory_nodes import MemoryNodes
from attpcdaq.topology.models import HostKey, Node, SeenHostKey
from attpcdaq.topology.setup_store import read as read_setup
from attpcdaq.topology.setup_store import write as write_setup
from attpcdaq.topology.wiring import node_address

pytestmark = pytest.mark.django_db
EXPERT = Requester("sam", role="expert", origin="10.0.0.7")
NAME = "node-cobo0"


def key_of(kind: str = "ssh-ed25519") -> ShownKey:
    """A key that no other test has."""
    key = asyncssh.generate_private_key(kind)
    return ShownKey(" ".join(key.export_public_key().decode().split()[:2]), key.get_fingerprint())


@pytest.fixture
def nodes(settings: Settings) -> MemoryNodes:
    settings.SSH_KNOWN_HOSTS = None
    return memory_nodes(build_detector(cobos=1))


def shows(nodes: MemoryNodes, shown: ShownKey | None = None) -> ShownKey:
    """Let the node show a key, and read it as the button does."""
    shown = shown or key_of()
    nodes.nodes[NAME].host_key = shown
    node = host_keys.ask(NAME, EXPERT, timezone.now())
    assert read(node.pk, outside(nodes))
    return shown


def outside(nodes: MemoryNodes) -> Callable[[], Outside]:
    return lambda: Outside(MemoryEcc(), nodes)


def pin(fingerprint: str, reason: str = "", name: str = NAME) -> HostKey:
    return host_keys.pin(name, fingerprint, EXPERT, timezone.now(), reason)


def seen() -> NodeKeys:
    found = of(NAME, timezone.now())
    assert found is not None
    return found


def lines() -> list[tuple[str, str, str, str]]:
    return [(e.who, e.subject, e.outcome, e.text) for e in Entry.objects.filter(what="host key").order_by("id")]


def test_nothing_is_trusted_at_first(nodes: MemoryNodes) -> None:
    assert [one.standing for one in node_keys(timezone.now())] == ["none", "none"]
    assert node_address(Node.objects.get(name=NAME)).host_keys == ()


def test_reading_trusts_nothing(nodes: MemoryNodes) -> None:
    shown = shows(nodes)
    found = seen()
    assert (found.standing, found.shown, found.trusted) == ("unknown", shown.fingerprint, ())
    assert (found.asked_by, found.reading, found.may_pin, found.needs_reason) == ("sam", False, True, False)
    assert not HostKey.objects.exists()
    assert Event.objects.filter(topic="setup", subject=NAME, text=f"shows the host key {shown.fingerprint}").exists()


def test_a_pinned_key_is_given_to_the_gateway(nodes: MemoryNodes) -> None:
    shown = shows(nodes)
    pin(shown.fingerprint)
    assert node_address(Node.objects.get(name=NAME)).host_keys == (shown.key,)
    found = seen()
    assert (found.standing, found.may_pin) == ("trusted", False)
    assert (found.trusted[0].by, found.trusted[0].kind) == ("sam", "ssh-ed25519")
    assert lines() == [
        ("sam", NAME, "done", "Its key is read."),
        ("sam", NAME, "done", f"host key {shown.fingerprint} pinned"),
    ]


def test_another_key_than_the_one_shown_now_is_refused(nodes: MemoryNodes) -> None:
    """The page was looked at, then the node showed another key: what was compared is not what would be trusted."""
    first = shows(nodes)
    second = shows(nodes)
    with pytest.raises(CommandRefused, match="when it was last read, another key: look again"):
        pin(first.fingerprint)
    assert not HostKey.objects.exists()
    assert lines()[-1][2] == "refused"
    assert second.fingerprint in lines()[-1][3]


@pytest.mark.parametrize("fingerprint", ["", "SHA256:x", "x" * 500, "SHA256:\0"])
def test_what_was_never_read_is_refused(nodes: MemoryNodes, fingerprint: str) -> None:
    with pytest.raises(CommandRefused, match="No key of node-cobo0 was read"):
        pin(fingerprint)


def test_an_asked_but_unread_key_is_not_an_empty_fingerprint(nodes: MemoryNodes) -> None:
    host_keys.ask(NAME, EXPERT, timezone.now())
    with pytest.raises(CommandRefused, match="No key of node-cobo0 was read"):
        pin("")


def test_a_changed_key_is_loud_and_needs_a_reason(nodes: MemoryNodes) -> None:
    old = shows(nodes)
    pin(old.fingerprint)
    new = shows(nodes)
    found = seen()
    assert (found.standing, found.shown, found.trusted[0].fingerprint) == ("changed", new.fingerprint, old.fingerprint)
    assert (found.may_pin, found.needs_reason) == (True, True)
    assert node_keys(timezone.now())[0].name == NAME
    for reason in ("", "   ", "x" * 201, "two\nlines"):
        with pytest.raises(BadCommand, match="say why this one is right too"):
            pin(new.fingerprint, reason)
    assert HostKey.objects.count() == 1
    assert pin(new.fingerprint, " installed anew ").reason == "installed anew"
    assert lines()[-1][3] == f"host key {new.fingerprint} pinned: installed anew"


def test_another_kind_of_key_is_no_changed_key(nodes: MemoryNodes) -> None:
    pin(shows(nodes).fingerprint)
    shows(nodes, key_of("ecdsa-sha2-nistp256"))
    assert seen().standing == "other"
    assert seen().needs_reason


def test_pinned_twice_is_refused(nodes: MemoryNodes) -> None:
    shown = shows(nodes)
    pin(shown.fingerprint)
    with pytest.raises(CommandRefused, match="is pinned already, by sam"):
        pin(shown.fingerprint, "again")
    assert HostKey.objects.count() == 1


def test_unpinned_is_trusted_no_longer(nodes: MemoryNodes) -> None:
    shown = shows(nodes)
    pin(shown.fingerprint)
    host_keys.unpin(NAME, shown.fingerprint, EXPERT, timezone.now())
    assert node_address(Node.objects.get(name=NAME)).host_keys == ()
    assert lines()[-1][3] == f"host key {shown.fingerprint} no longer pinned"
    for gone in (shown.fingerprint, "", "SHA256:\0"):
        with pytest.raises(CommandRefused, match="No such key of node-cobo0 is pinned"):
            host_keys.unpin(NAME, gone, EXPERT, timezone.now())


def test_a_key_of_another_node_is_not_unpinned(nodes: MemoryNodes) -> None:
    shown = shows(nodes)
    pin(shown.fingerprint)
    with pytest.raises(CommandRefused):
        host_keys.unpin("node-mutant", shown.fingerprint, EXPERT, timezone.now())
    assert HostKey.objects.count() == 1


@pytest.mark.parametrize("name", ["", "nowhere", "x" * 300, "a\0b", "node-cobo0\n"])
def test_an_unknown_node_is_named(nodes: MemoryNodes, name: str) -> None:
    for act in (
        lambda: host_keys.ask(name, EXPERT, timezone.now()),
        lambda: pin("SHA256:x", name=name),
        lambda: host_keys.unpin(name, "SHA256:x", EXPERT, timezone.now()),
    ):
        with pytest.raises(BadCommand, match="known are node-cobo0, node-mutant"):
            act()
    assert [line[2] for line in lines()] == ["refused"] * 3


def test_an_agent_has_no_key(nodes: MemoryNodes) -> None:
    Node.objects.filter(name=NAME).update(access="agent")
    assert seen().standing == "agent"
    with pytest.raises(CommandRefused, match="reached through its HTTP agent, which shows no key"):
        host_keys.ask(NAME, EXPERT, timezone.now())


def test_a_node_that_is_away_is_said_and_its_last_key_stays(nodes: MemoryNodes) -> None:
    shown = shows(nodes)
    nodes.take_down(NAME, Unreachable("node-cobo0: connection refused"))
    node = host_keys.ask(NAME, EXPERT, timezone.now())
    assert seen().reading
    assert read(node.pk, outside(nodes))
    found = seen()
    assert (found.problem, found.shown, found.reading) == ("node-cobo0: connection refused", shown.fingerprint, False)
    nodes.recover(NAME)
    shows(nodes)
    assert seen().problem == ""


def test_what_nobody_reads_is_said_after_a_while(nodes: MemoryNodes) -> None:
    now = timezone.now()
    host_keys.ask(NAME, EXPERT, now)
    early, late = of(NAME, now + READ_WITHIN / 2), of(NAME, now + READ_WITHIN + timedelta(seconds=1))
    assert early is not None
    assert late is not None
    assert (early.reading, early.problem) == (True, "")
    assert late.reading is False
    assert "is a worker running? Ask again." in late.problem


def test_a_node_that_left_the_setup_is_not_read(nodes: MemoryNodes) -> None:
    assert read(4711, outside(nodes)) is False


def test_a_key_too_long_to_keep_is_said(nodes: MemoryNodes) -> None:
    shows(nodes, ShownKey("ssh-rsa " + "A" * 2000, "SHA256:a"))
    found = seen()
    assert found.shown == ""
    assert "more than 2000 characters" in found.problem


def test_what_was_shown_at_another_address_is_forgotten(nodes: MemoryNodes) -> None:
    """Somebody moves the node in the setup: the key that was read is not that of the new address."""
    shown = shows(nodes)
    setup = read_setup()
    moved = tuple(replace(node, ssh_port=node.ssh_port + 100) for node in setup.nodes)
    write_setup(setup)
    assert SeenHostKey.objects.count() == 1
    write_setup(replace(setup, nodes=moved))
    assert not SeenHostKey.objects.exists()
    with pytest.raises(CommandRefused, match="No key of node-cobo0 was read"):
        pin(shown.fingerprint)


def test_a_key_read_while_the_address_changed_is_not_kept(nodes: MemoryNodes) -> None:
    class Slow(MemoryNodes):
        async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
            await sync_to_async(Node.objects.filter(name=NAME).update)(ssh_port=9)
            return key_of()

    node = host_keys.ask(NAME, EXPERT, timezone.now())
    assert read(node.pk, outside(Slow())) is False
    assert seen().shown == ""


def test_a_key_pinned_while_it_is_read_again_loses_nothing(nodes: MemoryNodes) -> None:
    shown = shows(nodes)

    class Slow(MemoryNodes):
        async def read_host_key(self, node: NodeAddress, timeout: float) -> ShownKey:
            await sync_to_async(pin)(shown.fingerprint)
            return shown

    node = host_keys.ask(NAME, EXPERT, timezone.now())
    assert read(node.pk, outside(Slow()))
    assert (seen().standing, seen().reading, seen().problem) == ("trusted", False, "")


def test_the_file_of_the_settings_counts_too(nodes: MemoryNodes, settings: Settings, tmp_path: Path) -> None:
    known, shown = key_of(), key_of()
    node = Node.objects.get(name=NAME)
    settings.SSH_KNOWN_HOSTS = tmp_path / "known_hosts"
    assert seen().standing == "none"  # there is no such file yet
    settings.SSH_KNOWN_HOSTS.write_text(f"[{node.host}]:{node.ssh_port} {known.key}\n")
    assert (seen().standing, len(seen().trusted), seen().needs_reason) == ("unread", 1, False)
    assert seen().trusted[0].by == ""
    shows(nodes, known)
    assert seen().standing == "trusted"
    shows(nodes, shown)
    assert seen().standing == "changed"
    settings.SSH_KNOWN_HOSTS.write_text("[127.0.0.1]:* what is this\n")
    assert seen().standing in ("unknown", "changed")


def test_a_file_that_cannot_be_read_is_said(nodes: MemoryNodes, settings: Settings, tmp_path: Path) -> None:
    settings.SSH_KNOWN_HOSTS = tmp_path
    assert "cannot be read" in seen().problem
