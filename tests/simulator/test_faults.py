"""Each fault that can be set, over real sockets (docs/simulator.md)."""

import asyncio

import pytest

from get_protocol.config_set import ConfigId
from get_protocol.ecc_messages import encode_get_state, encode_transition, http_request
from get_protocol.state_machine import State, Transition
from get_simulator.faults import BadFault, Fault, FaultBook, FaultKind, parse_fault
from tests.simulator.conftest import UP, Simulation, exchange, until

PARTS = {"ecc-cobo0": "ECC server", "CoBo[0]": "board", "router-cobo0": "data router", "node-cobo0": "node"}
CONFIG = ConfigId("cobo0", "experiment", "experiment")
GET_STATE = http_request("127.0.0.1", 8083, encode_get_state())


async def test_refuse_keeps_the_state_and_gives_the_message(one_cobo: Simulation) -> None:
    await one_cobo.fault("ecc-cobo0", "refuse", operation="Prepare", message="CoBo[0]: no AsAd | ", times=1)
    await one_cobo.go("cobo0", Transition.DESCRIBE)
    reply = await one_cobo.ask("cobo0", Transition.PREPARE)
    assert (reply.error_code, reply.error_message) == (2, "CoBo[0]: no AsAd | ")
    await one_cobo.expect("cobo0", State.DESCRIBED)
    await one_cobo.go("cobo0", Transition.PREPARE)


async def test_fail_takes_its_time_and_keeps_the_state(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP[:2])
    await one_cobo.fault("CoBo[0]", "fail", operation="Configure")
    began = asyncio.get_running_loop().time()
    reply = await one_cobo.ask("cobo0", Transition.CONFIGURE)
    assert reply.error_code == 3
    assert reply.error_message.endswith("hardware failure (configure)")
    assert asyncio.get_running_loop().time() - began > 8.4 / one_cobo.detector.pace.speed
    await one_cobo.expect("cobo0", State.PREPARED)
    router = one_cobo.detector.routers["router-cobo0"]
    await until(lambda: router.listening, "the unused connection is closed")
    await one_cobo.clear()
    await one_cobo.go("cobo0", Transition.CONFIGURE)


async def test_slow_delays_the_answer_while_getstate_says_busy(one_cobo: Simulation) -> None:
    await one_cobo.fault("ecc-cobo0", "slow", operation="Describe", seconds=0.4)
    began = asyncio.get_running_loop().time()
    asked = asyncio.create_task(one_cobo.ask("cobo0", Transition.DESCRIBE))
    await until(lambda: one_cobo.detector.ecc_servers["ecc-cobo0"].service.work is not None)
    assert (await one_cobo.state("ecc-cobo0")).transition is Transition.DESCRIBE
    assert (await asked).error_code == 0
    assert asyncio.get_running_loop().time() - began >= 0.4


async def test_hang_outlives_its_client_and_ends_when_cleared(one_cobo: Simulation) -> None:
    await one_cobo.fault("ecc-cobo0", "hang", operation="Describe", times=1)
    asked = asyncio.create_task(one_cobo.ask("cobo0", Transition.DESCRIBE))
    server = one_cobo.detector.ecc_servers["ecc-cobo0"]
    await until(lambda: server.service.work is not None)
    asked.cancel()
    reply = await one_cobo.state("ecc-cobo0")
    assert (reply.state, reply.transition) == (State.IDLE, Transition.DESCRIBE)
    await one_cobo.clear()
    await until(lambda: server.service.state is State.DESCRIBED, "the transition ends without its client")


async def test_a_frozen_server_does_not_answer_getstate(one_cobo: Simulation) -> None:
    await one_cobo.fault("ecc-cobo0", "hang", operation="GetState")
    reader, writer = await asyncio.open_connection("127.0.0.1", one_cobo.port("ecc-cobo0"))
    writer.write(GET_STATE)
    service = one_cobo.detector.ecc_servers["ecc-cobo0"].service
    await until(lambda: service.calls["GetState"] == 1)
    assert not reader.at_eof()
    await one_cobo.clear()
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()


@pytest.mark.parametrize(("after", "state"), [(False, State.IDLE), (True, State.DESCRIBED)])
async def test_drop_closes_without_a_byte(one_cobo: Simulation, *, after: bool, state: State) -> None:
    await one_cobo.fault("ecc-cobo0", "drop", operation="Describe", after=after, times=1)
    with pytest.raises(IndexError):  # an empty reply has no status line
        await one_cobo.ask("cobo0", Transition.DESCRIBE)
    await one_cobo.expect("cobo0", state)


async def test_wedge_at_once_or_at_the_next_breakup(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP[:3])
    await one_cobo.fault("ecc-cobo0", "wedge", operation="Breakup")
    await one_cobo.expect("cobo0", State.READY)
    reply = await one_cobo.ask("cobo0", Transition.BREAKUP)
    assert (reply.error_code, reply.error_message) == (8, "Unknown error!")
    await one_cobo.expect("cobo0", State.OFF)
    for transition in (Transition.DESCRIBE, Transition.START, Transition.UNDO):
        assert (await one_cobo.ask("cobo0", transition)).error_code == 0
    assert (await one_cobo.ask("cobo0", Transition.BREAKUP)).error_code == 8
    await one_cobo.restart("ecc-cobo0")
    await one_cobo.fault("ecc-cobo0", "wedge")
    await one_cobo.expect("cobo0", State.OFF)


async def test_die_and_restart_of_each_kind_of_part(small: Simulation) -> None:
    await small.fault("ecc-cobo0", "die")
    await small.fault("router-cobo0", "die")
    for port in (small.port("ecc-cobo0"), small.detector.routers["router-cobo0"].port):
        with pytest.raises(ConnectionRefusedError):
            await exchange(port, GET_STATE)
    await small.fault("node-cobo1", "die")
    for port in (small.port("ecc-cobo1"), small.detector.nodes["node-cobo1"].port):
        with pytest.raises(ConnectionRefusedError):
            await exchange(port, GET_STATE)
    for target in ("ecc-cobo0", "router-cobo0", "node-cobo1"):
        await small.restart(target)
    for board in ("cobo0", "cobo1"):
        await small.go(board, *UP)


async def test_a_dead_board_stops_sending_and_comes_back_unconfigured(one_cobo: Simulation) -> None:
    await one_cobo.go("cobo0", *UP)
    await until(lambda: bool(one_cobo.files("cobo0")))
    await one_cobo.fault("CoBo[0]", "die")
    truth = await one_cobo.truth("boards", "CoBo[0]")
    assert (truth["alive"], truth["sending"], truth["connected"]) == (False, False, False)
    await one_cobo.expect("cobo0", State.RUNNING)
    assert (await one_cobo.ask("cobo0", Transition.STOP)).error_code == 0
    await one_cobo.restart("CoBo[0]")
    assert (await one_cobo.ask("cobo0", Transition.START)).error_code == 4


async def test_dying_at_an_operation(one_cobo: Simulation) -> None:
    await one_cobo.fault("CoBo[0]", "die", operation="Configure", times=1)
    await one_cobo.go("cobo0", *UP[:2])
    reply = await one_cobo.ask("cobo0", Transition.CONFIGURE)
    assert "ConnectionRefusedException" in reply.error_message
    await one_cobo.expect("cobo0", State.PREPARED)
    await one_cobo.fault("ecc-cobo0", "die", operation="Undo")
    assert await one_cobo.raw("ecc-cobo0", encode_transition(Transition.UNDO, CONFIG)) == b""
    with pytest.raises(ConnectionRefusedError):
        await one_cobo.state("ecc-cobo0")


def test_times_counts_down_and_clear_is_by_target() -> None:
    book = FaultBook()
    book.set(Fault("a", FaultKind.REFUSE, times=2))
    book.set(Fault("b", FaultKind.REFUSE))
    taken = [book.take(("a",), FaultKind.REFUSE) for _ in range(3)]
    assert [fault is not None for fault in taken] == [True, True, False]
    assert [fault.target for fault in book.faults] == ["b"]
    assert book.clear("a") == []
    assert len(book.clear("b")) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "body: must be a JSON object"),
        ({}, "target: must be one of ecc-cobo0, CoBo[0], router-cobo0, node-cobo0; not None"),
        ({"target": "ecc-cobo0", "fault": "explode"}, "fault: must be one of die, drop, fail"),
        ({"target": "router-cobo0", "fault": "refuse"}, "fault: must be one of deaf, die, disk_full, silent; not"),
        ({"target": "ecc-cobo0", "fault": "slow", "operation": "Cook"}, "operation: must be one of GetState"),
        ({"target": "ecc-cobo0", "fault": "slow", "seconds": -1}, "seconds: must be a number of seconds from 0"),
        ({"target": "ecc-cobo0", "fault": "slow", "seconds": True}, "seconds: must be a number"),
        ({"target": "ecc-cobo0", "fault": "slow", "times": 0}, "times: must be a whole number from 1"),
        ({"target": "ecc-cobo0", "fault": "drop", "after": "yes"}, "after: must be true or false"),
        ({"target": "ecc-cobo0", "fault": "fail", "message": 3}, "message: must be a text"),
        (
            {"target": "ecc-cobo0", "fault": "slow", "message": "x"},
            "message: goes only with fail, refuse; not",
        ),
        ({"target": "ecc-cobo0", "fault": "hang", "seconds": 3}, "seconds: goes only with clock, late_frames, slow"),
        ({"target": "node-cobo0", "fault": "die", "operation": "Start"}, "operation: goes only with ECC servers and"),
        ({"target": "ecc-cobo0", "fault": "wedge", "operation": "Start"}, "operation: must be one of Breakup"),
        ({"target": "ecc-cobo0", "fault": "slow", "tmies": 3}, "tmies: no such field; allowed: target, fault"),
    ],
)
def test_bad_faults_name_the_field_and_what_is_allowed(body: object, text: str) -> None:
    with pytest.raises(BadFault) as caught:
        parse_fault(body, PARTS)
    assert str(caught.value).startswith(text)
