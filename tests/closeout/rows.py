"""Disks and rows as evidence: read as they are."""

from attpcdaq.runlog.models import Manifest, Quarantined, Run, RunFile
from attpcdaq.testing.memory_nodes import MemoryNodes
from tests.closeout.evidence import FileRow, OnDisk, QuarantineRow, RunRow


def on_disk(nodes: MemoryNodes) -> list[OnDisk]:
    """Every data file on every node."""
    return [
        OnDisk(node_name, directory, name, file.data)
        for node_name, node in sorted(nodes.nodes.items())
        for directory, files in sorted(node.directories.items())
        for name, file in sorted(files.items())
        if name.endswith(".graw")
    ]


def run_rows() -> list[RunRow]:
    proofs = {row.run_id: row for row in Manifest.objects.all()}
    return [_run_row(run, proofs.get(run.pk)) for run in Run.objects.select_related("experiment").order_by("pk")]


def _run_row(run: Run, proof: Manifest | None) -> RunRow:
    made = proof is not None and proof.made_at is not None and proof.made_at >= proof.asked_at
    over = run.closed_at - run.stopped_at if run.closed_at and run.stopped_at else None
    return RunRow(
        number=run.number,
        state=run.state,
        directory=run.directory,
        verdict=run.verdict,
        proof=proof.verdict if proof is not None and made else "",
        reasons=tuple(map(_words, proof.reasons)) if proof is not None and made else (),
        closing=over.total_seconds() if over is not None else None,
    )


def _words(reason: object) -> str:
    return str(reason["text"]) if isinstance(reason, dict) else str(reason)


def file_rows() -> list[FileRow]:
    data = RunFile.objects.filter(kind=RunFile.Kind.DATA).select_related("run").order_by("pk")
    return [FileRow(row.run.number, row.node, row.path, row.size, row.planned) for row in data]


def quarantine_rows() -> list[QuarantineRow]:
    return [QuarantineRow(row.node, row.path, row.why, row.planned) for row in Quarantined.objects.order_by("pk")]
