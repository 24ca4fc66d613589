"""A running system as tests see it: its API, and the simulator's control port behind its back."""

from pathlib import Path
from typing import Any

from attpcdaq.gateways.ports import EccAddress
from tests.e2e.http_json import AWAY, call
from tests.e2e.waiting import wait_for

COBOS = [f"ecc-cobo{number}" for number in range(10)]
SERVERS = [*COBOS, "ecc-mutant"]
OVER = ("done", "failed", "expired")


class System:
    """The product at `url`; `nodes` is where the simulated nodes' files really lie."""

    def __init__(self, url: str, token: str, announced: dict[str, Any]) -> None:
        self.url, self.token = url.rstrip("/"), token
        self.control = f"http://127.0.0.1:{announced['control']}"
        self.ecc_servers = [EccAddress(one["name"], one["address"], one["port"]) for one in announced["ecc_servers"]]
        self.nodes = {node["name"]: Path(node["root"]) for node in announced["nodes"]}

    def api(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, Any]:
        return call(method, f"{self.url}/api/v1{path}", body, token or self.token)

    def status(self) -> dict[str, Any]:
        code, status = self.api("GET", "/status")
        assert code == 200, status
        found: dict[str, Any] = status
        return found

    def answers(self) -> bool:
        """Whether anybody is there."""
        try:
            return self.api("GET", "/status")[0] == 200
        except AWAY:
            return False

    def states(self) -> dict[str, str]:
        """ECC server -> state."""
        return {server["name"]: server["state"] for server in self.status()["ecc_servers"]}

    def server(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.status()["ecc_servers"] if one["name"] == name)
        return found

    def request(self, action: str, **wish: object) -> str:
        """Ask for a command that may be given now; its id."""
        code, answer = self.api("POST", "/commands", {"action": action, **wish})
        assert code == 202, answer
        return str(answer["id"])

    def command(self, command_id: str) -> dict[str, Any]:
        code, found = self.api("GET", f"/commands/{command_id}")
        assert code == 200, found
        answer: dict[str, Any] = found
        return answer

    def finished(self, command_id: str, seconds: float = 30.0) -> dict[str, Any]:
        """The command when it is over, however it ended."""
        return wait_for(lambda: self._if_over(command_id), f"the end of command {command_id}", seconds)

    def _if_over(self, command_id: str) -> dict[str, Any] | None:
        command = self.command(command_id)
        return command if command["state"] in OVER else None

    def do(self, action: str, **wish: object) -> dict[str, Any]:
        """Ask for a command and see it done."""
        command = self.finished(self.request(action, **wish))
        assert command["state"] == "done", command
        return command

    def all_in(self, state: str) -> bool:
        return self.states() == dict.fromkeys(SERVERS, state)

    def ready(self) -> None:
        """Bring everything to Ready, from wherever it is, with no run open, no fault set, and nobody excluded."""
        self.clear_faults()
        before = self.status()
        for server in before["ecc_servers"]:
            if server["excluded"]:
                code, answer = self.api("DELETE", f"/exclusions/{server['name']}")
                assert code == 204, answer
        if before["run"]:
            self.do("stop")
            self.closed()
        if not self.all_in("ready"):
            wait_for(lambda: self.status()["actions"]["go_ready"]["allowed"], "a way to Ready")
            self.do("go_ready")

    def closed(self) -> dict[str, Any]:
        """The newest run once it is closed."""

        def newest() -> dict[str, Any] | None:
            run: dict[str, Any] = self.runs()[0]
            return run if run["state"] == "closed" else None

        return wait_for(newest, "the newest run to be closed")

    def runs(self) -> list[dict[str, Any]]:
        code, runs = self.api("GET", "/runs")
        assert code == 200, runs
        found: list[dict[str, Any]] = runs
        return found

    def fault(self, target: str, fault: str, **more: object) -> None:
        """Let something go wrong in the simulator."""
        code, answer = call("POST", f"{self.control}/faults", {"target": target, "fault": fault, **more})
        assert code == 201, answer

    def clear_faults(self) -> None:
        code, answer = call("DELETE", f"{self.control}/faults")
        assert code == 200, answer

    def truth(self) -> dict[str, Any]:
        """What the simulated hardware really does."""
        code, truth = call("GET", f"{self.control}/state")
        assert code == 200, truth
        found: dict[str, Any] = truth
        return found

    def journal(self, since: int) -> list[dict[str, Any]]:
        """What the simulator did after its entry number `since`: calls, transitions, processes, faults."""
        code, entries = call("GET", f"{self.control}/journal?since={since}")
        assert code == 200, entries
        found: list[dict[str, Any]] = entries
        return found

    def speed(self, speed: float, event_rate: float = 20.0) -> None:
        """Let the hardware take less time than it would, where time is all it costs."""
        assert call("POST", f"{self.control}/speed", {"speed": speed, "event_rate": event_rate})[0] == 200

    def files(self, folder: str = "staging") -> dict[str, list[Path]]:
        """Node -> GRAW files directly in a directory of it."""
        return {name: sorted((root / folder).glob("*.graw")) for name, root in self.nodes.items()}

    def bytes_staged(self) -> int:
        return sum(path.stat().st_size for paths in self.files().values() for path in paths)
