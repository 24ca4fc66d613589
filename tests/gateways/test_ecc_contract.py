"""What run control and the monitor rely on in an EccPort, in memory and over a real socket (facts 2)."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from attpcdaq.gateways.errors import NoAnswer, Refused, Unreachable
from get_protocol.config_set import ConfigId
from get_protocol.data_links import parse_data_link_set, parse_data_sender_set
from get_protocol.ecc_messages import StateReply, TextReply
from get_protocol.errors import LocalProtocolError
from get_protocol.state_machine import State, Transition
from tests.gateways.ecc_stands import CONFIG, EccStand

LONG = 5.0


async def state(ecc: EccStand) -> StateReply:
    return await ecc.port.get_state(ecc.server, LONG)


async def call(ecc: EccStand, transition: Transition, timeout: float = LONG, config: ConfigId = CONFIG) -> TextReply:
    return await ecc.port.transition(ecc.server, transition, config, ecc.links, timeout)


async def up_to(ecc: EccStand, *transitions: Transition) -> None:
    for transition in transitions:
        await call(ecc, transition)


async def reached(read: Callable[[], Awaitable[StateReply]], wanted: Callable[[StateReply], bool]) -> StateReply:
    """The first reading that is as wanted; fails after 5 s."""
    deadline = time.monotonic() + LONG
    while not wanted(reply := await read()):
        assert time.monotonic() < deadline, reply
        await asyncio.sleep(0.01)
    return reply


async def test_a_new_server_is_idle(ecc: EccStand) -> None:
    reply = await state(ecc)
    assert (reply.state, reply.transition, reply.busy, reply.error_code) == (State.IDLE, Transition.NONE, False, 0)


async def test_it_lists_the_configurations_of_every_board(ecc: EccStand) -> None:
    listed = await ecc.port.get_config_ids(ecc.server, LONG)
    assert {"cobo0", "cobo1"} <= {one.describe for one in listed}
    assert CONFIG in listed


async def test_the_whole_way_up_and_down(ecc: EccStand) -> None:
    steps = [
        (Transition.DESCRIBE, State.DESCRIBED), (Transition.PREPARE, State.PREPARED),
        (Transition.CONFIGURE, State.READY), (Transition.START, State.RUNNING), (Transition.STOP, State.READY),
        (Transition.BREAKUP, State.PREPARED), (Transition.UNDO, State.DESCRIBED), (Transition.UNDO, State.IDLE),
    ]  # fmt: skip
    for transition, expected in steps:
        assert (await call(ecc, transition)).error_code == 0
        assert (await state(ecc)).state is expected


async def test_describe_names_the_boards_and_configure_the_links(ecc: EccStand) -> None:
    described = await call(ecc, Transition.DESCRIBE)
    assert parse_data_sender_set(described.text) == ("CoBo[0]",)
    await call(ecc, Transition.PREPARE)
    configured = (await call(ecc, Transition.CONFIGURE)).text
    links = parse_data_link_set(configured[: configured.index("</DataLinkSet>") + len("</DataLinkSet>")])
    assert [link.sender for link in links] == ["CoBo[0]"]


async def test_what_is_illegal_is_answered_with_success_and_not_done(ecc: EccStand) -> None:
    reply = await call(ecc, Transition.START)
    assert (reply.error_code, reply.text) == (0, "")
    assert (await state(ecc)).state is State.IDLE


async def test_a_refusal_carries_the_servers_words_and_the_state_stays(ecc: EccStand) -> None:
    await up_to(ecc, Transition.DESCRIBE)
    ecc.refuse(Transition.PREPARE, "CoBo[0]: AsAd board no. 0 is not connected to CoBo! | ")
    with pytest.raises(Refused) as refusal:
        await call(ecc, Transition.PREPARE)
    assert "AsAd board no. 0 is not connected to CoBo! |" in str(refusal.value)
    assert refusal.value.code == Transition.PREPARE
    assert (await state(ecc)).state is State.DESCRIBED
    await call(ecc, Transition.PREPARE)
    assert (await state(ecc)).state is State.PREPARED


async def test_while_a_transition_is_under_way_the_old_state_is_shown_and_others_are_refused(ecc: EccStand) -> None:
    ecc.slow(Transition.DESCRIBE, 0.5)
    running = asyncio.create_task(call(ecc, Transition.DESCRIBE))
    seen = await reached(lambda: state(ecc), lambda reply: reply.busy)
    assert (seen.state, seen.transition, seen.error_code) == (State.IDLE, Transition.DESCRIBE, 0)
    with pytest.raises(Refused, match="busy") as refusal:
        await call(ecc, Transition.UNDO)
    assert refusal.value.code == Transition.UNDO
    assert (await running).error_code == 0
    assert (await state(ecc)).state is State.DESCRIBED


async def test_a_call_given_up_goes_on_at_the_server(ecc: EccStand) -> None:
    ecc.slow(Transition.DESCRIBE, 0.6)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="ecc-cobo0"):
        await call(ecc, Transition.DESCRIBE, timeout=0.2)
    assert time.monotonic() - began < 0.5
    await reached(lambda: state(ecc), lambda reply: reply.state is State.DESCRIBED)


async def test_a_lost_answer_says_nothing_of_the_outcome(ecc: EccStand) -> None:
    ecc.lose_answer(Transition.DESCRIBE)
    with pytest.raises(NoAnswer):
        await call(ecc, Transition.DESCRIBE)
    assert (await state(ecc)).state is State.DESCRIBED


async def test_a_hanging_server_costs_its_deadline_and_no_more(ecc: EccStand) -> None:
    ecc.hang()
    for ask in (
        lambda: ecc.port.get_state(ecc.server, 0.2),
        lambda: ecc.port.get_config_ids(ecc.server, 0.2),
        lambda: call(ecc, Transition.DESCRIBE, timeout=0.2),
    ):
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=r"0\.2 s"):
            await ask()
        assert time.monotonic() - began < 1.0


async def test_nothing_is_sent_to_a_dead_server_and_a_restarted_one_is_idle(ecc: EccStand) -> None:
    await up_to(ecc, Transition.DESCRIBE)
    ecc.die()
    for ask in (lambda: state(ecc), lambda: call(ecc, Transition.PREPARE)):
        with pytest.raises(Unreachable, match=r"ecc-cobo0.*refused"):
            await ask()
    await ecc.restart()
    assert (await state(ecc)).state is State.IDLE


async def test_a_wedged_server_answers_success_and_does_nothing(ecc: EccStand) -> None:
    ecc.wedge()
    assert (await state(ecc)).state is State.OFF
    assert (await call(ecc, Transition.DESCRIBE)).error_code == 0
    assert (await state(ecc)).state is State.OFF


async def test_a_board_without_a_link_is_named(ecc: EccStand) -> None:
    await up_to(ecc, Transition.DESCRIBE, Transition.PREPARE)
    with pytest.raises(Refused, match=r"data router for data sender 'CoBo\[0\]'") as refusal:
        await ecc.port.transition(ecc.server, Transition.CONFIGURE, CONFIG, (), LONG)
    assert refusal.value.code == Transition.CONFIGURE


async def test_a_configuration_that_is_not_there_is_named(ecc: EccStand) -> None:
    with pytest.raises(Refused, match=r"nosuch.*does not exist") as refusal:
        await call(ecc, Transition.DESCRIBE, config=ConfigId("nosuch", "experiment", "experiment"))
    assert refusal.value.code == Transition.DESCRIBE


@pytest.mark.parametrize("transition", [Transition.RESUME, Transition.NONE])
async def test_what_kills_a_server_is_not_sent(ecc: EccStand, transition: Transition) -> None:
    with pytest.raises(LocalProtocolError):
        await call(ecc, transition)
    assert (await state(ecc)).state is State.IDLE
