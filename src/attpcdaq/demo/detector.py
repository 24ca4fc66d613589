"""The simulated detector of a demo: its description, whose ports are chosen once, and where it says it listens."""

import json
import random
import re
import socket
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from attpcdaq.demo.place import DemoError, Place

LOOPBACK = "127.0.0.1"
COBOS = 10
BOARDS = COBOS + 1
# Below the range from which systems take ports for outgoing connections.
PORTS = range(20000, 32000)
TEMPLATE = """\
# The simulated detector of this demo. Change what you like (the simulator's example.toml explains every key);
# the ports are chosen anew when another program has taken one of them.
[detector]
address = "{address}"
cobos = {cobos}
mutant = "readout"
ecc_servers = "one-each"
ecc_port = 0
data_port = 0
ssh_port = 0
control_port = 0
log_frames = true

[physics]
event_rate = 5.0

[ssh]
user = "attpc"
authorized_keys = "{authorized_keys}"
host_key = "{host_key}"
"""


def describe(place: Place) -> None:
    """Write the description, or find it as it is, with ports that are free now."""
    if not place.description.exists():
        text = TEMPLATE.format(
            address=LOOPBACK, cobos=COBOS, authorized_keys=place.authorized_keys, host_key=place.host_key
        )
        place.description.write_text(text, encoding="utf-8")
    detector = _detector(place.description)
    if not all(map(is_free, _ports(detector))):
        _choose_ports(place.description, int(detector.get("cobos", COBOS)) + 1)


def _detector(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("detector", {})
    except (OSError, ValueError) as error:
        raise DemoError(f"{path} cannot be read ({error}): mend it, or delete it to get a new one") from None
    if not isinstance(table, dict) or not isinstance(table.get("cobos", COBOS), int):
        raise DemoError(f"{path}: [detector] must be a table and cobos a number; mend it, or delete it")
    return table


def _ports(detector: dict[str, Any]) -> list[int]:
    """Every port the description asks for; 0 where none was chosen yet."""
    boards = int(detector.get("cobos", COBOS)) + 1
    rows = [detector.get(key, 0) for key in ("ecc_port", "data_port", "ssh_port")]
    return [detector.get("control_port", 0), *(first and first + n for first in rows for n in range(boards))]


def _choose_ports(path: Path, boards: int) -> None:
    """Put a block of free ports into the description."""
    size = 3 * boards + 1
    for first in random.SystemRandom().sample(range(PORTS.start, PORTS.stop - size), 200):
        if all(map(is_free, range(first, first + size))):
            break
    else:
        raise DemoError(f"no {size} free ports in a row were found from {PORTS.start} to {PORTS.stop}")
    text = path.read_text(encoding="utf-8")
    for number, key in enumerate(("ecc_port", "data_port", "ssh_port", "control_port")):
        text = re.sub(rf"(?m)^{key}\s*=\s*\d+", f"{key} = {first + number * boards}", text)
    path.write_text(text, encoding="utf-8")


def is_free(port: int) -> bool:
    """Whether a program may listen on the loopback port now; False for 0."""
    with socket.socket() as probe, suppress(OSError, OverflowError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
        return port != 0
    return False


def announced(place: Place) -> dict[str, Any]:
    """Where the simulator says that everything listens."""
    told: dict[str, Any] = json.loads(place.announce.read_text(encoding="utf-8"))
    return told


def write_known_hosts(place: Place) -> None:
    """Let the product know the simulated nodes' host key."""
    told = announced(place)
    lines = (f"[{node['address']}]:{node['ssh_port']} {told['host_key']}\n" for node in told["nodes"])
    place.known_hosts.write_text("".join(lines), encoding="ascii")
