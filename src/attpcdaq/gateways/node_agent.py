"""NodePort over the small HTTP agent of some AT-TPC nodes: it counts and moves files, and can do no more."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from attpcdaq.gateways.agent_limits import AgentLimits
from attpcdaq.gateways.agent_status import AgentStatus, BadStatus, parse_status, shown
from attpcdaq.gateways.errors import BadReply, GatewayError, NoAnswer, Refused, Unreachable
from attpcdaq.gateways.http_exchange import Answer, exchange
from attpcdaq.gateways.ports import NodeAddress, RouterQuery, RouterReading


class NodeAgent(AgentLimits):
    """Keeps no connection; remembers how much each agent said was written, because it tells only what is new."""

    def __init__(self) -> None:
        self._written: dict[NodeAddress, int] = {}

    async def read_routers(
        self, node: NodeAddress, routers: Sequence[RouterQuery], timeout: float
    ) -> Mapping[str, RouterReading | GatewayError]:
        """An agent watches one router; an answer of status 500 is why that one cannot be told of."""
        answer = await _ask(node, _request(node, "GET", "/status"), timeout)
        if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            words = f"its data router is not online, or its agent has a problem: {shown(answer.body) or 'no words'}"
            return {router.name: Refused(_text(node, words), answer.status) for router in routers}
        status = _status(node, answer)
        counted = self._counted(node, status)
        return {router.name: _reading(node, router, status, counted) for router in routers}

    async def catalog(self, node: NodeAddress, experiment: str, number: int, timeout: float) -> RouterReading:
        """It waits 30 s before it moves anything, and refuses where the run's directory exists."""
        body = json.dumps({"experiment": experiment, "run_number": number}).encode()
        answer = await _ask(node, _request(node, "POST", "/catalog", body), timeout)
        if answer.status != HTTPStatus.OK:
            words = f"its agent did not move the files (HTTP {answer.status}): {shown(answer.body) or 'no words'}"
            raise Refused(_text(node, words), answer.status)
        status = _status(node, answer)
        return _as_reading(status, self._counted(node, status))

    async def close(self) -> None:
        """Every connection ends with its call."""

    def _counted(self, node: NodeAddress, status: AgentStatus) -> tuple[int, int]:
        """Files, and the bytes written to them as far as this gateway was told of them."""
        before = self._written.get(node, 0)
        # Not more than the disk has, whatever was added up.
        self._written[node] = min(max(before + status.written, 0), status.total) if status.files else 0
        return status.files, self._written[node]


def _request(node: NodeAddress, method: str, path: str, body: bytes = b"") -> bytes:
    """HTTP/1.0, so that the answer is in one piece."""
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.0\r\nHost: {node.host}:{node.port}\r\nConnection: close\r\n{kind}\r\n"
    return head.encode("ascii", "replace") + body


async def _ask(node: NodeAddress, request: bytes, timeout: float) -> Answer:
    """One exchange; the errors name the node."""
    try:
        return await exchange(node.host, node.port, request, timeout)
    except (Unreachable, NoAnswer, BadReply) as error:
        raise type(error)(_text(node, str(error))) from error.__cause__


def _status(node: NodeAddress, answer: Answer) -> AgentStatus:
    if answer.status != HTTPStatus.OK:
        raise BadReply(_text(node, f"its agent answered HTTP {answer.status}: {shown(answer.body) or 'no words'}"))
    try:
        return parse_status(answer.body)
    except BadStatus as error:
        raise BadReply(_text(node, f"its agent answered what no agent does: {error}")) from None


def _reading(
    node: NodeAddress, router: RouterQuery, status: AgentStatus, counted: tuple[int, int]
) -> RouterReading | Refused:
    if not status.watches(router.staging_dir):
        words = f"its agent watches {shown(status.data_path)}, and the setup says {router.staging_dir}"
        return Refused(_text(node, f"{words}: correct the staging directory of {router.name}"))
    return _as_reading(status, counted)


def _as_reading(status: AgentStatus, counted: tuple[int, int]) -> RouterReading:
    return RouterReading(status.at_work, (), None, status.free, status.total, counted=counted)


def _text(node: NodeAddress, what: str) -> str:
    return f"{node.name} ({node.host}:{node.port}): {what}"
