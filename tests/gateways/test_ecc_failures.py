"""Every way in which an exchange with an ECC server can fail, and what is then true."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

import pytest

from attpcdaq.gateways.ecc_soap import EccSoap
from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.http_exchange import MAX_BODY_BYTES
from attpcdaq.gateways.ports import EccAddress
from get_protocol.config_set import ConfigId
from get_protocol.ecc_messages import (
    StateReply,
    TextReply,
    encode_fault,
    encode_get_state,
    encode_state_reply,
    encode_text_reply,
    encode_transition,
    http_request,
    http_response,
)
from get_protocol.errors import SoapFault
from get_protocol.state_machine import State, Transition
from tests.gateways.fault_server import Behaviour, Peer, for_ever, pieces, serving

CONFIG = ConfigId("cobo0", "experiment", "experiment")
READY = http_response(200, encode_state_reply(StateReply(0, "", State.READY, Transition.NONE)))
DONE = http_response(200, encode_text_reply(TextReply(0, "", "")))
SOON = 0.3
Ask = Callable[[EccAddress], Awaitable[object]]


async def get_state(server: EccAddress) -> StateReply:
    return await EccSoap().get_state(server, SOON)


async def prepare(server: EccAddress) -> TextReply:
    return await EccSoap().transition(server, Transition.PREPARE, CONFIG, (), SOON)


def answering(*parts: bytes) -> Behaviour:
    """Wait for the whole request, send the parts, close."""

    async def behave(peer: Peer) -> None:
        await peer.request()
        for part in parts:
            peer.send(part)
            await peer.writer.drain()

    return behave


async def failure(behaviour: Behaviour, ask: Ask) -> GatewayError:
    """What `ask` raises; exactly one connection was made, and the text names the server."""
    async with serving(behaviour) as server:
        with pytest.raises(GatewayError) as caught:
            await ask(EccAddress("ecc-cobo3", "127.0.0.1", server.port))
        assert server.connections == 1
        assert f"ecc-cobo3 (127.0.0.1:{server.port})" in str(caught.value)
    return caught.value


async def close_at_once(peer: Peer) -> None:
    return


async def close_after_the_request(peer: Peer) -> None:
    await peer.request()


async def reset(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def drip(peer: Peer) -> None:
    await peer.request()
    for piece in pieces(READY, 1):
        peer.send(piece)
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("ask", [get_state, prepare])
@pytest.mark.parametrize("behaviour", [close_at_once, close_after_the_request, reset, for_ever, drip])
async def test_sent_and_not_answered(behaviour: Behaviour, ask: Ask) -> None:
    began = time.monotonic()
    assert type(await failure(behaviour, ask)) is NoAnswer
    assert time.monotonic() - began < SOON + 0.7


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is not HTTP"),
        (b"\x00\x01\x02" * 100, "is not HTTP"),
        (b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nxx", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nxx", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nxx", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nxx", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n", "encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx", "encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", f"larger than {MAX_BODY_BYTES}"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000, "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n", "within the HTTP header"),
        (READY[:-40], "ended after"),
        (READY.replace(b"Content-Length: ", b"Content-Length: 1"), "ended after"),
        (READY.replace(b"Content-Length: 4", b"Content-Length: "), "ill-formed|not"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "empty"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found", "404"),
        (http_response(200, b"<html><body>Welcome</body></html>"), "html"),
        (http_response(200, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"), "DOCTYPE"),
        (READY.replace(b"<State>4<", b"<State>9<"), "State is 9"),
    ],
)
async def test_what_is_not_the_protocol(answer: bytes, says: str) -> None:
    for ask in (get_state, prepare):
        caught = await failure(answering(answer), ask)
        assert type(caught) is BadReply
        if ask is get_state:
            assert any(word in str(caught) for word in says.split("|")), caught


async def test_a_huge_answer_is_not_swallowed() -> None:
    """Without a length too: the connection is given up at the limit, not when the sender tires."""
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b"x" * 100_000)
            sent += 100_000
            await peer.writer.drain()

    async with serving(flood) as server:
        with pytest.raises(BadReply, match="larger than"):
            await EccSoap().get_state(EccAddress("ecc-cobo3", "127.0.0.1", server.port), 10.0)
    assert sent < 3 * MAX_BODY_BYTES


async def test_an_error_of_get_state_is_no_reading() -> None:
    reply = encode_state_reply(StateReply(1, "something is wrong", State.READY, Transition.NONE))
    assert "something is wrong" in str(await failure(answering(http_response(200, reply)), get_state))


async def test_a_client_fault_means_that_nothing_was_done() -> None:
    fault = http_response(500, encode_fault(SoapFault("SOAP-ENV:Client", "Method 'Prepare' not implemented")))
    async with serving(answering(fault)) as server:
        with pytest.raises(Refused, match="Method 'Prepare' not implemented") as caught:
            await prepare(EccAddress("ecc-cobo3", "127.0.0.1", server.port))
        assert caught.value.code is None
        with pytest.raises(BadReply, match="not implemented"):
            await get_state(EccAddress("ecc-cobo3", "127.0.0.1", server.port))


async def test_a_server_fault_leaves_the_outcome_open() -> None:
    fault = http_response(500, encode_fault(SoapFault("SOAP-ENV:Server", "out of memory")))
    assert type(await failure(answering(fault), prepare)) is BadReply


async def test_an_answer_in_pieces_and_without_a_length_is_an_answer() -> None:
    head, _, body = READY.partition(b"\r\n\r\n")
    without = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
    for answer in (pieces(READY, 7), [without + b"\r\n\r\n" + body], [READY + b"more than was announced"]):
        async with serving(answering(*answer)) as server:
            assert (await get_state(EccAddress("e", "127.0.0.1", server.port))).state is State.READY


async def test_an_answer_counts_when_it_is_complete_even_if_the_server_keeps_the_connection() -> None:
    async def keep(peer: Peer) -> None:
        await peer.request()
        peer.send(DONE)
        await for_ever(peer)

    async with serving(keep) as server:
        assert (await prepare(EccAddress("e", "127.0.0.1", server.port))).error_code == 0


async def test_the_bytes_of_a_request_are_those_of_the_captures() -> None:
    seen: list[bytes] = []

    async def listen(peer: Peer) -> None:
        seen.append(await peer.request())
        peer.send(READY)

    async with serving(listen) as server:
        await get_state(EccAddress("e", "127.0.0.1", server.port))
        with pytest.raises(BadReply):
            await prepare(EccAddress("e", "127.0.0.1", server.port))
        bodies = (encode_get_state(), encode_transition(Transition.PREPARE, CONFIG))
        assert seen == [http_request("127.0.0.1", server.port, body) for body in bodies]


async def test_a_connection_that_is_not_made_sends_nothing() -> None:
    """A listener whose queue is full: the connection never comes about, and the deadline says so."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        filling = [socket.socket() for _ in range(3)]
        for one in filling:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with pytest.raises(Unreachable, match=r"no connection within 0\.3 s"):
            await get_state(EccAddress("ecc-cobo3", "127.0.0.1", port))
        for one in filling:
            one.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "bad host", "höst"])
async def test_an_unknown_host_is_unreachable(host: str) -> None:
    with pytest.raises(Unreachable, match="ecc-cobo3"):
        await EccSoap().get_state(EccAddress("ecc-cobo3", host, 8083), 5.0)


async def test_giving_up_a_call_closes_its_connection() -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def wait(peer: Peer) -> None:
        await peer.request()
        came.set()
        await peer.reader.read()
        gone.set()

    async with serving(wait) as server:
        call = asyncio.create_task(EccSoap().get_state(EccAddress("e", "127.0.0.1", server.port), 30.0))
        await asyncio.wait_for(came.wait(), 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_big_answer_does_not_hold_up_the_loop() -> None:
    """The answer of Configure has some 600 kB; it is read in a thread while other servers are asked."""
    big = http_response(200, encode_text_reply(TextReply(0, "", "<a>&amp;</a>" * 100_000)))
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - before)

    async with serving(answering(big)) as server:
        watcher = asyncio.create_task(watch())
        reply = await EccSoap().transition(
            EccAddress("e", "127.0.0.1", server.port), Transition.CONFIGURE, CONFIG, (), 10.0
        )
        watcher.cancel()
    assert len(reply.text) == 1_200_000
    assert longest < 0.5
