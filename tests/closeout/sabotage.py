"""Breaks things on purpose after a quiet block: whoever trusts the checker should have seen it complain."""

import posixpath
from collections.abc import Callable, Mapping
from datetime import timedelta

from attpcdaq.runlog.models import Manifest, Run, RunFile
from attpcdaq.testing.memory_node import MemoryFile
from tests.chaos.world import World
from tests.closeout.detector import Detector
from tests.closeout.ways import WAYS


def _row(number: int = -1) -> RunFile:
    """A data file of a run: of the latest one, or of the one before it (-2)."""
    run = list(Run.objects.order_by("pk"))[number]
    return RunFile.objects.filter(run=run, kind=RunFile.Kind.DATA).order_by("pk")[0]


def _directory(detector: Detector, row: RunFile) -> tuple[dict[str, MemoryFile], str]:
    """The directory in which it lies, and its name there."""
    directory, name = posixpath.split(row.path)
    return detector.nodes.nodes[row.node].directories[directory], name


def _take(detector: Detector, row: RunFile) -> MemoryFile:
    inside, name = _directory(detector, row)
    return inside.pop(name)


def another_run(world: World, detector: Detector) -> None:
    row, other = _row(), _row(-2)
    path = f"{posixpath.dirname(other.path)}/{posixpath.basename(row.path)}"
    detector.nodes.nodes[row.node].put(path, _take(detector, row))
    RunFile.objects.filter(pk=row.pk).update(run=other.run, path=path)


def two_runs(world: World, detector: Detector) -> None:
    row, other = _row(), _row(-2)
    inside, name = _directory(detector, row)
    path = f"{posixpath.dirname(other.path)}/{name}"
    detector.nodes.write(row.node, path, inside[name].data)
    RunFile.objects.create(run=other.run, kind=row.kind, node=row.node, owner=row.owner, path=path, size=row.size)


def deleted(world: World, detector: Detector) -> None:
    row = _row()
    _take(detector, row)
    row.delete()


def put_back(world: World, detector: Detector) -> None:
    row = _row()
    detector.nodes.nodes[row.node].put(f"/staging/{posixpath.basename(row.path)}", _take(detector, row))
    row.delete()


def row_deleted(world: World, detector: Detector) -> None:
    _row().delete()


def quarantined(world: World, detector: Detector) -> None:
    row = _row()
    path = f"/staging/_quarantine/2026-11-22T12-00-00/{posixpath.basename(row.path)}"
    detector.nodes.nodes[row.node].put(path, _take(detector, row))
    row.delete()


def replaced(world: World, detector: Detector) -> None:
    """As when a straggler is renamed to where its run's file lies: only the straggler is left."""
    row = _row()
    inside, name = _directory(detector, row)
    inside[name].data = b""


def changed(world: World, detector: Detector) -> None:
    inside, name = _directory(detector, _row())
    data = inside[name].data
    inside[name].data = data[:-1] + bytes([data[-1] ^ 1])


def cut_off(world: World, detector: Detector) -> None:
    row = _row()
    inside, name = _directory(detector, row)
    inside[name].data = inside[name].data[:-100]
    RunFile.objects.filter(pk=row.pk).update(size=row.size - 100)


def gap(world: World, detector: Detector) -> None:
    """Its boards took a frame that no disk ever saw, and nobody noticed."""
    run = Run.objects.order_by("pk")[0]
    detector.taken.next(run.number, "CoBo0_AsAd0")
    _prove(world, Manifest.Verdict.COMPLETE)


def called_incomplete(world: World, detector: Detector) -> None:
    _prove(world, Manifest.Verdict.INCOMPLETE)


def never_ended(world: World, detector: Detector) -> None:
    RunFile.objects.filter(pk=_row().pk).update(planned=True)


def _prove(world: World, verdict: str) -> None:
    """Every run gets this manifest."""
    now = world.clock.now()
    for run in Run.objects.all():
        told = {"verdict": verdict, "asked_at": now, "made_at": now + timedelta(seconds=1)}
        Manifest.objects.update_or_create(run=run, defaults=told)


HARM: Mapping[str, Callable[[World, Detector], None]] = dict(
    zip(
        WAYS,
        (
            another_run,
            two_runs,
            deleted,
            put_back,
            row_deleted,
            quarantined,
            replaced,
            changed,
            cut_off,
            gap,
            called_incomplete,
            never_ended,
        ),
        strict=True,
    )
)
