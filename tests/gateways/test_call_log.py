"""One line for each call that changes something; readings are silent unless somebody wants them."""

import asyncio
import logging

import pytest
from structlog.contextvars import bound_contextvars

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.errors import GatewayError
from attpcdaq.gateways.node_access import NodesByAccess
from attpcdaq.gateways.ports import EccAddress, NodeAddress
from attpcdaq.testing.memory_nodes import MemoryNodes
from get_protocol.config_set import ConfigId
from get_protocol.ecc_messages import StateReply, TextReply, encode_state_reply, encode_text_reply, http_response
from get_protocol.state_machine import State, Transition
from tests.gateways.fault_server import Behaviour, Peer, for_ever, serving
from tests.log_lines import Line, logged

CONFIG = ConfigId("cobo0", "experiment", "experiment")
READY = http_response(200, encode_state_reply(StateReply(0, "", State.READY, Transition.NONE)))
DONE = http_response(200, encode_text_reply(TextReply(0, "", "")))
REFUSED = http_response(200, encode_text_reply(TextReply(2, "not now", "")))


def saying(answer: bytes) -> Behaviour:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.send(answer)

    return behave


async def prepared(behaviour: Behaviour) -> list[Line]:
    """What is logged of one Prepare with ids bound, by tasks under way beside it too."""
    async with serving(behaviour) as server:
        address = EccAddress("ecc-cobo3", "127.0.0.1", server.port)
        with logged() as lines, bound_contextvars(request_id="click-0001", command="c-1"):
            work = asyncio.create_task(EccSoap().transition(address, Transition.PREPARE, CONFIG, (), 0.3))
            await asyncio.gather(work, return_exceptions=True)
        return lines()


async def test_a_call_is_one_line_with_the_ids_of_the_click() -> None:
    (line,) = await prepared(saying(DONE))
    assert (line["level"], line["event"], line["server"]) == ("INFO", "Prepare: answered", "ecc-cobo3")
    assert (line["request_id"], line["command"]) == ("click-0001", "c-1")
    assert 0 <= line["ms"] < 5000


@pytest.mark.parametrize(("behaviour", "says"), [(saying(REFUSED), "Refused: not now"), (for_ever, "NoAnswer: ")])
async def test_a_failed_call_is_a_warning_that_says_why(behaviour: Behaviour, says: str) -> None:
    (line,) = await prepared(behaviour)
    assert (line["level"], line["server"]) == ("WARNING", "ecc-cobo3")
    assert line["event"].startswith(f"Prepare: {says}")


async def test_a_call_that_is_given_up_says_so() -> None:
    asked = asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await for_ever(peer)

    async with serving(silent) as server:
        address = EccAddress("ecc-cobo3", "127.0.0.1", server.port)
        with logged() as lines:
            call = asyncio.create_task(EccSoap().transition(address, Transition.STOP, CONFIG, (), 5))
            await asyncio.wait_for(asked.wait(), 5)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
    assert [line["event"] for line in lines()] == ["Stop: given up (CancelledError)"]


@pytest.mark.parametrize(("level", "count"), [(logging.INFO, 0), (logging.DEBUG, 1)])
async def test_readings_are_silent_at_info(level: int, count: int) -> None:
    async with serving(saying(READY)) as server:
        with logged(level) as lines:
            await EccSoap().get_state(EccAddress("ecc-cobo3", "127.0.0.1", server.port), 1)
    told = [line for line in lines() if line["logger"] == "attpcdaq.gateways.call_log"]
    assert [(line["event"], line["level"]) for line in told] == [("GetState: answered", "DEBUG")] * count


async def test_calls_to_nodes_name_the_node_and_hide_passwords() -> None:
    nodes = NodesByAccess(MemoryNodes(), MemoryNodes())
    node = NodeAddress("node-cobo3", "127.0.0.1", 22)
    with logged() as lines:
        with pytest.raises(GatewayError):
            await nodes.move_files(node, "/staging", {"a.graw": "a.graw"}, "/staging/e1/run_0001", 1)
        with pytest.raises(GatewayError):
            await nodes.run_command(node, "restart --password=hunter2", 1)
    moved, ran = lines()
    assert moved["event"].startswith("move 1 files from /staging to /staging/e1/run_0001: Unreachable: ")
    assert (moved["node"], moved["level"]) == ("node-cobo3", "WARNING")
    assert "hunter2" not in ran["event"]
    assert ran["event"].startswith("run 'restart --password=***")
