"""A stack in a copy of the project: its verbs as an operator says them, and its containers as the engine sees them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.deploy.programs import Failed, must, output
from tests.deploy.runner import wait_for

ROOT_USER = "0"
# What Compose draws where it takes the other end for a terminal.
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Stack:
    """`project` names its containers and volumes; the ports are free ones."""

    def __init__(self, root: Path, project: str) -> None:
        self.root, self.project = root, project
        self.http, self.https = free_port(), free_port()
        self.environment = {
            "COMPOSE_PROJECT_NAME": project,
            "ATTPCDAQ_HTTP_PORT": str(self.http),
            "ATTPCDAQ_HTTPS_PORT": str(self.https),
        }

    def verb(self, *words: str, status: int = 0, seconds: float = 420.0, **environment: str) -> str:
        """`deploy/stack` with these words; nobody is there to answer a question."""
        return self._run([sys.executable, "deploy/stack", *words], status, seconds, environment)

    def compose(self, *words: str, seconds: float = 300.0) -> str:
        return self._run(["docker", "compose", "--profile", "*", *words], 0, seconds, {})

    def secrets(self) -> set[bytes]:
        """Lines of .env, and what is in secrets/ (known_hosts grows with what is simulated)."""
        keys = [path for path in (self.root / "secrets").rglob("*") if path.is_file() and path.name != "known_hosts"]
        settings = (self.root / ".env").read_bytes().splitlines()
        return {line for line in settings if not line.startswith(b"COMPOSE_PROFILES")} | {
            path.read_bytes() for path in keys
        }

    def log(self, service: str) -> str:
        return must("docker", "logs", self.container(service)["Id"])

    def offsite(self, target: str) -> str:
        """Copy the dumps there, once."""
        words = ("run", "--rm", "--no-deps", "-T", "--env", f"ATTPCDAQ_OFFSITE={target}", "offsite")
        return self.compose(*words, "python", "manage.py", "offsite", "/backups", "--once")

    def _run(self, command: list[str], status: int, seconds: float, environment: dict[str, str]) -> str:
        changed = [f"{name}={value}" for name, value in {**self.environment, **environment}.items()]
        return must("env", *changed, *command, cwd=self.root, seconds=seconds, status=status)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service -> what `docker inspect` says of its container, running or not."""
        label = f"label=com.docker.compose.project={self.project}"
        names = output("docker", "ps", "--all", "--quiet", "--filter", label).split()
        found = json.loads(output("docker", "inspect", *names) or "[]") if names else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def container(self, service: str) -> dict[str, Any]:
        found = self.containers().get(service)
        if found is None:
            raise Failed(f"{service} has no container")
        return found

    def inside(self, service: str, *command: str, stdin: str | None = None) -> str:
        """What a command prints that runs in the container of a service."""
        words = ["docker", "exec", *(["-i"] if stdin is not None else []), self.container(service)["Id"], *command]
        return must(*words, stdin=stdin, seconds=90)

    def manage(self, *words: str) -> str:
        return self.inside("celery", "python", "manage.py", *words).strip()

    def ask(self, question: str) -> str:
        """Of the database: a line for each row."""
        words = ("psql", "--username", "attpcdaq", "--dbname", "attpcdaq", "--no-psqlrc", "-v", "ON_ERROR_STOP=1")
        return self.inside("db", *words, "--tuples-only", "--no-align", "--command", question).strip()

    def is_healthy(self, service: str) -> bool:
        state = self.container(service)["State"]
        return state["Status"] == "running" and state.get("Health", {}).get("Status", "healthy") == "healthy"

    def kill(self, service: str) -> int:
        """End its main process at once, from outside; how often it had been started again before.

        `docker kill` would count as the wish of an operator, after whom nothing is started again.
        """
        container = self.container(service)
        kill(container["Id"], container["State"]["Pid"], container["Config"]["Image"])
        return int(container["RestartCount"])

    def wait_until_back(self, service: str, restarts: int, seconds: float) -> None:
        """Started anew by its restart policy, and healthy."""

        def back() -> bool:
            return int(self.container(service)["RestartCount"]) > restarts and self.is_healthy(service)

        wait_for(back, f"{service} to be back", seconds)

    def memory(self) -> dict[str, float]:
        """Service -> MB in use, without what is only cached."""
        names = {
            one["Name"].strip("/"): service for service, one in self.containers().items() if one["State"]["Running"]
        }
        lines = must("docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names).splitlines()
        return {names[line.split()[0]]: megabytes(line.split()[1]) for line in lines}

    def words(self) -> str:
        """States and last lines of all containers."""
        if not self.containers():
            return ""
        text = self.compose("ps", "--all", "--format", "table {{.Service}}\t{{.Status}}")
        said = CONTROL.sub("", self.compose("logs", "--no-color", "--tail", "5"))
        return text + "\n".join(line[:200] for line in said.splitlines())

    def remove(self) -> None:
        """With volumes: nothing is left."""
        if (self.root / ".env").exists():
            self.compose("down", "--volumes", "--remove-orphans", "--timeout", "3")


def kill(container: str, pid: int, image: str) -> None:
    """SIGKILL to a container's main process."""
    try:
        mine = container in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        mine = False
    if mine and os.geteuid() == 0:
        os.kill(pid, 9)
        return
    # An engine elsewhere (in a virtual machine), or not root: through a container that sees the engine's processes.
    words = ["docker", "run", "--rm", "--pid", "host", "--user", ROOT_USER, "--cap-add", "KILL", "--network", "none"]
    must(*words, "--entrypoint", "sh", image, "-c", f"kill -9 {pid}")


def megabytes(text: str) -> float:
    """Docker's own way to write sizes: `12.3MiB`, `1.5GB`."""
    units = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "B": 1}
    for unit, factor in units.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor / 1e6
    raise ValueError(f"{text!r} is no size")


def free_port() -> int:
    """One that nobody listens on now, below the range for outgoing connections' ports where that is usual."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def image_megabytes(name: str) -> float:
    return int(must("docker", "image", "inspect", "--format", "{{.Size}}", name)) / 1e6


def in_background(*command: str, **environment: str) -> "subprocess.Popen[bytes]":
    """What goes on while checks wait for containers."""
    return subprocess.Popen(
        command, env={**os.environ, **environment}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """With its children, if it has not ended by itself."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
