"""The host keys of the nodes as an expert sees them: what is trusted and by whom, what a node shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.node_keys import HostKeys
from attpcdaq.topology.models import Access, HostKey, Node, SeenHostKey
from attpcdaq.topology.wiring import node_address

# A reading takes moments, its deadline is 10 s: after this nobody is at it any more.
READ_WITHIN = timedelta(seconds=20)
NOT_TOLD = "Nobody has read it yet though it was asked for: is a worker running? Ask again."


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key that counts: pinned by somebody, or (no `by`) in the known_hosts file of the settings."""

    kind: str
    fingerprint: str
    by: str = ""
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """One node. `standing`: agent, changed, other, unknown, trusted, unread, none (nothing trusted, nothing read)."""

    name: str
    address: str
    standing: str
    trusted: tuple[TrustedKey, ...] = ()
    shown_kind: str = ""
    shown: str = ""
    shown_at: datetime | None = None
    asked_by: str = ""
    asked_at: datetime | None = None
    reading: bool = False
    problem: str = ""

    @property
    def may_pin(self) -> bool:
        """Whether it shows a key that nobody pinned."""
        return bool(self.shown) and self.shown not in [key.fingerprint for key in self.trusted if key.by]

    @property
    def needs_reason(self) -> bool:
        return any(key.by for key in self.trusted)


def node_keys(now: datetime) -> list[NodeKeys]:
    """Every node; those whose key has changed first."""
    rows = Node.objects.select_related("seen_host_key").prefetch_related("host_keys")
    return sorted((_of(node, now) for node in rows), key=lambda one: one.standing != "changed")


def of(name: str, now: datetime) -> NodeKeys | None:
    """One node; None when there is none of this name."""
    node = Node.objects.select_related("seen_host_key").prefetch_related("host_keys").filter(name=name).first()
    return _of(node, now) if node else None


def _of(node: Node, now: datetime) -> NodeKeys:
    if node.access == Access.AGENT:
        return NodeKeys(node.name, f"{node.host}:{node.agent_port}", "agent")
    pinned = tuple(_pinned(row) for row in node.host_keys.all())
    in_file, problem = _in_file(node)
    trusted = (*pinned, *(key for key in in_file if key.fingerprint not in {one.fingerprint for one in pinned}))
    keys = NodeKeys(node.name, f"{node.host}:{node.ssh_port}", "", trusted, problem=problem)
    keys = _with_seen(keys, getattr(node, "seen_host_key", None), now)
    return replace(keys, standing=_standing(keys))


def _with_seen(keys: NodeKeys, seen: SeenHostKey | None, now: datetime) -> NodeKeys:
    if seen is None:
        return keys
    waiting = not seen.problem and (seen.seen_at is None or seen.seen_at < seen.asked_at)
    reading = waiting and now - seen.asked_at < READ_WITHIN
    problem = seen.problem or (NOT_TOLD if waiting and not reading else "") or keys.problem
    return replace(
        keys,
        shown_kind=_kind(seen.key),
        shown=seen.fingerprint,
        shown_at=seen.seen_at,
        asked_by=seen.asked_by,
        asked_at=seen.asked_at,
        reading=reading,
        problem=problem,
    )


def _standing(keys: NodeKeys) -> str:
    if not keys.shown:
        return "unread" if keys.trusted else "none"
    if keys.shown in [key.fingerprint for key in keys.trusted]:
        return "trusted"
    if any(key.kind == keys.shown_kind for key in keys.trusted):
        return "changed"
    return "other" if keys.trusted else "unknown"


def _pinned(row: HostKey) -> TrustedKey:
    return TrustedKey(_kind(row.key), row.fingerprint, row.pinned_by, row.pinned_at, row.reason)


def _in_file(node: Node) -> tuple[Sequence[TrustedKey], str]:
    """The node's keys in the known_hosts file of the settings, which count too; why it cannot be read."""
    address = replace(node_address(node), host_keys=())
    try:
        keys = HostKeys(address, settings.SSH_KNOWN_HOSTS).match(node.host, node.host, node.ssh_port)[0]
    except GatewayError as error:
        return (), str(error)
    # By its name and by its address, which may be the same.
    return list(dict.fromkeys(TrustedKey(key.get_algorithm(), key.get_fingerprint()) for key in keys)), ""


def _kind(key: str) -> str:
    return key.partition(" ")[0]
