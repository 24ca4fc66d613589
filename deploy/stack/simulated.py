"""The simulated detector of the profile `simulator` becomes the setup."""

import json

import docker
from place import SECRETS

HOST = "simulator"


def join() -> None:
    """Trust the simulated nodes and load them as the setup; repeatable."""
    print("Making the simulated detector the setup ...")
    told = docker.read("exec", "-T", HOST, "cat", "/simulator/announced.json")
    _trust(json.loads(told))
    docker.compose("exec", "-T", "celery", "python", "-m", "attpcdaq.demo.join", HOST, stdin=told)


def _trust(told: dict) -> None:
    path = SECRETS / "known_hosts"
    known = path.read_text(encoding="utf-8")
    wanted = [f"[{HOST}]:{node['ssh_port']} {told['host_key']}\n" for node in told["nodes"] if "ssh_port" in node]
    # In place: containers have this very file, not its name.
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" if known and not known.endswith("\n") else "")
        file.writelines(line for line in wanted if line not in known)
