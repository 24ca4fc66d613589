"""What an execution holds in its hands: the ports, the clock, and how to wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from attpcdaq.gateways.factory import make_ecc, make_nodes
from attpcdaq.gateways.ports import EccPort, NodePort


@dataclass(frozen=True, slots=True)
class Outside:
    """Ports to the hardware, and time as a parameter."""

    ecc: EccPort
    nodes: NodePort
    now: Callable[[], datetime] = field(default=timezone.now)
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)
    monotonic: Callable[[], float] = field(default=time.monotonic)
    """Seconds that no clock step changes: every deadline is taken from it."""

    async def close(self) -> None:
        await self.ecc.close()
        await self.nodes.close()


def real_outside() -> Outside:
    """The real gateways, made inside the event loop that uses them."""
    return Outside(make_ecc(), make_nodes())
