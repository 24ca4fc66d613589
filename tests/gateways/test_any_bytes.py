"""Whatever comes in: an error of the tree or an answer, nothing else."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer
from attpcdaq.gateways.file_names import is_graw, is_plain
from attpcdaq.gateways.node_disk import parse_df
from attpcdaq.gateways.node_processes import parse_ps, router_pid
from attpcdaq.gateways.ports import EccAddress
from get_protocol.ecc_messages import StateReply, encode_state_reply, http_response
from get_protocol.state_machine import State, Transition
from tests.gateways.fault_server import Peer, serving

GOOD = http_response(200, encode_state_reply(StateReply(0, "", State.READY, Transition.NONE)))
BROKEN = st.builds(
    lambda start, junk, length: GOOD[:start] + junk + GOOD[start + length :],
    st.integers(0, len(GOOD)),
    st.binary(max_size=8),
    st.integers(0, 8),
)


async def ask(answer: bytes) -> StateReply | GatewayError:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.send(answer)

    async with serving(behave) as server:
        try:
            return await EccSoap().get_state(EccAddress("ecc", "127.0.0.1", server.port), 10.0)
        except GatewayError as error:
            return error


@given(st.binary(max_size=600) | BROKEN)
@settings(max_examples=150, deadline=None)
def test_any_answer_is_a_state_or_an_error_of_the_tree(answer: bytes) -> None:
    outcome = asyncio.run(ask(answer))
    assert isinstance(outcome, StateReply | BadReply | NoAnswer), outcome


@given(st.text(max_size=300), st.integers(1, 65535))
def test_any_process_list_and_any_disk_line(text: str, port: int) -> None:
    pid = router_pid(parse_ps(text), "dataRouter", port)
    assert pid is None or pid >= 0
    disk = parse_df(text)
    assert disk.free is None or disk.free >= 0


@given(st.text(max_size=300))
def test_a_plain_name_stays_in_its_directory(name: str) -> None:
    if is_plain(name):
        assert name not in ("", ".", "..")
        assert "/" not in name
        assert "\x00" not in name
    assert not is_graw(name) or is_plain(name)
