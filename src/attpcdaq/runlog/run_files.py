"""Which files belong to a run, and where they lie; which ones are quarantined. What is about to be moved is planned."""

from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Count, Sum

from attpcdaq.runlog.models import Quarantined, Run, RunFile

AT_ONCE = 500


def note(run_id: int, node: str, owner: str, kind: str, files: Iterable[tuple[str, int]]) -> None:
    """Note (path, bytes) of files of one kind on a node; what was noted of the same path before is replaced."""
    RunFile.objects.bulk_create(
        [RunFile(run_id=run_id, node=node, path=path, kind=kind, owner=owner, size=size) for path, size in files],
        update_conflicts=True,
        unique_fields=["run", "node", "path"],
        update_fields=["kind", "owner", "size"],
    )
    count([run_id])


def plan(rows: Sequence[RunFile] | Sequence[Quarantined]) -> None:
    """Write down what is about to be moved, before it is: who comes next finds out from it what became of each file."""
    if rows:
        # All are of one class, which the type of a manager taken from an object does not tell.
        type(rows[0])._default_manager.bulk_create(rows, batch_size=AT_ONCE)  # type: ignore[arg-type]
        count(_runs_of(rows))


def moved(rows: Sequence[RunFile] | Sequence[Quarantined], sizes: Sequence[int]) -> None:
    """They lie where it was planned, and have so many bytes there."""
    for at in range(0, len(rows), AT_ONCE):
        part = [row.pk for row in rows[at : at + AT_ONCE]]
        type(rows[0])._default_manager.filter(pk__in=part).update(planned=False)
    for number, size in enumerate(sizes):
        row = rows[number]
        if row.size != size:
            row.size = size
            row.save(update_fields=["size"])
    count(_runs_of(rows))


def planned(node: str, staging: str) -> list[RunFile | Quarantined]:
    """What somebody was about to move out of a staging directory, and perhaps did."""
    files = RunFile.objects.filter(node=node, staging=staging, planned=True)
    return [*files, *Quarantined.objects.filter(node=node, planned=True, path__startswith=f"{staging}/")]


def settle(rows: Sequence[RunFile | Quarantined], found: Mapping[str, int]) -> list[RunFile | Quarantined]:
    """Plans that were carried out are noted with their size, the others are forgotten; those that were.

    `found` is what lies at the destinations now, path -> bytes.
    """
    done = []
    for row in rows:
        if row.path in found:
            type(row)._default_manager.filter(pk=row.pk).update(planned=False, size=found[row.path])
            done.append(row)
        else:
            type(row)._default_manager.filter(pk=row.pk, planned=True).delete()
    count(_runs_of(rows))
    return done


def _runs_of(rows: Iterable[RunFile | Quarantined]) -> set[int]:
    return {row.run_id for row in rows if isinstance(row, RunFile)}


def count(run_ids: Iterable[int]) -> None:
    """Note with each run how many data files it has and how large they are: the run list asks for nothing else."""
    for run_id in sorted(run_ids):
        with transaction.atomic():
            # Held, for nodes file at the same time: who counts last counts the files of all.
            Run.objects.select_for_update(no_key=True).get(pk=run_id)
            found = RunFile.objects.filter(run_id=run_id, kind=RunFile.Kind.DATA).order_by()
            sums = found.aggregate(data_files=Count("id"), data_bytes=Sum("size", default=0))
            Run.objects.filter(pk=run_id).update(**sums)
