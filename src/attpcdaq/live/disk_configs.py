"""Configuration files as they lie on the nodes now, where they are in use or chosen: the only writer of DiskConfig."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import PurePosixPath

from django.db import transaction

from attpcdaq.gateways.ports import FileStat, NodeAddress
from attpcdaq.live.drift import Drift, drifts
from attpcdaq.live.models import DiskConfig, Severity, UsedConfig
from attpcdaq.live.store import add_event
from attpcdaq.topology import config_blobs
from attpcdaq.topology.models import ConfigKind, ConfigSource, ECCServer
from attpcdaq.topology.wiring import node_address
from get_protocol import xcfg
from get_protocol.config_set import file_names
from get_protocol.errors import ProtocolError

GONE = "it is gone from its node"
# SFTP gives whole seconds: a file that is younger than this when it is read may change again without a trace.
SETTLED_AFTER = 3.0
# Of one describe file; there are two kinds of boards (facts 3).
MOST_HARDWARE = 20

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to look at: what it is to its ECC server (kind and name), and where it may lie."""

    server_id: int
    server: str
    node: NodeAddress
    keys: tuple[Key, ...]
    paths: tuple[str, ...]
    known: FileStat | None
    """As it was when it was read; None: it is to be read."""
    gone: bool = False
    """It was not there when it was last looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lay there; no stat: it is gone, no data: why it could not be read."""

    wanted: Wanted
    path: str
    stat: FileStat | None = None
    data: bytes | None = None
    problem: str = ""


def wanted() -> list[Wanted]:
    """Every file in use or chosen; rows of others are deleted."""
    rows = ECCServer.objects.exclude(config_dir="").select_related("node", "config_set")
    servers = list(rows.prefetch_related("node__host_keys"))
    used: dict[int, dict[Key, str]] = {}
    for row in UsedConfig.objects.filter(source=ConfigSource.FILE):
        used.setdefault(row.ecc_server_id, {})[row.kind, row.name] = row.path
    disk = {(row.ecc_server_id, row.kind, row.name): row for row in DiskConfig.objects.all()}
    looks = []
    for server in servers:
        mine = {key[1:]: row for key, row in disk.items() if key[0] == server.pk}
        keys = _keys(server, used.get(server.pk, {}), mine)
        for key in mine.keys() - keys:
            disk[server.pk, *key].delete()
        looks += _files(server, keys, used.get(server.pk, {}), mine)
    return looks


def _keys(server: ECCServer, used: dict[Key, str], disk: dict[Key, DiskConfig]) -> set[Key]:
    """What is chosen and what is in use, and the hardware descriptions that the describe files name."""
    keys = set(used)
    if server.config_set is not None:
        kinds = (ConfigKind.DESCRIBE, ConfigKind.PREPARE, ConfigKind.CONFIGURE)
        keys |= {(str(kind), getattr(server.config_set, kind)) for kind in kinds}
    for (kind, name), row in disk.items():
        if kind == ConfigKind.DESCRIBE and (kind, name) in keys and row.blob_id:
            keys |= {(str(ConfigKind.HARDWARE), each) for each in _hardware(row.blob_id)}
    return keys


@lru_cache(maxsize=64)
def _hardware(blob: str) -> tuple[str, ...]:
    return hardware_of(config_blobs.get(blob))


def hardware_of(data: bytes) -> tuple[str, ...]:
    """Names of the hardware descriptions that a describe file asks for; none where it cannot be read."""
    try:
        boards = xcfg.parse_describe(data)
    except ProtocolError:
        return ()
    names = dict.fromkeys(board.hardware_config[:200] for board in boards if board.active and board.hardware_config)
    return tuple(names)[:MOST_HARDWARE]


def paths_of(server: ECCServer, kind: str, name: str) -> tuple[str, str]:
    """Where the ECC server looks for a file, in this order; LocalProtocolError for what is no name of a file."""
    first, second = (str(PurePosixPath(server.config_dir) / each) for each in file_names(kind, name))
    return first, second


def _files(server: ECCServer, keys: Iterable[Key], used: dict[Key, str], disk: dict[Key, DiskConfig]) -> list[Wanted]:
    """Prepare and Configure may read the same file: it is looked at once."""
    by_path: dict[tuple[str, str], list[Key]] = {}
    for key in sorted(keys):
        try:
            by_path.setdefault(paths_of(server, *key), []).append(key)
        except ProtocolError:
            continue  # said where it was to be kept
    looks = []
    for paths, those in by_path.items():
        rows = [disk.get(key) for key in those]
        path = next(filter(None, (used.get(key, "") for key in those)), "")
        path = next((row.path for row in rows if row and row.size is not None), path)
        gone = all(row and row.size is None for row in rows)
        known = _known(rows[0]) if all(row and _same(row, rows[0]) for row in rows) else None
        where = (path,) if path and not gone else paths
        looks.append(Wanted(server.pk, server.name, node_address(server.node), tuple(those), where, known, gone))
    return looks


def _same(row: DiskConfig, other: DiskConfig | None) -> bool:
    return other is not None and (row.path, row.blob_id, row.size) == (other.path, other.blob_id, other.size)


def _known(row: DiskConfig | None) -> FileStat | None:
    if row is None or row.size is None or row.modified is None or row.problem:
        return None
    settled = row.seen_at.timestamp() - row.modified > SETTLED_AFTER
    return FileStat(row.size, row.modified) if settled else None


def record(found: Found, at: datetime) -> None:
    """Write down what lies there; an event says once that it has drifted, or is again as it was loaded."""
    blob = None if found.data is None else config_blobs.put([found.data])[0]
    with transaction.atomic():
        _record(found, blob, at)


def _record(found: Found, blob: str | None, at: datetime) -> None:
    before, stat = _drift(found), found.stat
    fields = {
        "path": found.path,
        "blob_id": blob,
        "size": stat.size if stat else None,
        "modified": stat.mtime if stat else None,
        "problem": found.problem if stat else GONE,
        "seen_at": at,
    }
    for kind, name in found.wanted.keys:
        DiskConfig.objects.update_or_create(ecc_server_id=found.wanted.server_id, kind=kind, name=name, defaults=fields)
    now = _drift(found)
    if now is not None and now != before:
        add_event("run", now.text, subject=found.wanted.server, severity=Severity.WARNING, at=at)
    elif now is None and before is not None:
        text = f"{before.path.rpartition('/')[2]} is on disk again as it was loaded"
        add_event("run", text, subject=found.wanted.server, at=at)


def _drift(found: Found) -> Drift | None:
    kinds = {kind for kind, _ in found.wanted.keys}
    mine = (drift for drift in drifts([found.wanted.server_id]) if kinds & set(drift.kinds))
    return next((drift for drift in mine if drift.path in (*found.wanted.paths, found.path)), None)
