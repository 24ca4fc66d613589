"""What each ECC server has in use: the only writer of UsedConfig.

A transition leaves rows for the files that it read, still without bytes (nobody waits for a node then), and the answer
of Configure as it is. Whoever reads the files, and splits the answer, fills them in; a later transition takes them away
at any moment, so everything is filled in by compare-and-set.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from attpcdaq.live.models import UsedConfig
from attpcdaq.live.store import add_event
from attpcdaq.topology import config_blobs
from attpcdaq.topology.models import ConfigKind, ConfigSource, ECCServer
from get_protocol.state_machine import Transition

ANSWER = "Configure's answer"
"""Name of a row that holds the whole answer, before it was split, or because it could not be."""
KIND_OF = {
    Transition.DESCRIBE: ConfigKind.DESCRIBE,
    Transition.PREPARE: ConfigKind.PREPARE,
    Transition.CONFIGURE: ConfigKind.CONFIGURE,
}
# Of the files in use those that a transition leaves in use.
LEFT: Mapping[Transition, Collection[str]] = {
    Transition.DESCRIBE: (),
    Transition.PREPARE: (ConfigKind.DESCRIBE, ConfigKind.HARDWARE),
    Transition.CONFIGURE: (ConfigKind.DESCRIBE, ConfigKind.HARDWARE, ConfigKind.PREPARE),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A transition that an ECC server has carried out, with the name it read and (of Configure) its answer."""

    server_id: int
    transition: Transition
    name: str
    answer: str


@dataclass(frozen=True, slots=True)
class Part:
    """One text of an answer."""

    kind: str
    name: str
    path: str
    data: bytes


@transaction.atomic
def note_loaded(done: Sequence[Loaded], at: datetime) -> None:
    """Servers have gone through transitions: what they had in use before is not in use any more."""
    answers = [each for each in done if each.transition is Transition.CONFIGURE]
    blobs = dict(zip((each.server_id for each in answers), config_blobs.put(map(_bytes, answers)), strict=True))
    present = set(ECCServer.objects.filter(pk__in=[each.server_id for each in done]).values_list("pk", flat=True))
    done = [each for each in done if each.server_id in present]
    for transition in {each.transition for each in done}:
        ids = [each.server_id for each in done if each.transition is transition]
        gone = ~Q(kind__in=LEFT[transition]) | Q(source=ConfigSource.LOADED)
        UsedConfig.objects.filter(gone, ecc_server_id__in=ids).delete()
    rows = [_row(each.server_id, KIND_OF[each.transition], ConfigSource.FILE, each.name, at) for each in done]
    for each in (each for each in done if each.server_id in blobs):
        row = _row(each.server_id, ConfigKind.LINKS, ConfigSource.LOADED, ANSWER, at)
        row.blob_id = blobs[each.server_id]
        row.problem = "" if each.answer.strip() else "The answer of Configure was lost, so what it loaded is not known."
        rows.append(row)
    UsedConfig.objects.bulk_create(rows)


def _bytes(loaded: Loaded) -> bytes:
    return loaded.answer.encode()


def _row(server_id: int, kind: str, source: str, name: str, at: datetime) -> UsedConfig:
    return UsedConfig(ecc_server_id=server_id, kind=kind, source=source, name=name, taken_at=at)


def unread(server_ids: Collection[int] | None = None) -> list[UsedConfig]:
    """Files in use whose bytes nobody has; of these servers, or of all."""
    rows = UsedConfig.objects.filter(source=ConfigSource.FILE, blob=None).select_related("ecc_server__node")
    rows = rows.prefetch_related("ecc_server__node__host_keys")
    return list(rows if server_ids is None else rows.filter(ecc_server_id__in=server_ids))


def unsplit(server_ids: Collection[int] | None = None) -> list[UsedConfig]:
    """Answers that nobody has split yet."""
    rows = UsedConfig.objects.filter(source=ConfigSource.LOADED, name=ANSWER, problem="").select_related("blob")
    return list(rows if server_ids is None else rows.filter(ecc_server_id__in=server_ids))


def found(row: UsedConfig, path: str, data: bytes, modified: float, hardware: Iterable[str], at: datetime) -> bool:
    """The bytes of a file in use, and (of a describe file) the hardware descriptions that it names."""
    (blob,) = config_blobs.put([data])
    mine = UsedConfig.objects.filter(pk=row.pk, blob=None)
    with transaction.atomic():
        if not mine.update(blob_id=blob, path=path, modified=modified, problem="", taken_at=at):
            return False
        rows = [_row(row.ecc_server_id, ConfigKind.HARDWARE, ConfigSource.FILE, name, at) for name in hardware]
        UsedConfig.objects.bulk_create(rows, ignore_conflicts=True)
    return True


def not_found(row: UsedConfig, problem: str, at: datetime, *, is_news: bool) -> None:
    """Why the bytes of a file in use could not be had; an event says once what went wrong."""
    mine = UsedConfig.objects.filter(pk=row.pk, blob=None).exclude(problem=problem)
    if mine.update(problem=problem) and not row.problem and is_news:
        text = f"{row.get_kind_display()} {row.name} is not kept as it was: {problem}"
        add_event("ecc", text, subject=row.ecc_server.name, severity="warning", at=at)


def split(row: UsedConfig, parts: Sequence[Part]) -> None:
    """In the place of the answer of Configure what it was made of; a text that it repeats is one."""
    once = {(part.kind, part.name): part for part in reversed(parts)}
    rows = []
    for part, blob in zip(once.values(), config_blobs.put(part.data for part in once.values()), strict=True):
        new = _row(row.ecc_server_id, part.kind, ConfigSource.LOADED, part.name, row.taken_at)
        new.path, new.blob_id = part.path, blob
        rows.append(new)
    with transaction.atomic():
        if UsedConfig.objects.filter(pk=row.pk).delete()[0]:
            UsedConfig.objects.bulk_create(rows)


def not_split(row: UsedConfig, problem: str) -> None:
    """Why an answer could not be split: it stays as it is."""
    UsedConfig.objects.filter(pk=row.pk, problem="").update(problem=problem)
