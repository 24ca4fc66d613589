"""The HTTP level of an ECC server, as odd as the real one (facts 1.1)."""

import asyncio

import pytest

from get_protocol.ecc_messages import encode_get_state, http_request
from get_simulator.http_request import RequestReader
from tests.simulator.conftest import Simulation, exchange

BODY = encode_get_state()


async def test_one_request_for_each_connection_even_if_keep_alive_is_asked_for(one_cobo: Simulation) -> None:
    head = b"POST /any/path HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    answer = await exchange(one_cobo.port("ecc-cobo0"), (head + BODY) * 2)
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert b"\r\nConnection: close\r\n" in answer


async def test_get_is_not_allowed_and_head_and_options_are_empty(one_cobo: Simulation) -> None:
    port = one_cobo.port("ecc-cobo0")
    answer = await exchange(port, b"GET /?wsdl HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert b"<faultstring>HTTP GET method not implemented</faultstring>" in answer
    for method in (b"HEAD", b"OPTIONS"):
        answer = await exchange(port, method + b" / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\n")


async def test_chunked_requests_and_expect_continue(one_cobo: Simulation) -> None:
    port = one_cobo.port("ecc-cobo0")
    middle = len(BODY) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:middle], BODY[middle:], b""))
    answer = await exchange(port, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert b"<State>1</State>" in answer
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(BODY))
    assert await reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(BODY)
    assert b"<State>1</State>" in await reader.read()
    writer.close()


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"\0\1\2\3", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"])
async def test_garbage_and_unfinished_requests_get_no_answer(one_cobo: Simulation, garbage: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one_cobo.port("ecc-cobo0"))
    writer.write(garbage)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.2)
    writer.close()


async def test_a_soap_12_request_gets_a_soap_12_answer(one_cobo: Simulation) -> None:
    soap12 = BODY.replace(b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope")
    answer = await one_cobo.raw("ecc-cobo0", soap12)
    assert b'xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"' in answer


async def test_many_at_once(one_cobo: Simulation) -> None:
    request = http_request("127.0.0.1", 8083, BODY)
    answers = await asyncio.gather(*(exchange(one_cobo.port("ecc-cobo0"), request) for _ in range(60)))
    assert all(b"<State>1</State>" in answer for answer in answers)


@pytest.mark.parametrize("step", [1, 10, 1000])
def test_a_request_may_come_in_pieces(step: int) -> None:
    data, reader = http_request("127.0.0.1", 8083, BODY), RequestReader()
    found = [request for i in range(0, len(data), step) if (request := reader.feed(data[i : i + step])) is not None]
    assert [(request.method, request.body) for request in found] == [("POST", BODY)]
