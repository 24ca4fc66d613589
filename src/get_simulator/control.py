"""The control port: the truth about the detector, and a back door for faults (HTTP and JSON)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from get_simulator.detector import Detector
from get_simulator.faults import BadFault, parse_fault
from get_simulator.snapshot import snapshot

SPEED_LIMITS = {"event_rate": (0.0, 1000.0), "speed": (0.001, 10000.0)}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A wrong body or name is a 400 whose `error` names the field and what is allowed."""
    try:
        return await handler(request)
    except BadFault as error:
        return web.json_response({"error": str(error)}, status=400)


class Control:
    """The handlers, one for each address."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def application(self) -> web.Application:
        app = web.Application(middlewares=[explain])
        app.add_routes(
            [
                web.get("/state", self.state),
                web.get("/calls", self.calls),
                web.get("/journal", self.journal),
                web.get("/faults", self.list_faults),
                web.post("/faults", self.set_fault),
                web.delete("/faults", self.clear_faults),
                web.post("/restart", self.restart),
                web.post("/speed", self.speed),
            ]
        )
        return app

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response(snapshot(self._detector))

    async def calls(self, request: web.Request) -> web.Response:
        """Calls received (GetState only counted, in /state), as seq, at, ecc_server, operation."""
        entries = self._detector.journal.since(_since(request), "call")
        return web.json_response(
            [{"seq": entry.seq, "at": entry.at, "ecc_server": entry.subject, **entry.details} for entry in entries]
        )

    async def journal(self, request: web.Request) -> web.Response:
        entries = self._detector.journal.since(_since(request), request.query.get("kind"))
        return web.json_response([entry.as_json() for entry in entries])

    async def list_faults(self, request: web.Request) -> web.Response:
        return web.json_response([fault.as_json() for fault in self._detector.faults.faults])

    async def set_fault(self, request: web.Request) -> web.Response:
        fault = parse_fault(await _body(request), self._detector.parts)
        self._detector.set_fault(fault)
        return web.json_response(fault.as_json(), status=201)

    async def clear_faults(self, request: web.Request) -> web.Response:
        target = request.query.get("target")
        if target is not None and target not in self._detector.parts:
            raise BadFault(f"target: must be one of {', '.join(self._detector.parts)}; not {target!r}")
        return web.json_response({"cleared": self._detector.clear_faults(target)})

    async def restart(self, request: web.Request) -> web.Response:
        """Answers when the part is up again."""
        body = await _fields(request, ("target",))
        target, parts = body.get("target"), self._detector.parts
        if not isinstance(target, str) or target not in parts:
            raise BadFault(f"target: must be one of {', '.join(parts)}; not {target!r}")
        await self._detector.restart(target)
        return web.json_response({"restarted": target})

    async def speed(self, request: web.Request) -> web.Response:
        """Sets what is given; transitions already under way keep their time."""
        body = await _fields(request, tuple(SPEED_LIMITS))
        values = {key: _number(key, value) for key, value in body.items() if value is not None}
        pace = self._detector.pace
        pace.event_rate = values.get("event_rate", pace.event_rate)
        pace.speed = values.get("speed", pace.speed)
        return web.json_response({"event_rate": pace.event_rate, "speed": pace.speed})


async def _body(request: web.Request) -> object:
    try:
        return json.loads(await request.text())
    except ValueError as error:
        raise BadFault(f"body: is not valid JSON ({error})") from None


async def _fields(request: web.Request, allowed: tuple[str, ...]) -> dict[str, Any]:
    body = await _body(request)
    if not isinstance(body, dict):
        raise BadFault(f"body: must be a JSON object with {', '.join(allowed)}")
    for key in body:
        if key not in allowed:
            raise BadFault(f"{key}: no such field; allowed: {', '.join(allowed)}")
    return body


def _number(key: str, value: object) -> float:
    low, high = SPEED_LIMITS[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadFault(f"{key}: must be a number from {low} to {high}, not {value!r}")
    return float(value)


def _since(request: web.Request) -> int:
    text = request.query.get("since", "0")
    if not (text.isascii() and text.isdigit()):
        raise BadFault(f"since: must be a whole number from 0, not {text!r}")
    return int(text)
