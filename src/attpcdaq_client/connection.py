"""The only part of the client that opens a connection."""

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from attpcdaq_client.calls import Call
from attpcdaq_client.errors import (
    BadReply,
    DaqError,
    Failed,
    NoAnswer,
    NotAllowed,
    NotThere,
    OutOfTouch,
    Refused,
    SaidNo,
    Unavailable,
    Unreachable,
    WrongInput,
)

T = TypeVar("T")
TIMEOUT = 20.0
# Seconds before reading is tried once more: a restarting web server is back in about one.
READ_AGAIN_AFTER = (0.2, 0.5, 1.0)
AWAY = (502, 503, 504)
PERHAPS = "The order may have been carried out all the same: look before you repeat it."
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Connection:
    """Sends calls with a token; reads again when there is no answer, and gives no order twice."""

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        ca: str = "",
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        read_again_after: Sequence[float] = READ_AGAIN_AFTER,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url` is that of the status page; `ca` a file with the certificate that vouches for it; times in seconds.

        ValueError for an address that is none, OSError for the file.
        """
        self.url = _checked(url)
        token = _token(token)
        self.asked: list[Call[Any]] = []
        """Every call that was sent, in order."""
        self._sleep, self._read_again_after = sleep, read_again_after
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
            transport=transport,
            verify=ssl.create_default_context(cafile=ca or None),
            # The DAQ is in the laboratory's own network: a proxy for the Internet would not find it.
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def send(
        self,
        call: Call[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        **places: object,
    ) -> T:
        """The answer of the DAQ. `places` fill the path; what is None in `query` is left out. DaqError."""
        request = self._request(call, query or {}, body, places)
        self.asked.append(call)
        answer = self._answer(request, reads=call.reads)
        if call.answer is bytes:
            return answer.content  # type: ignore[return-value]  # T is bytes
        return _parsed(call, answer)

    def _request(
        self, call: Call[Any], query: Mapping[str, Any], body: Mapping[str, Any] | None, places: Mapping[str, object]
    ) -> httpx.Request:
        try:
            return self._http.build_request(call.method, _path(call, places), params=_given(query), json=body)
        except (TypeError, ValueError) as error:  # a date, an endless number, bytes that are no text
            text = f"{call.method} {call.path}: what is to be sent cannot be said in JSON: {error}."
            raise WrongInput(httpx.codes.BAD_REQUEST, text) from None

    def _answer(self, request: httpx.Request, *, reads: bool) -> httpx.Response:
        for pause in self._read_again_after if reads else ():
            try:
                return self._once(request)
            except OutOfTouch:
                self._sleep(pause)
        return self._once(request)

    def _once(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._http.send(request)
        except NOT_SENT as error:
            raise Unreachable(f"No connection to {self.url}: {error}") from None
        except httpx.HTTPError as error:
            what = str(error) or type(error).__name__
            tail = "" if request.method == "GET" else f" {PERHAPS}"
            raise NoAnswer(f"No answer from {self.url}: {what}.{tail}") from None
        if answer.is_success:
            return answer
        raise _problem(answer, self.url, is_read=request.method == "GET")


def _checked(url: str) -> str:
    parts = urlsplit(url)
    try:
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and httpx.URL(url).is_absolute_url
    except httpx.InvalidURL:
        is_one = False
    if not is_one:
        raise ValueError(f"{url!r} is no address of a DAQ: give it as http://HOST:PORT or https://HOST.")
    return url.rstrip("/")


def _token(text: str) -> str:
    """Without the end of its line; what no header may hold is refused here, for the refusal of a header shows it."""
    token = text.strip()
    if not (token.isascii() and token.isprintable()):
        raise ValueError("The API token holds a character that is in no token: copy it again.")
    return token


def _path(call: Call[Any], places: Mapping[str, object]) -> str:
    """Each place as one part of the path, whatever is in it."""
    return call.path.format(**{name: quote(str(value), safe="") for name, value in places.items()})


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _parsed(call: Call[T], answer: httpx.Response) -> T:
    if call.answer is type(None):
        return None
    try:
        return TypeAdapter(call.answer).validate_json(answer.content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the answer"
        tail = "" if call.reads else f" {PERHAPS}"
        raise BadReply(f"{call.method} {call.path}: {field}: {first['msg']}.{tail}") from None


def _problem(answer: httpx.Response, url: str, *, is_read: bool) -> DaqError:
    """The error that an answer stands for, with what it says."""
    status, said = answer.status_code, _said(answer)
    detail = str(said.get("detail") or f"{url} answered {status} {answer.reason_phrase}.")
    if answer.is_redirect:
        return BadReply(f"{url} sends on to {answer.headers.get('Location', 'elsewhere')}: give that address.")
    if status in AWAY:
        # Who says so may be a proxy, which had passed the order on.
        return Unavailable(detail if is_read else f"{detail} {PERHAPS}")
    if status == httpx.codes.CONFLICT:
        return Refused(status, detail, tuple(map(str, said.get("reasons") or ())))
    if status in (httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY):
        return WrongInput(status, detail, said.get("fields"))
    kinds: dict[int, type[SaidNo]] = {401: NotAllowed, 403: NotAllowed, 404: NotThere}
    return kinds.get(status, Failed)(status, detail)


def _said(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
