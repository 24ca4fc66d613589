"""The product served over a real socket, and the command in front of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.contrib.auth.models import User

from attpcdaq.audit.people import DAQ
from attpcdaq.web import tokens
from attpcdaq_client import Client
from attpcdaq_client.calls import Call
from attpcdaq_client.commands.program import program
from tests.web.people import admin, expert, observer, operator

PEOPLE: dict[str, Callable[[], User]] = {"observer": observer, "shifter": operator, "expert": expert, "admin": admin}


@dataclass
class Shell:
    """Somebody at a terminal, with the token of one of PEOPLE."""

    url: str
    clients: list[Client] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, role: str = "shifter") -> str:
        if role not in self.tokens:
            self.tokens[role] = tokens.create(f"of a {role}", PEOPLE[role](), DAQ)
        return self.tokens[role]

    def client(self, role: str = "shifter", **more: Any) -> Client:
        return Client(self.url, self.token(role), **more)

    def run(self, *words: str, role: str = "shifter", **more: Any) -> Result:
        """`attpcdaq WORDS`; what it asked is in `asked`."""
        environment = {"ATTPCDAQ_URL": self.url, "ATTPCDAQ_TOKEN": self.token(role)}
        return CliRunner().invoke(program, words, env=environment, obj=self._connected, **more)

    def ok(self, *words: str, role: str = "shifter") -> str:
        """The same, which must do what it is told; stdout."""
        result = self.run(*words, role=role)
        assert result.exit_code == 0, result.output
        return result.stdout

    def _connected(self, *arguments: Any, **options: Any) -> Client:
        self.clients.append(Client(*arguments, **options))
        return self.clients[-1]

    @property
    def asked(self) -> list[Call[Any]]:
        """Every call of every command so far."""
        return [call for client in self.clients for call in client.connection.asked]


@pytest.fixture
def shell(live_server: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Nothing of whoever runs the tests is looked at."""
    for name in ("ATTPCDAQ_URL", "ATTPCDAQ_TOKEN", "ATTPCDAQ_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Shell(live_server.url)
