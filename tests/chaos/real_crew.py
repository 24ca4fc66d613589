"""Somebody who looks at the page and presses what makes sense, and whether the page is what the hardware is."""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.real_parts import Real
from tests.e2e.http_json import AWAY, call

OVER = ("done", "failed", "expired")
AT_REST = ("running",)
STATES = ("off", "idle", "described", "prepared", "ready", "running", "paused")
FRESH = 4.0


@dataclass
class Press:
    """A button that was pressed, and what the answer was: status 0 where there was none."""

    action: str
    at: float
    status: int = 0
    answer: Any = None
    thread: threading.Thread = field(default_factory=threading.Thread)


class Crew:
    """One person with one token."""

    def __init__(self, real: Real, choice: random.Random) -> None:
        self._system, self._choice = real.system, choice
        self.presses: list[Press] = []

    def look(self) -> dict[str, Any] | None:
        """The status as the page has it; None when nobody answers."""
        try:
            code, status = self._system.api("GET", "/status")
        except AWAY:
            return None
        return status if code == 200 else None

    def next_action(self, status: dict[str, Any]) -> str:
        """What somebody would press who wants to take runs, and sometimes to start from further back."""
        allowed = [name for name, action in status["actions"].items() if action["allowed"]]
        if status["run"] or "running" in {server["state"] for server in status["ecc_servers"]}:
            return "stop" if "stop" in allowed else ""
        back = [name for name in ("go_idle", "breakup", "undo") if name in allowed]
        if "start" in allowed and (not back or self._choice.random() < 0.65):
            return "start"
        forth = [name for name in ("go_ready", "configure", "prepare", "describe") if name in allowed]
        ready = "start" in allowed
        return self._choice.choice(back) if ready and back else next(iter(forth or back), "")

    def press(self, action: str) -> Press:
        """Press it and go on; the answer comes later, or never."""
        press = Press(action, time.time())
        self.presses.append(press)
        press.thread = threading.Thread(target=self._post, args=(press,), daemon=True)
        press.thread.start()
        return press

    def _post(self, press: Press) -> None:
        try:
            wish = {"action": press.action, "confirm": True}
            press.status, press.answer = self._system.api("POST", "/commands", wish)
        except AWAY as error:
            press.answer = repr(error)


def what_is_wrong(crew: Crew, control: str) -> str:
    """Why the page is not right, or is not at rest; nothing when it shows what the hardware does."""
    return page_is_wrong(crew, control) or under_way(crew)


def page_is_wrong(crew: Crew, control: str) -> str:
    """Where the page differs from the hardware, whatever is under way."""
    status = crew.look()
    if status is None:
        return "nobody answers"
    if not status["monitor_alive"]:
        return "the monitor is silent"
    return _unlike(status, call("GET", f"{control}/state")[1])


def under_way(crew: Crew) -> str:
    """What has not come to its end: a command, or a run between two states in which it can stay."""
    status = crew.look()
    if status is None:
        return "nobody answers"
    command, run = status["command"], status["run"]
    if command and command["state"] not in OVER:
        return f"{command['action']} is {command['state']}: {command['message']}"
    return f"the run is {run['state']}" if run and run["state"] not in AT_REST else ""


def _unlike(status: dict[str, Any], truth: dict[str, Any]) -> str:
    """Where the page differs from the hardware."""
    real = {server["name"]: server for server in truth["ecc_servers"]}
    for server in status["ecc_servers"]:
        meant = STATES[real[server["name"]]["state"]]
        if server["state"] != meant or server["age"] is None or server["age"] > FRESH:
            return f"{server['name']} is {meant}, shown as {server['state']}, {server['age']} s old"
    sending = {board["name"] for board in truth["boards"] if board["running"]}
    if status["run"] and len(sending) < len(truth["boards"]) and status["overall"]["level"] == "ok":
        return f"the run is shown as fine with only {len(sending)} boards running"
    if sending and not status["run"] and status["overall"]["level"] != "bad":
        return f"{len(sending)} boards run without a run and without an alarm"
    return ""
