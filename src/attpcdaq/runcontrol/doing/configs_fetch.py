"""Asking the ECC servers which configurations they list."""

import asyncio
from collections.abc import Callable, Sequence

from asgiref.sync import async_to_sync, sync_to_async
from django.db import DataError, IntegrityError

from attpcdaq.gateways.errors import GatewayError
from attpcdaq.live.store import add_event
from attpcdaq.runcontrol.asking.configs import store_config_sets
from attpcdaq.runcontrol.doing.outside import Outside, real_outside
from attpcdaq.topology.models import ECCServer
from attpcdaq.topology.wiring import ecc_address

FETCH_TIMEOUT = 10.0


def fetch(server_ids: Sequence[int] | None = None, make_outside: Callable[[], Outside] = real_outside) -> int:
    """Store what these ECC servers (None: all) list; how many answered. Each failure is an event."""
    return async_to_sync(_fetch)(server_ids, make_outside)


async def _fetch(server_ids: Sequence[int] | None, make_outside: Callable[[], Outside]) -> int:
    outside = make_outside()
    try:
        servers = await sync_to_async(_servers)(server_ids)
        return sum(await asyncio.gather(*(_fetch_one(server, outside) for server in servers)))
    finally:
        await outside.close()


def _servers(server_ids: Sequence[int] | None) -> list[ECCServer]:
    every = ECCServer.objects.all()
    return list(every if server_ids is None else every.filter(pk__in=server_ids))


async def _fetch_one(server: ECCServer, outside: Outside) -> bool:
    try:
        listed = await outside.ecc.get_config_ids(ecc_address(server), FETCH_TIMEOUT)
    except GatewayError as error:
        await sync_to_async(add_event)("setup", str(error), subject=server.name, severity="error", at=outside.now())
        return False
    try:
        await sync_to_async(store_config_sets)(server, listed, outside.now())
    except (DataError, IntegrityError) as error:  # a name too long to keep; the server has left the setup
        text = f"its configurations cannot be stored: {error}".strip()
        await sync_to_async(add_event)("setup", text, subject=server.name, severity="error", at=outside.now())
        return False
    text = f"lists {len(listed)} configurations"
    await sync_to_async(add_event)("setup", text, subject=server.name, at=outside.now())
    return True
