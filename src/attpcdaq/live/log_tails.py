"""The ends of logs on the nodes, read by the monitor while somebody looks at them: the only writer of LogTail."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from attpcdaq.gateways.ports import NodeAddress, Tail
from attpcdaq.live.models import LogKind, LogTail
from attpcdaq.topology.models import DataRouter, ECCServer
from attpcdaq.topology.wiring import node_address

MOST_BYTES = 64 * 1024
LOOKED_AT_FOR = timedelta(seconds=15)
# Whoever looks asks each second: the row is written only this often.
RENEW_BEFORE = timedelta(seconds=10)

Key = tuple[str, str]
"""Kind and name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A log that somebody looks at, and where it lies."""

    key: Key
    node: NodeAddress
    path: str


def part_of(kind: str, name: str) -> ECCServer | DataRouter | None:
    """The ECC server or data router, with its node; None when there is none of this name."""
    if kind == LogKind.ECC:
        return ECCServer.objects.select_related("node").filter(name=name).first()
    return DataRouter.objects.select_related("node").filter(name=name).first() if kind == LogKind.ROUTER else None


def want(kind: str, name: str) -> None:
    """Somebody looks at it, for 15 s more: the monitor reads it every second."""
    row = LogTail.objects.filter(kind=kind, name=name)
    if row.filter(wanted_until__gt=Now() + RENEW_BEFORE).exists():
        return
    until = Now() + LOOKED_AT_FOR
    if not row.update(wanted_until=until):
        LogTail.objects.bulk_create([LogTail(kind=kind, name=name, wanted_until=until)], ignore_conflicts=True)


def wanted() -> list[Wanted]:
    """What somebody looks at now and the setup knows a file of; one small query where that is nothing."""
    keys = set(LogTail.objects.filter(wanted_until__gt=Now()).values_list("kind", "name"))
    if not keys:
        return []
    return [*_of_kind(ECCServer, LogKind.ECC, keys), *_of_kind(DataRouter, LogKind.ROUTER, keys)]


def _of_kind(model: type[ECCServer] | type[DataRouter], kind: LogKind, keys: Collection[Key]) -> list[Wanted]:
    names = [name for of, name in keys if of == kind]
    if not names:
        return []
    rows = model.objects.filter(~Q(log_file=""), name__in=names).select_related("node")
    parts = rows.prefetch_related("node__host_keys")
    return [Wanted((kind.value, part.name), node_address(part.node), part.log_file) for part in parts]


def record(wanted: Wanted, tail: Tail, at: datetime) -> None:
    """What was read at `at`."""
    _row(wanted.key).update(
        path=wanted.path, data=tail.data, size=tail.size, modified=tail.mtime, problem="", read_at=at
    )


def record_same(key: Key, at: datetime) -> None:
    """It was looked at, and is as it was when it was read."""
    _row(key).update(read_at=at, problem="")


def record_problem(wanted: Wanted, problem: str, at: datetime) -> None:
    """Why it cannot be read; what was read last stays, unless that was another file's."""
    _row(wanted.key).exclude(path=wanted.path).update(data=b"", size=0, modified=None)
    _row(wanted.key).update(path=wanted.path, problem=problem, read_at=at)


def _row(key: Key) -> "QuerySet[LogTail]":
    kind, name = key
    return LogTail.objects.filter(kind=kind, name=name)
