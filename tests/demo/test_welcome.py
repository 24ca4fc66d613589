"""What `make demo` prints when all is up: what stands there can be typed."""

import json
import shlex
from pathlib import Path

from attpcdaq.demo.place import Place
from attpcdaq.demo.session import welcome
from get_simulator.faults import FaultKind


def test_how_to_break_something_names_the_port_of_this_simulator(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.password.parent.mkdir(parents=True, exist_ok=True)
    place.password.write_text("secret\n")
    place.announce.write_text(json.dumps({"control": 23456}))
    (line,) = [line for line in welcome(place, 8080).splitlines() if "Break something" in line]
    curl, address, option, fault = shlex.split(line.split("Break something")[1])
    assert (curl, address, option) == ("curl", "http://127.0.0.1:23456/faults", "-d")
    assert FaultKind(json.loads(fault)["fault"]) is FaultKind.DIE
