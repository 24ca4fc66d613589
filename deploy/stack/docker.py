"""Docker Compose as a command line."""

import json
import os
import re
import subprocess
from typing import Any

from place import ROOT
from trouble import Trouble

# Health checks that are quicker while a container starts need both; engines are numbered 17 ... 29.
COMPOSE, ENGINE = (2, 24), (25, 0)


def check() -> None:
    """An engine answers, and it and Compose are new enough."""
    try:
        said = subprocess.run(["docker", "compose", "version", "--short"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Trouble("there is no `docker`: install Docker Engine with the Compose plugin") from None
    if said.returncode or not said.stdout.strip():
        raise Trouble(f"`docker compose` does not answer: install Docker's Compose plugin, {_text(COMPOSE)} or newer")
    _check_version("Docker Compose", said.stdout.strip(), COMPOSE)
    words = ["docker", "version", "--format", "{{.Server.Version}}"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    if said.returncode:
        raise Trouble("the Docker Engine does not answer: start it (systemctl start docker), or join the group docker")
    _check_version("the Docker Engine", said.stdout.strip(), ENGINE)


def _check_version(what: str, version: str, needed: tuple[int, int]) -> None:
    found = re.match(r"v?(\d+)\.(\d+)", version)
    # Who numbers it otherwise is tried.
    if found and (int(found[1]), int(found[2])) < needed:
        raise Trouble(f"{what} is {version}; needed is {_text(needed)} or newer")


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def compose(*words: str, stdin: str | None = None) -> None:
    """Run and show it; Trouble when it fails."""
    done = subprocess.run(["docker", "compose", *words], cwd=ROOT, input=stdin, text=True, check=False)
    if done.returncode:
        raise Trouble(f"`docker compose {' '.join(words)}` failed ({done.returncode}); what it said is above")


def fails(*words: str) -> str:
    """What it says when it fails; empty when it does not."""
    done = _captured(words)
    return f"{done.stdout}\n{done.stderr}\nexit status {done.returncode}".strip() if done.returncode else ""


def read(*words: str, stdin: str | None = None) -> str:
    """What it prints; Trouble with its last words when it fails."""
    done = _captured(words, stdin)
    if done.returncode:
        raise Trouble(f"`docker compose {' '.join(words)}` failed: {_last_words(done.stderr or done.stdout)}")
    return done.stdout


def containers() -> list[dict[str, Any]]:
    """One dictionary for each container of the stack, running or not."""
    return [json.loads(line) for line in read("ps", "--all", "--format", "json").splitlines()]


def _captured(words: tuple[str, ...], stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
    # Else it writes signs for a terminal between the lines, whoever reads them.
    environment = {**os.environ, "COMPOSE_ANSI": "never"}
    command = ["docker", "compose", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, input=stdin, capture_output=True, text=True, check=False)


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
