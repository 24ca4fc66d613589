"""Agents that answer what no agent should: never an exception of ours, never a number that was not said."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attpcdaq.gateways.agent_status import AgentStatus, BadStatus, parse_status, shown
from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Refused
from attpcdaq.gateways.node_agent import NodeAgent
from attpcdaq.gateways.ports import NodeAddress, RouterQuery, RouterReading
from tests.gateways.fault_server import Behaviour, FaultServer, Peer, for_ever, serving

GOOD: dict[str, Any] = {
    "disk": "/dev/disk1",
    "process": "sleeping",
    "data_path": "/staging",
    "data_written_gb": 0.5,
    "data_path_files": 3,
    "disk_avail_gb": 100.25,
    "disk_total_gb": 500,
}
QUERY = RouterQuery("router-cobo0", "DataExporter", 46005, "/staging")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


def http(body: bytes, status: str = "200 OK", version: str = "1.0", more: str = "") -> bytes:
    return f"HTTP/{version} {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


def saying(answer: bytes) -> Behaviour:
    async def behave(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            await peer.reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r")[0]))
        peer.send(answer)

    return behave


def node_at(server: FaultServer) -> NodeAddress:
    return NodeAddress("mm0", "127.0.0.1", server.port, access="agent")


async def told(answer: bytes, timeout: float = 3.0) -> RouterReading | GatewayError:
    """What comes of a look at an agent that gives this answer."""
    async with serving(saying(answer)) as server:
        try:
            return (await NodeAgent().read_routers(node_at(server), [QUERY], timeout))["router-cobo0"]
        except GatewayError as error:
            return error


async def test_a_good_answer() -> None:
    reading = await told(http(json.dumps(GOOD).encode()))
    assert reading == RouterReading(True, (), None, 100_250_000_000, 500 * 10**9, counted=(3, 500_000_000))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_status_or_an_error_in_words(body: bytes) -> None:
    text = "taken"
    try:
        parse_status(body)
    except BadStatus as error:
        text = str(error)
    assert text


@given(st.sampled_from(sorted(GOOD)), anything)
def test_any_value_is_taken_or_named(key: str, value: object) -> None:
    outcome: AgentStatus | str
    try:
        outcome = parse_status(json.dumps(GOOD | {key: value}).encode())
    except BadStatus as error:
        outcome = str(error)
    if isinstance(outcome, str):
        assert outcome.startswith((key, "it is not JSON"))
    else:
        assert key == "disk" or isinstance(value, str | int | float)
        assert all(type(number) is int for number in (outcome.free, outcome.total, outcome.written, outcome.files))


WRONG: Mapping[str, tuple[dict[str, Any], str]] = {
    "missing": ({"data_path_files": None}, "data_path_files must be a whole number from 0 to 1000000000, not None"),
    "bool": ({"data_path_files": True}, "data_path_files must be"),
    "fraction": ({"data_path_files": 1.5}, "data_path_files must be"),
    "negative": ({"disk_avail_gb": -1}, "disk_avail_gb must be a number from 0 to 1e+09, not -1"),
    "huge": ({"disk_total_gb": 10**4000}, "disk_total_gb must be a number from 0 to 1e+09, not a huge number"),
    "infinite": ({"data_written_gb": math.inf}, "Infinity is no number"),
    "nan": ({"data_written_gb": math.nan}, "NaN is no number"),
    "text": ({"data_written_gb": "0.5"}, "data_written_gb must be a number"),
    "nested": ({"process": {"a": []}}, "process must be a text of at most 1000 printable characters, not a dict"),
    "long": ({"data_path": "/" + "x" * 2000}, "data_path must be a text"),
    "control": ({"data_path": "/a\x1b[2J"}, "data_path must be a text"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    change, words = WRONG[case]
    with pytest.raises(BadStatus) as caught:
        parse_status(json.dumps(GOOD | change).encode())
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", "not a JSON object"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b" " * 70_000, "larger than 65536 bytes"),
        (b'{"disk_avail_gb": 1' + b"0" * 5000 + b"}", "not JSON"),
    ],
)
async def test_an_answer_that_is_no_status_is_a_bad_reply(body: bytes, words: str) -> None:
    error = await told(http(body))
    assert isinstance(error, BadReply)
    assert str(error).startswith("mm0 (127.0.0.1:")
    assert words in str(error)


async def test_chunks_are_not_taken() -> None:
    """They were not asked for: the request is HTTP/1.0."""
    error = await told(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    assert isinstance(error, BadReply)


async def test_an_answer_without_length_ends_with_the_connection() -> None:
    reading = await told(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(GOOD).encode())
    assert isinstance(reading, RouterReading)


@pytest.mark.parametrize("status", ["404 Not Found", "301 Moved", "503 Unavailable", "204 No Content"])
async def test_another_status_is_a_bad_reply_with_its_text(status: str) -> None:
    error = await told(http(b"<h1>no</h1>", status))
    assert isinstance(error, BadReply)
    assert f"HTTP {status[:3]}: <h1>no</h1>" in str(error)


async def test_status_500_is_why_this_router_is_not_seen() -> None:
    text = b"process\tDataExporter\x00 not\r\nfound\xff" + b"y" * 9000
    error = await told(http(text, "500 Internal Server Error"))
    assert isinstance(error, Refused)
    assert "has a problem: process DataExporter not found" in str(error)
    assert len(str(error)) < 450
    assert str(error).isprintable()


async def test_silence_is_no_answer() -> None:
    async with serving(for_ever) as server:
        with pytest.raises(NoAnswer, match=r"mm0 \(127.0.0.1:\d+\): no answer within 0.2 s"):
            await NodeAgent().read_routers(node_at(server), [QUERY], 0.2)


async def test_what_is_written_is_added_up() -> None:
    """An agent tells only what is new since the last call; where files went away it may be less than nothing."""
    answers = [(0.5, 3), (0.25, 3), (0.0, 3), (-0.25, 2), (-5.0, 2), (0.125, 2), (0.5, 0), (0.25, 1)]
    bodies = iter(
        [
            json.dumps(GOOD | {"data_written_gb": written, "data_path_files": files}).encode()
            for written, files in answers
        ]
    )

    async def behave(peer: Peer) -> None:
        await saying(http(next(bodies)))(peer)

    agents, seen = NodeAgent(), []
    async with serving(behave) as server:
        for _ in answers:
            reading = (await agents.read_routers(node_at(server), [QUERY], 3.0))["router-cobo0"]
            assert isinstance(reading, RouterReading)
            seen.append(reading.counted)
    expected = [500, 750, 750, 500, 0, 125, 0, 250]
    assert seen == [(files, size * 10**6) for (_, files), size in zip(answers, expected, strict=True)]


@pytest.mark.parametrize(
    ("process", "at_work"),
    [("running", True), ("sleeping", True), ("disk-sleep", True), ("anything", True), ("zombie", False)]
    + [(word, False) for word in ("dead", "Stopped", "", "tracing-stop", "not running")],
)
def test_a_process_that_never_writes_again_is_not_online(process: str, at_work: bool) -> None:
    assert parse_status(json.dumps(GOOD | {"process": process}).encode()).at_work is at_work


@pytest.mark.parametrize(
    ("data_path", "staging", "same"),
    [
        ("/staging", "/staging", True),
        ("/staging/", "/staging", True),
        ("/staging", "/staging//", True),
        ("/u/attpc/Data/mm0", "~/Data/mm0", True),
        ("~/Data/mm0", "/vol/attpc/Data/mm0", True),
        ("~/Data/mm0", "~/Data/mm0/", True),
        ("/u/attpc/Data/mm10", "~/Data/mm0", False),
        ("/u/attpc/xData/mm0", "~/Data/mm0", False),
        ("/staging", "/staging2", False),
        ("", "/staging", False),
        ("~/", "/u/attpc", False),
    ],
)
def test_whether_it_is_the_same_directory(data_path: str, staging: str, same: bool) -> None:
    assert AgentStatus("running", data_path, 0, 0, 0, 0).watches(staging) is same


async def test_catalog_sends_what_the_agent_reads() -> None:
    seen: list[bytes] = []

    async def behave(peer: Peer) -> None:
        seen.append(await peer.request())
        peer.send(http(json.dumps(GOOD | {"data_path_files": 0}).encode()))

    async with serving(behave) as server:
        reading = await NodeAgent().catalog(node_at(server), "e20009", 7, 3.0)
    assert reading.counted == (0, 0)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /catalog HTTP/1.0\r\nHost: 127.0.0.1:")
    assert json.loads(body) == {"experiment": "e20009", "run_number": 7}


@pytest.mark.parametrize("status", ["500 x", "400 Bad Request", "422 x"])
async def test_a_refused_catalog_tells_its_words(status: str) -> None:
    async with serving(saying(http(b"/data/run_0007 exists", status))) as server:
        with pytest.raises(Refused, match=rf"did not move the files \(HTTP {status[:3]}\): /data/run_0007 exists"):
            await NodeAgent().catalog(node_at(server), "e20009", 7, 3.0)


@given(st.one_of(st.binary(max_size=3000), st.text(max_size=3000)))
def test_shown_text_is_one_short_printable_line(text: bytes | str) -> None:
    assert len(shown(text)) <= 300
    assert shown(text).isprintable()
