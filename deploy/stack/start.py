"""`up`: from nothing to a running system."""

import socket
import subprocess

import docker
import keys
import place
import simulated
from trouble import Trouble

HEALTHY_WITHIN = 240
PORTS = {"ATTPCDAQ_HTTP_PORT": "8080"}


def up(simulator: bool) -> None:
    """Settings, images, keys, containers; then where to go. Saying it again is harmless."""
    docker.check()
    fresh = place.write_settings()
    place.check_settings()
    _check_version(fresh)
    _check_ports()
    print("Building the images ...")
    docker.compose("--progress", "quiet", "build")
    keys.make()
    print("Starting, and waiting until everything is healthy ...")
    _start(["--profile", "simulator"] if simulator else [])
    if simulator:
        simulated.join()
    _welcome()


def _check_version(fresh: bool) -> None:
    running = place.setting("ATTPCDAQ_VERSION")
    if not running:
        place.change_setting("ATTPCDAQ_VERSION", place.version())
    elif not fresh and running != place.version():
        raise Trouble(f"what runs here is version {running}, this copy is {place.version()}: use `make upgrade`")


def _check_ports() -> None:
    """A port that our own nginx holds is fine."""
    if any(one["Service"] == "nginx" and one["State"] == "running" for one in docker.containers()):
        return
    for name, default in PORTS.items():
        port = place.setting(name, default)
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise Trouble(f"{name}={port} in .env is not a port: give a whole number from 1 to 65535")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", int(port)))
            except OSError as error:
                raise Trouble(
                    f"port {port} cannot be had ({error.strerror}): end what uses it, or set {name} in .env to another"
                ) from None


def _start(profile: list) -> None:
    words = [*profile, "up", "--detach", "--wait", "--wait-timeout", str(HEALTHY_WITHIN), "--remove-orphans"]
    done = subprocess.run(
        ["docker", "compose", "--progress", "quiet", *words],
        cwd=place.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Trouble(_what_is_wrong(done.stderr))


def _what_is_wrong(said: str) -> str:
    """Which services are not well, and the last words of the first of them."""
    sick = [one for one in docker.containers() if not _is_well(one)]
    if not sick:
        return f"not everything became healthy within {HEALTHY_WITHIN} s: {said.strip()}"
    names = ", ".join(f"{one['Service']} ({one['Health'] or one['State']})" for one in sick)
    last = docker.read("logs", "--no-color", "--no-log-prefix", "--tail", "8", sick[0]["Service"])
    return f"not healthy: {names}. The last lines of {sick[0]['Service']}:\n{last}"


def _is_well(container: dict) -> bool:
    if container["Service"] == "migrate":
        return container["State"] == "exited" and container["ExitCode"] == 0
    return container["State"] == "running" and container["Health"] in ("", "healthy")


def _welcome() -> None:
    print(f"\nThe AT-TPC DAQ {place.version()} runs: http://127.0.0.1:{place.setting('ATTPCDAQ_HTTP_PORT', '8080')}/")
    print(keys.first_admin())
