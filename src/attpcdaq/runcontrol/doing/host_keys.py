"""Asking a node which host key it shows; nobody logs in, and nothing is trusted for it."""

from collections.abc import Callable
from dataclasses import replace

from asgiref.sync import async_to_sync, sync_to_async

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.ports import NodeAddress, ShownKey
from attpcdaq.live.models import Severity
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.topology.models import Node, SeenHostKey
from attpcdaq.topology.wiring import node_address

READ_TIMEOUT = 10.0
KEY_LENGTH = 2000
PRINT_LENGTH = 63


def read(node_id: int, make_outside: Callable[[], Outside] = real_outside) -> bool:
    """Store the key that the node shows, or why it could not be read; False for a node that has left the setup."""
    return async_to_sync(_read)(node_id, make_outside)


async def _read(node_id: int, make_outside: Callable[[], Outside]) -> bool:
    address = await sync_to_async(_address)(node_id)
    if address is None:
        return False
    outside = make_outside()
    try:
        shown: ShownKey | str = await outside.nodes.read_host_key(address, READ_TIMEOUT)
    except GatewayError as error:
        shown = str(error)
    finally:
        await outside.close()
    return await sync_to_async(_store)(node_id, address, shown, outside)


def _address(node_id: int) -> NodeAddress | None:
    node = Node.objects.filter(pk=node_id).first()
    return node_address(node) if node else None


def _store(node_id: int, asked: NodeAddress, shown: ShownKey | str, outside: Outside) -> bool:
    now = outside.now()
    known = _address(node_id)
    if known is None or replace(known, host_keys=asked.host_keys) != asked:
        return False  # another computer by now; which keys are pinned meanwhile does not change what it showed
    if isinstance(shown, ShownKey) and (len(shown.key) > KEY_LENGTH or len(shown.fingerprint) > PRINT_LENGTH):
        shown = f"{asked.name}: its host key has more than {KEY_LENGTH} characters, which cannot be kept"
    row = SeenHostKey.objects.filter(node_id=node_id)
    if isinstance(shown, str):
        row.update(problem=shown)
        add_event("setup", shown, subject=asked.name, severity=Severity.ERROR, at=now)
        return True
    row.update(key=shown.key, fingerprint=shown.fingerprint, seen_at=now, problem="")
    add_event("setup", f"shows the host key {shown.fingerprint}", subject=asked.name, at=now)
    return True
