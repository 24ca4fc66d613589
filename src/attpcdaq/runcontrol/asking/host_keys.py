"""Which host key a node must show: what an expert pinned by an explicit act, never what is met by itself.

It needs no control of the detector: it is about whom we speak to, and must be possible in the middle of a run.
"""

from datetime import datetime

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.live.models import Severity
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.audited import recorded
from attpcdaq.runcontrol.asking.refusals import BadCommand, CommandRefused
from attpcdaq.topology.models import Access, HostKey, Node, SeenHostKey

WHAT = "host key"
REASON_LENGTH = 200


def ask(name: str, by: Requester, now: datetime) -> Node:
    """Note that the key which this node shows is to be read (publish_host_key then asks for it). Errors as `pin`."""
    with recorded(by, WHAT, name, now):
        node = _known(name)
        SeenHostKey.objects.update_or_create(
            node=node, defaults={"asked_at": now, "asked_by": by.name[:150], "problem": ""}
        )
        record(by, WHAT, Outcome.DONE, subject=name, text="Its key is read.", at=now)
    return node


def pin(name: str, fingerprint: str, by: Requester, now: datetime, reason: str = "") -> HostKey:
    """Trust the key that the node showed last, which must be the one whose fingerprint the expert compared.

    BadCommand: no such node, or no reason though other keys are pinned. CommandRefused: it showed another key by now,
    or this one is pinned already.
    """
    with recorded(by, WHAT, name, now):
        node, reason = _known(name), reason.strip()
        seen = _seen(node, fingerprint)
        pinned = {row.fingerprint: row for row in node.host_keys.all()}
        if fingerprint in pinned:
            raise CommandRefused((f"{fingerprint} is pinned already, by {pinned[fingerprint].pinned_by}.",))
        _check_reason(reason, needed=bool(pinned))
        row = HostKey.objects.create(
            node=node, key=seen.key, fingerprint=fingerprint, pinned_by=by.name[:150], pinned_at=now, reason=reason
        )
        _tell(by, node, "pinned", fingerprint, reason, now)
    return row


def unpin(name: str, fingerprint: str, by: Requester, now: datetime) -> None:
    """Trust a pinned key no longer. BadCommand: no such node. CommandRefused: it is not pinned."""
    with recorded(by, WHAT, name, now):
        node = _known(name)
        # Compared here: PostgreSQL cannot even be asked for a text with NUL in it.
        row = next((row for row in node.host_keys.all() if row.fingerprint == fingerprint), None)
        if row is None:
            raise CommandRefused((f"No such key of {name} is pinned (any more).",))
        row.delete()
        _tell(by, node, "no longer pinned", fingerprint, "", now)


def _known(name: str) -> Node:
    """The node, its row held: two experts pin one after the other."""
    node = Node.objects.select_for_update().filter(name=name).first() if name.isprintable() else None
    if node is None:
        names = ", ".join(Node.objects.values_list("name", flat=True)) or "none"
        raise BadCommand("node", f"there is no {name[:80]!r}; known are {names}.")
    if node.access == Access.AGENT:
        raise CommandRefused((f"{name} is reached through its HTTP agent, which shows no key and proves nothing.",))
    return node


def _seen(node: Node, fingerprint: str) -> SeenHostKey:
    seen = SeenHostKey.objects.filter(node=node).first()
    if seen is None or not seen.fingerprint:
        raise CommandRefused((f"No key of {node.name} was read: read it, and compare what it shows.",))
    if seen.fingerprint != fingerprint:
        raise CommandRefused(
            (f"{node.name} showed {seen.fingerprint} when it was last read, another key: look again.",)
        )
    return seen


def _check_reason(reason: str, *, needed: bool) -> None:
    if len(reason) > REASON_LENGTH or not reason.isprintable() or (needed and not reason):
        why = "another key is pinned for it: say why this one is right too" if needed else "leave it out, or say why"
        raise BadCommand("reason", f"{why}, in at most {REASON_LENGTH} printable characters.")


def _tell(by: Requester, node: Node, what: str, fingerprint: str, reason: str, now: datetime) -> None:
    text = f"host key {fingerprint} {what}" + (f": {reason}" if reason else "")
    add_event("setup", f"{by.name}: {text}", subject=node.name, severity=Severity.WARNING, at=now)
    record(by, WHAT, Outcome.DONE, subject=node.name, text=text, at=now)
