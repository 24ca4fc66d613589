"""Another control program on the same network: it speaks to the ECC servers behind the DAQ's back."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.ports import EccAddress
from get_protocol.config_set import ConfigId
from get_protocol.state_machine import Transition

ANY_CONFIG = ConfigId("any", "any", "any")


def call_all(servers: list[EccAddress], transition: Transition) -> None:
    """Each server makes the transition, one after the other; it must say that it did."""

    async def all_of_them() -> None:
        soap = EccSoap()
        for server in servers:
            reply = await soap.transition(server, transition, ANY_CONFIG, (), 30)
            assert reply.error_code == 0, reply

    # In a thread of its own: a browser test has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, all_of_them()).result()
