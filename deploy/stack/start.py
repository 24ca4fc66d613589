"""`up`: from nothing to a running system."""

from typing import Any

import database
import docker
import keys
import place
import ports
import simulated
from trouble import Trouble

HEALTHY_WITHIN = 240
DEPLOYED = place.ROOT / ".deployed.yaml"


def up(simulator: bool) -> None:
    """Settings, images, keys, containers; then where to go. Saying it again is harmless."""
    docker.check()
    place.settle()
    ports.check()
    if simulator:
        place.add_profile("simulator")
    prepare()
    start()
    remember()
    if simulator:
        simulated.join()
    welcome()


def prepare() -> None:
    """Images, keys and directories."""
    print("Building the images ...")
    said = docker.fails("--progress", "plain", "build")
    if said:
        last = "\n".join(said.splitlines()[-25:])
        raise Trouble(f"the images cannot be built; nothing was changed. The last lines:\n{last}")
    place.make_directory(place.backups())
    keys.make()


def start(*options: str) -> None:
    """Start everything and wait; Trouble names who is not well and what it said last."""
    print("Starting, and waiting until everything is healthy ...")
    words = [*options, "up", "--detach", "--wait", "--wait-timeout", str(HEALTHY_WITHIN), "--remove-orphans"]
    said = docker.fails("--progress", "quiet", *words)
    if said:
        raise Trouble(_what_is_wrong(said))


def remember() -> None:
    """Keep what was started, word for word: a failed upgrade goes back to it, and none is under way."""
    database.forget_upgrade()
    place.write_private(DEPLOYED, docker.read("--profile", "*", "config"))


def start_remembered() -> None:
    """Start what ran before."""
    if not DEPLOYED.exists():
        raise Trouble(f"{DEPLOYED} is missing: check out the version that ran before, and `make up`")
    start("--file", str(DEPLOYED), "--project-directory", str(place.ROOT))


def _what_is_wrong(said: str) -> str:
    """Which services are not well, and the last words of the first of them."""
    # Who was never started waits for somebody who is not well.
    sick = sorted((one for one in docker.containers() if not _is_well(one)), key=lambda one: one["State"] == "created")
    if not sick:
        return f"not everything became healthy within {HEALTHY_WITHIN} s: {said.strip()}"
    names = ", ".join(f"{one['Service']} ({one['Health'] or one['State']})" for one in sick)
    last = docker.read("logs", "--no-color", "--no-log-prefix", "--tail", "8", sick[0]["Service"])
    return f"not healthy: {names}. The last lines of {sick[0]['Service']}:\n{last}"


def _is_well(container: dict[str, Any]) -> bool:
    if container["Service"] == "migrate":
        return container["State"] == "exited" and container["ExitCode"] == 0
    return container["State"] == "running" and container["Health"] in ("", "healthy")


def welcome() -> None:
    """Where to go, and as whom."""
    print(f"\nThe AT-TPC DAQ {place.version()} runs:")
    print(f"  http://127.0.0.1:{place.setting(*ports.HTTP)}/   (only on this computer)")
    near = place.setting(*ports.BIND) == ports.BIND[1]
    print(f"  https://{ports.BIND[1] if near else place.hosts()[-1]}:{place.setting(*ports.HTTPS)}/")
    print(keys.first_admin())
