"""Drift: a configuration file that an ECC server has in use is not on the disk any more as it was read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from attpcdaq.live.models import DiskConfig, ECCState, UsedConfig
from attpcdaq.live.prepared import Prepared
from attpcdaq.topology.models import ConfigKind, ConfigSource
from get_protocol.state_machine import State

# The lowest state in which a file is in use, and which transition read it.
IN_USE_FROM: Mapping[str, State] = {
    ConfigKind.DESCRIBE: State.DESCRIBED,
    ConfigKind.HARDWARE: State.DESCRIBED,
    ConfigKind.PREPARE: State.PREPARED,
    ConfigKind.CONFIGURE: State.READY,
}
READ_BY = {State.DESCRIBED: "Describe", State.PREPARED: "Prepare", State.READY: "Configure"}


@dataclass(frozen=True, slots=True)
class Drift:
    """One file of one ECC server; `blob` is what lies there now, None where it is gone or cannot be read."""

    server_id: int
    path: str
    kinds: tuple[str, ...]
    blob: str | None
    problem: str

    @property
    def back_to(self) -> State:
        """The highest state in which none of it is in use."""
        return State(min(IN_USE_FROM[kind] for kind in self.kinds) - 1)

    @property
    def text(self) -> str:
        """What the crew reads."""
        after = " and ".join(READ_BY[state] for state in sorted({IN_USE_FROM[kind] for kind in self.kinds}))
        name = self.path.rpartition("/")[2]
        if self.blob is None:
            return f"{name} was changed on disk after {after}, and what it is now is not known: {self.problem}."
        return f"{name} changed on disk after {after}: what runs is the old one; Go to Ready loads the new one."


def _used() -> QuerySet[UsedConfig, tuple[int, str, str, str | None]]:
    """(ECC server, kind, name, content) of every file that was read."""
    read = UsedConfig.objects.filter(source=ConfigSource.FILE, blob__isnull=False)
    return read.values_list("ecc_server_id", "kind", "name", "blob_id")


_USED = Prepared(_used)


def drifts(server_ids: Collection[int] | None = None) -> list[Drift]:
    """Every drift of these ECC servers, or of all."""
    used = _USED.rows() if server_ids is None else _used().filter(ecc_server_id__in=server_ids)
    files = {(row[0], row[1], row[2]): row[3] for row in used}
    if not files:
        return []
    states = dict(ECCState.objects.values_list("ecc_server_id", "state"))
    found: dict[tuple[int, str], Drift] = {}
    for server, kind, name, path, blob, problem in DiskConfig.objects.values_list(
        "ecc_server_id", "kind", "name", "path", "blob_id", "problem"
    ):
        then = files.get((server, kind, name))
        if then in (None, blob) or (states.get(server) or State.OFF) < IN_USE_FROM[kind]:
            continue
        before = found.get((server, path))
        found[server, path] = Drift(server, path, (*(before.kinds if before else ()), kind), blob, problem)
    return list(found.values())
