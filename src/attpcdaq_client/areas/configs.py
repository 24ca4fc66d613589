"""Configurations: compared, and their exact bytes."""

from collections.abc import Sequence
from datetime import datetime

from attpcdaq_client.areas.area import Area
from attpcdaq_client.calls import Call, Model


class Difference(Model):
    """One parameter that is not the same."""

    group: str
    parameter: str
    old: str | None = None
    new: str | None = None


class Pair(Model):
    """Two files that these ECC servers have in common; at most 1000 differences are listed."""

    kind: str
    likeness: str
    ecc_servers: list[str] = []
    old_name: str | None = None
    new_name: str | None = None
    old_sha256: str | None = None
    new_sha256: str | None = None
    problem: str = ""
    count: int = 0
    differences: list[Difference] = []


class Choice(Model):
    """A configuration that fits; used here in `runs` of the latest ones, and by `others`."""

    describe: str
    prepare: str
    configure: str
    listed: bool = True
    chosen: bool = False
    others: list[str] = []
    runs: int = 0
    last_experiment: str | None = None
    last_run: int | None = None


class Choices(Model):
    """What fits one ECC server."""

    ecc_server: str
    describe_name: str = ""
    fetched_at: datetime | None = None
    listed: int = 0
    choices: list[Choice] = []


class Chosen(Model):
    """How many ECC servers changed, and where the names do not fit."""

    changed: int
    without: list[str] = []


DIFF = Call("GET", "/configurations/diff", list[Pair], query=("a", "b"))
BYTES = Call("GET", "/configurations/{sha256}", bytes)
CHOICES = Call("GET", "/configurations/choices", list[Choices], query=("ecc_server",))
CHOOSE = Call("POST", "/configurations/choose", Chosen, body=("ecc_server", "describe", "prepare", "configure"))
FETCH = Call("POST", "/configurations/fetch", list[Choices], body=("ecc_servers",))


class Configs(Area):
    """Configurations of runs and of now."""

    def diff(self, a: str, b: str) -> list[Pair]:
        """Each side is EXPERIMENT/NUMBER, EXPERIMENT/NUMBER/loaded, or now."""
        return self._send(DIFF, query={"a": a, "b": b})

    def content(self, sha256: str) -> bytes:
        """The exact bytes of a file."""
        return self._send(BYTES, sha256=sha256)

    def choices(self, ecc_server: str | None = None) -> list[Choices]:
        """What fits each ECC server, or this one."""
        return self._send(CHOICES, query={"ecc_server": ecc_server})

    def choose(
        self, prepare: str, configure: str, *, ecc_server: str | None = None, describe: str | None = None
    ) -> Chosen:
        """Wherever these names fit; for one ECC server with the name for Describe too."""
        names = {"describe": describe, "prepare": prepare, "configure": configure}
        return self._send(CHOOSE, body={"ecc_server": ecc_server, **names})

    def fetch(self, ecc_servers: Sequence[str] | None = None) -> list[Choices]:
        """Ask them (all) anew which configurations they list."""
        return self._send(FETCH, body={"ecc_servers": list(ecc_servers) if ecc_servers else None})
