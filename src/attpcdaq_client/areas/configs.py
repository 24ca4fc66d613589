"""Configurations: compared, and their exact bytes."""

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


DIFF = Call("GET", "/configurations/diff", list[Pair], query=("a", "b"))
BYTES = Call("GET", "/configurations/{sha256}", bytes)


class Configs(Area):
    """Configurations of runs and of now."""

    def diff(self, a: str, b: str) -> list[Pair]:
        """Each side is EXPERIMENT/NUMBER, EXPERIMENT/NUMBER/loaded, or now."""
        return self._send(DIFF, query={"a": a, "b": b})

    def content(self, sha256: str) -> bytes:
        """The exact bytes of a file."""
        return self._send(BYTES, sha256=sha256)
