"""Host keys of the nodes."""

from datetime import datetime

from attpcdaq_client.areas.area import Area
from attpcdaq_client.calls import Call, Model


class TrustedKey(Model):
    """A key that counts; without `by` it is in a file of the settings."""

    kind: str
    fingerprint: str
    by: str = ""
    at: datetime | None = None
    reason: str = ""


class NodeKeys(Model):
    """A node's keys; `standing` is agent, changed, other, unknown, trusted, unread or none."""

    name: str
    standing: str
    address: str = ""
    trusted: list[TrustedKey] = []
    shown: str = ""
    shown_kind: str = ""
    shown_at: datetime | None = None
    asked_at: datetime | None = None
    reading: bool = False
    problem: str = ""


KEYS = Call("GET", "/host-keys", list[NodeKeys])
READ_KEY = Call("POST", "/host-keys/read", NodeKeys, body=("node",))
PIN = Call("POST", "/host-keys/pin", NodeKeys, body=("node", "fingerprint", "reason"))
UNPIN = Call("POST", "/host-keys/unpin", NodeKeys, body=("node", "fingerprint"))


class Hosts(Area):
    """Which key of a node is trusted."""

    def keys(self) -> list[NodeKeys]:
        """Of every node."""
        return self._send(KEYS)

    def read(self, node: str) -> NodeKeys:
        """Ask for the key that the node shows; it follows in `keys`. For experts."""
        return self._send(READ_KEY, body={"node": node})

    def pin(self, node: str, fingerprint: str, *, reason: str = "") -> NodeKeys:
        """Trust a key that somebody compared with the node's own; `reason` where another one is pinned."""
        return self._send(PIN, body={"node": node, "fingerprint": fingerprint, "reason": reason})

    def unpin(self, node: str, fingerprint: str) -> NodeKeys:
        """Trust it no longer."""
        return self._send(UNPIN, body={"node": node, "fingerprint": fingerprint})
