"""The simulated detector behind the product's back: its control port, and the files on its nodes."""

import json
from typing import Any

from tests.deploy.stack import Stack

ASK = """
import sys, urllib.request
method, path, body = sys.argv[1:]
request = urllib.request.Request("http://127.0.0.1:8900" + path, body.encode() or None, method=method)
print(urllib.request.urlopen(request, timeout=20).read().decode())
"""
# Each frame is read anew, with nothing of what the product noted about it.
COUNT = """
import json, mmap, pathlib, sys
from get_protocol.graw import walk
found = {}
for path in sorted(pathlib.Path("/simulator/nodes").glob("*/staging/" + sys.argv[1] + "/*.graw")):
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        node = found.setdefault(path.parts[3], {"frames": 0, "events": []})
        for header in walk(content):
            if header.event_idx is not None:
                node["frames"] += 1
                node["events"].append(header.event_idx)
for node in found.values():
    node["events"] = sorted(set(node["events"]))
print(json.dumps(found))
"""
STAGED = "find /simulator/nodes/*/staging -maxdepth 1 -name '*.graw'"


class Detector:
    """Of the profile `simulator`."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def _ask(self, method: str, path: str, body: object = "") -> Any:
        text = json.dumps(body) if body != "" else ""
        return json.loads(self.stack.inside("simulator", "python", "-c", ASK, method, path, text))

    def speed(self, speed: float, event_rate: float) -> None:
        """Operations take less time, and the data rate is another."""
        self._ask("POST", "/speed", {"speed": speed, "event_rate": event_rate})

    def truth(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", "/state")
        return found

    def frames(self) -> dict[str, tuple[int, int]]:
        """Board -> frames sent and lost since the simulator began."""
        return {board["name"]: (board["frames_sent"], board["frames_lost"]) for board in self.truth()["boards"]}

    def in_files(self, directory: str) -> dict[str, dict[str, Any]]:
        """Node -> number of frames in the files of a run's directory, and their event numbers."""
        found: dict[str, dict[str, Any]] = json.loads(self.stack.inside("simulator", "python", "-c", COUNT, directory))
        return found

    def staged(self) -> list[str]:
        """Files that belong to no run yet."""
        return self.stack.inside("simulator", "sh", "-c", STAGED).split()


def node_of(board: str) -> str:
    """`CoBo[3]` -> `node-cobo3`, `Mutant[master]` -> `node-mutant`."""
    name, place = board.rstrip("]").split("[")
    return f"node-{name.lower()}{place}" if place.isdigit() else f"node-{name.lower()}"


def missing(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], kept: dict[str, Any]) -> list[str]:
    """What the boards sent between the two moments and is not in the files, or was lost; empty when all is there."""
    wrong = []
    for board, (sent, lost) in after.items():
        sent_now, lost_now = sent - before[board][0], lost - before[board][1]
        in_files = kept.get(node_of(board), {"frames": 0})["frames"]
        if in_files != sent_now or lost_now or not sent_now:
            wrong.append(f"{board}: sent {sent_now}, lost {lost_now}, in files {in_files}")
    return wrong
