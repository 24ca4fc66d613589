"""Which files belong to a run, and where they lie."""

from collections.abc import Iterable

from attpcdaq.runlog.models import RunFile


def note(run_id: int, node: str, owner: str, kind: str, files: Iterable[tuple[str, int]]) -> None:
    """Note (path, bytes) of files of one kind on a node; what was noted of the same path before is replaced."""
    RunFile.objects.bulk_create(
        [RunFile(run_id=run_id, node=node, path=path, kind=kind, owner=owner, size=size) for path, size in files],
        update_conflicts=True,
        unique_fields=["run", "node", "path"],
        update_fields=["kind", "owner", "size"],
    )
