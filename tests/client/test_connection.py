"""What is true when something goes wrong between client and DAQ; reading is tried again, an order never."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from attpcdaq_client import Client
from attpcdaq_client.errors import (
    BadReply,
    DaqError,
    Failed,
    NoAnswer,
    NotAllowed,
    NotThere,
    Refused,
    Unavailable,
    Unreachable,
    WrongInput,
)
from tests.services.processes import free_port

STATUS = {"at": "2026-11-22T09:48:24Z", "overall": {"level": "ok", "title": "Ready", "reasons": []}}


class Line:
    """An HTTP server of these answers, by httpx's own transport; `pauses` are what the client slept."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.requests, self.pauses = list(answers), list[httpx.Request](), list[float]()

    def client(self) -> Client:
        return Client("http://daq", "t", transport=httpx.MockTransport(self._answer), sleep=self.pauses.append)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_reading_is_tried_again_until_the_daq_is_back() -> None:
    line = Line(
        httpx.ConnectError("refused"), httpx.Response(503, json={"detail": "away"}), httpx.Response(200, json=STATUS)
    )
    assert line.client().status.now().overall.title == "Ready"
    assert line.pauses == [0.2, 0.5]
    assert {request.headers["Authorization"] for request in line.requests} == {"Bearer t"}


def test_reading_ends_some_time() -> None:
    line = Line(*[httpx.ReadTimeout("too long")] * 4)
    with pytest.raises(NoAnswer, match=r"http://daq: too long\.$"):
        line.client().status.now()
    assert len(line.requests) == 4


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.ConnectError("refused"), Unreachable, "No connection to http://daq: refused"),
        (httpx.ReadTimeout("too long"), NoAnswer, "may have been carried out all the same"),
        (httpx.RemoteProtocolError("cut off"), NoAnswer, "may have been carried out all the same"),
        (httpx.Response(502), Unavailable, "answered 502 Bad Gateway. The order may have been carried out"),
        (httpx.Response(504, json={"detail": "too long"}), Unavailable, "too long The order may have been carried out"),
        (httpx.Response(200, text="<html>"), BadReply, "Invalid JSON.*may have been carried out all the same"),
    ],
)
def test_an_order_is_given_once(answer: Any, error: type[DaqError], words: str) -> None:
    line = Line(answer)
    with pytest.raises(error, match=words):
        line.client().orders.give("start")
    assert len(line.requests) == 1
    assert line.pauses == []


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(401, json={"detail": "Send a valid token"}), NotAllowed, "Send a valid token"),
        (httpx.Response(403, json={"detail": "needs the role expert"}), NotAllowed, "needs the role expert"),
        (httpx.Response(404, json={"detail": "There is no run 7"}), NotThere, "There is no run 7"),
        (httpx.Response(500, text="<html>"), Failed, "http://daq answered 500 Internal Server Error"),
        (
            httpx.Response(302, headers={"Location": "https://daq/"}),
            BadReply,
            "sends on to https://daq/: give that address",
        ),
        (httpx.Response(200, text="<html>"), BadReply, "GET /runs/{number}: the answer: Invalid JSON"),
        (
            httpx.Response(200, json={"number": "x", "state": "closed"}),
            BadReply,
            "GET /runs/{number}: experiment: Field required",
        ),
        (httpx.Response(200, json=[]), BadReply, "GET /runs/{number}"),
        (httpx.Response(409, json=["odd"]), Refused, "answered 409"),
    ],
)
def test_what_the_daq_says_is_passed_on(answer: httpx.Response, error: type[DaqError], words: str) -> None:
    with pytest.raises(error) as caught:
        Line(answer).client().runs.one(7)
    assert words in str(caught.value)


def test_reasons_and_fields_are_kept_apart() -> None:
    refusal = httpx.Response(409, json={"detail": "a b", "reasons": ["a", "b"]})
    with pytest.raises(Refused) as refused:
        Line(refusal).client().orders.give("start")
    assert refused.value.reasons == ("a", "b")
    wrong = httpx.Response(422, json={"detail": "action: bad", "fields": {"action": "bad"}})
    with pytest.raises(WrongInput) as wrong_input:
        Line(wrong).client().orders.give("start")
    assert wrong_input.value.fields == {"action": "bad"}


def test_what_a_newer_daq_says_is_kept_and_what_an_older_one_leaves_out_is_empty() -> None:
    newer = STATUS | {"weather": "fine", "overall": STATUS["overall"] | {"mood": 7}}  # type: ignore[operator]
    status = Line(httpx.Response(200, json=newer)).client().status.now()
    assert status.overall.title == "Ready"
    assert status.ecc_servers == []
    assert status.model_dump(mode="json")["weather"] == "fine"


def test_a_name_stays_one_part_of_the_path() -> None:
    line = Line(httpx.Response(204))
    line.client().orders.include("a/../b?c#d é")
    assert line.requests[0].url.raw_path == b"/api/v1/exclusions/a%2F..%2Fb%3Fc%23d%20%C3%A9"


def test_a_token_is_sent_without_the_end_of_its_line_and_never_shown() -> None:
    line = Line(httpx.Response(200, json=STATUS))
    Client("http://daq", "secret\r\n", transport=httpx.MockTransport(line._answer)).status.now()
    assert line.requests[0].headers["Authorization"] == "Bearer secret"
    for broken in ("sec\nret", "sec\x00ret", "secrét"):
        with pytest.raises(ValueError, match="in no token") as told:
            Client("http://daq", broken)
        assert broken not in str(told.value)


@pytest.mark.parametrize(
    "order",
    [
        lambda daq: daq.orders.prefer(min_free_gb=float("nan")),
        lambda daq: daq.setup.load({"node": [{"name": date(2026, 1, 1)}]}),
        lambda daq: daq.accounts.revoke_token("\udcff"),
    ],
)
def test_what_cannot_be_sent_is_wrong_input_and_nothing_is_asked(order: Callable[[Client], object]) -> None:
    line = Line()
    client = line.client()
    with pytest.raises(WrongInput, match="cannot be said in JSON"):
        order(client)
    assert line.requests == []
    assert client.connection.asked == []


@pytest.mark.parametrize("url", ["", "daq:8080", "ftp://daq", "http://", "//daq", "http://daq:x", "http://da\x07q"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="give it as http://HOST:PORT"):
        Client(url)


def test_below_a_path_it_stays_below_it() -> None:
    line = Line(httpx.Response(200, json=STATUS))
    client = Client("https://lab/daq/", transport=httpx.MockTransport(line._answer))
    client.status.now()
    assert str(line.requests[0].url) == "https://lab/daq/api/v1/status"


@pytest.fixture
def cut_off() -> Iterator[Callable[[], str]]:
    """A real server that takes the request and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield lambda: f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def test_on_a_real_socket(cut_off: Callable[[], str]) -> None:
    with Client(cut_off(), sleep=lambda _: None) as client, pytest.raises(NoAnswer):
        client.orders.give("start")
    with Client(f"http://127.0.0.1:{free_port()}", sleep=lambda _: None) as client, pytest.raises(Unreachable):
        client.orders.give("start")
