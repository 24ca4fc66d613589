"""A run's manifest as JSON: what the API gives, and what lies beside the data on each node (docs/manifest.md)."""

from collections.abc import Iterable
from typing import Any, Protocol

from attpcdaq.runlog.exports import utc
from attpcdaq.runlog.models import Manifest, Run, RunFile

VERSION = 1
FILE_NAME = "manifest.json"
MOST_RANGES = 20
"""Of one source; how many events they are is always said."""


class SourceFound(Protocol):
    """What is known of one CoBo and AsAd, or of the MuTAnT."""

    def row(self, most_ranges: int) -> dict[str, Any]: ...


def source_rows(sources: Iterable[SourceFound]) -> list[dict[str, Any]]:
    """The rows of the manifest's table."""
    return [source.row(MOST_RANGES) for source in sources]


def document(run: Run) -> dict[str, Any]:
    """The whole manifest of a run; `verdict` is empty while its files are being checked."""
    manifest = Manifest.objects.filter(pk=run.pk).first()
    return {
        "format": "attpcdaq manifest",
        "version": VERSION,
        "experiment": run.experiment.name,
        "run": run.number,
        "requested_at": _moment(run.requested_at),
        "started_at": _moment(run.started_at),
        "stopped_at": _moment(run.stopped_at),
        "closed_at": _moment(run.closed_at),
        "without": {server: out.get("reason", "") for server, out in run.excluded.items()},
        "verdict": manifest.verdict if manifest else "",
        "reasons": manifest.reasons if manifest else [],
        "made_at": _moment(manifest.made_at if manifest else None),
        "sources": manifest.sources if manifest else [],
        "files": [_file(file) for file in run.files.order_by("-kind", "node", "path")],
    }


def _moment(at: Any) -> str | None:
    return utc(at) or None


def _file(file: RunFile) -> dict[str, Any]:
    scan = file.scan or {}
    names = ("sha256", "frames", "first_event", "last_event", "first_time", "last_time")
    known = {name: getattr(file, name) for name in names if getattr(file, name) not in (None, "")}
    found = {name: scan[name] for name in ("sources", "ranges", "tail_text") if scan.get(name)}
    said = {name: text for name, text in (("problem", file.scan_problem), ("proof", file.proof)) if text}
    place = {"node": file.node, "owner": file.owner, "path": file.path, "size": file.size}
    return {"kind": file.kind, **place, **known, **found, **said, **_staged(file)}


def _staged(file: RunFile) -> dict[str, str]:
    """The name that it had, where it has another one now: a late file."""
    name = file.path.rpartition("/")[2]
    return {"was": file.name} if file.name and file.name != name else {}


def directories(run: Run) -> dict[str, list[str]]:
    """Node -> the directories in which data files of the run lie."""
    found: dict[str, list[str]] = {}
    for node, path in run.files.filter(kind=RunFile.Kind.DATA).order_by("node", "path").values_list("node", "path"):
        directory = path.rpartition("/")[0]
        if directory.endswith(run.directory) and directory not in found.setdefault(node, []):
            found[node].append(directory)
    return {node: paths for node, paths in found.items() if paths}
