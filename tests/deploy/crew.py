"""What a crew does, by the API."""

from typing import Any

from tests.deploy.door import Api
from tests.deploy.programs import Failed
from tests.deploy.runner import wait_for

OVER = ("done", "failed", "expired")


class Crew:
    """Commands, and what came of them."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def take_control(self) -> None:
        status, answer = self.api.call("POST", "/control", {"action": "take"})
        if status not in (200, 201, 204):
            raise Failed(f"control could not be taken: {status} {answer}")

    def do(self, action: str, seconds: float = 60.0, **wish: object) -> dict[str, Any]:
        """Ask for it and see it done."""
        return self.see_done(self.ask(action, **wish), seconds)

    def ask(self, action: str, **wish: object) -> str:
        status, answer = self.api.call("POST", "/commands", {"action": action, **wish})
        if status != 202:
            raise Failed(f"{action} was answered {status}: {answer}")
        return str(answer["id"])

    def see_done(self, command: str, seconds: float = 60.0) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def over() -> bool:
            found.update(self.api.get(f"/commands/{command}"))
            return found["state"] in OVER

        wait_for(over, f"the end of command {command}", seconds)
        if found["state"] != "done":
            raise Failed(f"{found['action']} is {found['state']}: {found['message']}")
        return found

    def states(self) -> set[str]:
        """Of the ECC servers."""
        return {server["state"] for server in self.api.status()["ecc_servers"]}

    def make_ready(self) -> None:
        wait_for(lambda: self.api.status()["actions"]["go_ready"]["allowed"], "a way to Ready", 40)
        self.do("go_ready", 90)
        wait_for(lambda: self.states() == {"ready"}, "every ECC server in Ready", 20)

    def run(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/runs/{number}")
        return found

    def see_closed(self, number: int, seconds: float = 60.0) -> dict[str, Any]:
        wait_for(lambda: self.run(number)["state"] == "closed", f"run {number} to be closed", seconds)
        return self.run(number)

    def manifest(self, experiment: str, number: int, seconds: float = 90.0) -> dict[str, Any]:
        """When all files have been read."""
        path, found = f"/runs/{experiment}/{number}/manifest", {}

        def judged() -> bool:
            status, answer = self.api.call("GET", path)
            found.update(answer if status == 200 else {})
            return bool(found.get("verdict"))

        wait_for(judged, f"the manifest of run {number}", seconds)
        return found
