"""The unit files of deploy/systemd as this computer can run them: their commands, here, with settings for a test."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.services.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy" / "systemd"
INSTALLED = "/opt/attpcdaq"


class Unit:
    """One unit file with what attpcdaq-.service.d adds to it: every value of each key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[str, list[str]] = {}
        for path in (UNITS / f"{name}.service", UNITS / "attpcdaq-.service.d" / "common.conf"):
            for line in path.read_text().replace("\\\n", " ").splitlines():
                key, equals, value = line.partition("=")
                if equals and not line.startswith("#"):
                    self.values.setdefault(key, []).append(value)

    def one(self, key: str) -> str:
        (value,) = self.values[key]
        return value

    def commands(self) -> list[list[str]]:
        return [shlex.split(value) for value in self.values["ExecStart"]]

    def environment(self) -> dict[str, str]:
        words = shlex.split(" ".join(self.values["Environment"]))
        return dict(word.split("=", 1) for word in words)


@dataclass(frozen=True)
class Here:
    """Where on this computer is what the units expect at fixed places."""

    directory: Path
    ports: dict[str, int]
    settings: dict[str, str]

    def put(self, text: str) -> str:
        """`text` with the places and ports of a test in it."""
        for there, here in (
            (f"{INSTALLED}/.venv/bin/python", sys.executable),
            (INSTALLED, str(ROOT)),
            ("/etc/attpcdaq", str(self.directory)),
            ("/var/lib/attpcdaq/backups", str(self.directory / "backups")),
            ("/srv/attpcdaq", str(self.directory)),
            ("/run/attpcdaq-monitor", str(self.directory)),
            *((f"127.0.0.1:{port}", f"127.0.0.1:{here}") for port, here in self.ports.items()),
        ):
            text = text.replace(there, here)
        return text

    def command(self, words: list[str]) -> list[str]:
        return [self.put(word) for word in words]

    def environment(self, unit: Unit) -> dict[str, str]:
        """As systemd makes it: what the unit says, and over it what /etc/attpcdaq/env says."""
        return {name: self.put(value) for name, value in {**unit.environment(), **self.settings}.items()}


def example_settings() -> dict[str, str]:
    """What deploy/systemd/env.example sets, without what is commented out."""
    lines = (UNITS / "env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def ports() -> dict[str, int]:
    return {port: free_port() for port in ("8001", "8002", "8080")}
